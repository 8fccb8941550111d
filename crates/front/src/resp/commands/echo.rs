//! `ECHO`.

use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::resp::state::{Command, Run};

/// `ECHO message`.
pub(super) static ECHO: Command = Command {
    spec: CommandSpec {
        name: "echo",
        arity: 2,
        flags: Flags::of(&[Flags::LOADING, Flags::STALE, Flags::FAST]),
        group: Group::Connection,
        since: "1.0.0",
        summary: "Answers the message.",
        complexity: "O(1)",
        args: &[Arg::string("message")],
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(|_, args, reply| reply.bulk(&args[1]))),
};
