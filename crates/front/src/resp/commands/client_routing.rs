//! `CLIENT ROUTING`: how this connection's commands reach other shards.

use corelane_settings::Routing;
use corelane_wire::spec::{Arg, CommandSpec};

use super::client::BASE;
use crate::resp::state::{Command, Run};

/// `CLIENT ROUTING [HOP | MIGRATE | ADAPTIVE | DEFAULT]`.
pub(super) static ROUTING: Command = Command {
    spec: CommandSpec {
        name: "routing",
        arity: -2,
        since: "7.0.0",
        summary: "How this connection's commands reach other shards: tells it, or chooses it from the next read on; DEFAULT goes by the setting of the same name.",
        args: &[Arg::one_of(
            "way",
            &[
                Arg::word("hop", "HOP"),
                Arg::word("migrate", "MIGRATE"),
                Arg::word("adaptive", "ADAPTIVE"),
                Arg::word("default", "DEFAULT"),
            ],
        )
        .optional()],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        let chosen = &session.client.course.chosen;
        let Some(word) = args.get(2) else {
            let default = session.node.rules(|rules| rules.routing);
            return reply.bulk(chosen.get().unwrap_or(default).name().as_bytes());
        };
        let way = match Routing::named(word) {
            None if word.eq_ignore_ascii_case(b"default") => None,
            Some(way) => Some(way),
            None => return reply.error("ERR syntax error"),
        };
        if args.len() > 3 {
            return reply.error("ERR syntax error");
        }
        chosen.set(way);
        reply.ok();
    })),
};
