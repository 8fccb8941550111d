//! `FUNCTION FLUSH`. There are no functions yet; the command that removes them all is true all the
//! same, and client test suites begin with it.

use corelane_wire::spec::{CommandSpec, Flags, Group};

use crate::asking::Command;

/// The container.
pub(super) static FUNCTION: Command = Command {
    spec: CommandSpec {
        name: "function",
        container: true,
        arity: -2,
        group: Group::Scripting,
        since: "7.0.0",
        summary: "A container for function commands.",
        complexity: "Depends on subcommand.",
        ..CommandSpec::BASE
    },
    run: None,
};

/// `FUNCTION FLUSH [ASYNC | SYNC]`.
pub(super) static FLUSH: Command = Command {
    spec: CommandSpec {
        name: "flush",
        parent: Some("function"),
        arity: -2,
        flags: Flags::of(&[Flags::WRITE, Flags::NOSCRIPT]),
        group: Group::Scripting,
        since: "7.0.0",
        summary: "Removes all functions; this version holds none.",
        complexity: "O(1)",
        ..CommandSpec::BASE
    },
    run: Some(|_, asking| {
        Box::pin(async move {
            let args = asking.args.args();
            let known = match args.get(2) {
                None => true,
                Some(mode) => [&b"sync"[..], b"async"]
                    .iter()
                    .any(|m| m.eq_ignore_ascii_case(mode)),
            };
            let fine = known && args.len() <= 3;
            asking.reply(|reply| match fine {
                true => reply.ok(),
                false => reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
            })
        })
    }),
};
