//! `PING`.

use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::resp::state::{Command, Run};

/// `PING [message]`.
pub(super) static PING: Command = Command {
    spec: CommandSpec {
        name: "ping",
        arity: -1,
        flags: Flags::FAST,
        group: Group::Connection,
        since: "1.0.0",
        summary: "Answers PONG, or the message.",
        complexity: "O(1)",
        args: &[Arg::string("message").optional()],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(|_, args, reply| match args.len() {
        1 => reply.simple("PONG"),
        2 => reply.bulk(&args[1]),
        _ => reply.error("ERR wrong number of arguments for 'ping' command"),
    })),
};
