//! `AUTH`, and the check that `HELLO … AUTH` shares with it.

use corelane_wire::Reply;
use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::resp::state::{Command, Run, SessionState};

/// `AUTH [username] password`. There is one user, `default`, whose password is `requirepass`.
pub(super) static AUTH: Command = Command {
    spec: CommandSpec {
        name: "auth",
        arity: -2,
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
        summary: "Authenticates the connection.",
        complexity: "O(1)",
        args: &[
            Arg::string("username").optional().since("6.0.0"),
            Arg::string("password"),
        ],
        history: &[("6.0.0", "The form with a user name.")],
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(|session, args, reply| match args.len() {
        2 if !session.node.needs_password() => reply.error(
            "ERR AUTH <password> called without any password configured for the default user. \
                 Are you sure your configuration is correct?",
        ),
        2 => answer(session, b"default", &args[1], reply),
        3 => answer(session, &args[1], &args[2], reply),
        _ => reply.error("ERR syntax error"),
    })),
};

fn answer(session: &mut SessionState, user: &[u8], password: &[u8], reply: &mut Reply<'_>) {
    if authenticate(session, user, password) {
        reply.ok();
    } else {
        reply.error(WRONG);
    }
}

/// The answer to a wrong user or password; it does not say which.
pub(super) const WRONG: &str = "WRONGPASS invalid username-password pair or user is disabled.";

/// Checks a password in time that does not depend on how much of it is right.
pub(super) fn authenticate(session: &mut SessionState, user: &[u8], password: &[u8]) -> bool {
    let fine = user == b"default" && session.node.rules(|rules| rules.password_is(password));
    if fine {
        session.standing.authenticated = true;
    }
    fine
}
