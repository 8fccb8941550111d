//! `ASKING`, `READONLY`, `READWRITE`: what cluster clients say of a connection. A shard answers as a master does: it
//! serves its own slots, reads and writes, and no slot is on its way in or out for longer than a client could notice.

use corelane_node::CLUSTER_DISABLED;
use corelane_wire::spec::{CommandSpec, Flags, Group};

use crate::resp::state::{Command, Run};

/// What the three have in common.
const fn accepted(name: &'static str, flags: Flags, summary: &'static str) -> Command {
    Command {
        spec: CommandSpec {
            name,
            arity: 1,
            flags,
            categories: corelane_wire::spec::Categories::CONNECTION,
            group: Group::Cluster,
            since: "3.0.0",
            summary,
            complexity: "O(1)",
            ..CommandSpec::BASE
        },
        run: Some(Run::Session(|session, _, reply| {
            match session.node.identity().has_shard_ports() {
                true => reply.ok(),
                false => reply.error(CLUSTER_DISABLED),
            }
        })),
    }
}

const ANYTIME: Flags = Flags::of(&[Flags::LOADING, Flags::STALE, Flags::FAST]);

/// `ASKING`: no slot is ever asked for before it has moved.
pub(super) static ASKING: Command = accepted(
    "asking",
    Flags::FAST,
    "Taken from cluster clients; it changes nothing, as no shard answers `-ASK`.",
);

/// `READONLY`.
pub(super) static READONLY: Command = accepted(
    "readonly",
    ANYTIME,
    "Taken from cluster clients; it changes nothing, as there are no replicas.",
);

/// `READWRITE`.
pub(super) static READWRITE: Command = accepted(
    "readwrite",
    ANYTIME,
    "Taken from cluster clients; it changes nothing, as there are no replicas.",
);
