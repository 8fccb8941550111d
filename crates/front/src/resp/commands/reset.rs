//! `RESET`.

use corelane_wire::Proto;
use corelane_wire::spec::{CommandSpec, Flags, Group};

use crate::resp::state::{Command, ReplyMode, Run};

/// `RESET`: the connection is as it was when it began.
pub(super) static RESET: Command = Command {
    spec: CommandSpec {
        name: "reset",
        arity: 1,
        flags: Flags::of(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
            Flags::ALLOW_BUSY,
        ]),
        group: Group::Connection,
        since: "6.2.0",
        summary: "Puts the connection back to how it began.",
        complexity: "O(1)",
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        session.client.db.set(0);
        session.client.proto.set(Proto::Resp2);
        reply.set_proto(Proto::Resp2);
        session.client.rename(|names| names.name.clear());
        session.client.no_evict.set(false);
        session.client.course.chosen.set(None);
        session.standing.reply_mode = ReplyMode::On;
        session.standing.authenticated = !session.node.needs_password();
        reply.simple("RESET");
    })),
};
