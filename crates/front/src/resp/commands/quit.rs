//! `QUIT`.

use corelane_wire::spec::{CommandSpec, Flags, Group};

use crate::resp::state::{Command, Run};

/// `QUIT`: answers, then closes. What follows it in the pipeline does not run.
pub(super) static QUIT: Command = Command {
    spec: CommandSpec {
        name: "quit",
        arity: -1,
        flags: Flags::of(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
            Flags::ALLOW_BUSY,
        ]),
        group: Group::Connection,
        since: "1.0.0",
        summary: "Closes the connection.",
        complexity: "O(1)",
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        reply.ok();
        session.closing = true;
    })),
};
