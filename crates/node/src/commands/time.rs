//! `TIME`.

use corelane_wire::spec::{CommandSpec, Flags, Group};

use crate::asking::Command;

/// `TIME`: the clock of the shard that the client is on.
pub(super) static TIME: Command = Command {
    spec: CommandSpec {
        name: "time",
        arity: 1,
        flags: Flags::of(&[Flags::LOADING, Flags::STALE, Flags::FAST]),
        group: Group::Server,
        since: "2.6.0",
        summary: "The server's time: seconds since 1970, and the microseconds of the second.",
        complexity: "O(1)",
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    run: Some(|_, asking| {
        Box::pin(async move {
            let now_us = corelane::time::unix_us();
            asking.reply(|reply| {
                reply.array(2);
                reply.bulk_int((now_us / 1_000_000) as i64);
                reply.bulk_int((now_us % 1_000_000) as i64);
            })
        })
    }),
};
