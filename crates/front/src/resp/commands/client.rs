//! `CLIENT`: what a connection says and asks of itself. What concerns others is in `client_list`.

use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use super::ANYTIME;
use crate::resp::state::{Command, ReplyMode, Run};

/// What the subcommands have in common.
pub(super) const BASE: CommandSpec = CommandSpec {
    parent: Some("client"),
    flags: ANYTIME,
    group: Group::Connection,
    complexity: "O(1)",
    ..CommandSpec::BASE
};

/// The container.
pub(super) static CLIENT: Command = Command {
    spec: CommandSpec {
        name: "client",
        parent: None,
        container: true,
        arity: -2,
        flags: Flags::NONE,
        since: "2.4.0",
        summary: "A container for commands about connections.",
        complexity: "Depends on subcommand.",
        ..BASE
    },
    run: None,
};

/// The answer to a bad name.
pub(super) const BAD_NAME: &str =
    "ERR Client names cannot contain spaces, newlines or special characters.";

/// Whether a name can stand in a line of `CLIENT LIST`.
pub(super) fn valid_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// `CLIENT ID`.
pub(super) static ID: Command = Command {
    spec: CommandSpec {
        name: "id",
        arity: 2,
        since: "5.0.0",
        summary: "The connection's number.",
        ..BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        reply.int(session.client.id.0 as i64)
    })),
};

/// `CLIENT INFO`.
pub(super) static INFO: Command = Command {
    spec: CommandSpec {
        name: "info",
        arity: 2,
        since: "6.2.0",
        summary: "The connection's line of CLIENT LIST.",
        tips: &["nondeterministic_output"],
        ..BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        let mut line = session.client.describe(corelane::time::unix_ms()).line;
        line.push('\n');
        reply.verbatim("txt", line.as_bytes());
    })),
};

/// `CLIENT GETNAME`.
pub(super) static GETNAME: Command = Command {
    spec: CommandSpec {
        name: "getname",
        arity: 2,
        since: "2.6.9",
        summary: "The connection's name.",
        ..BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        let name = session.client.names().name;
        match name.is_empty() {
            true => reply.null(),
            false => reply.bulk(&name),
        }
    })),
};

/// `CLIENT SETNAME connection-name`.
pub(super) static SETNAME: Command = Command {
    spec: CommandSpec {
        name: "setname",
        arity: 3,
        since: "2.6.9",
        summary: "Names the connection.",
        args: &[Arg::string("connection-name")],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        let name = &args[2];
        if !valid_name(name) {
            return reply.error(BAD_NAME);
        }
        session.client.rename(|names| names.name = name.to_vec());
        reply.ok();
    })),
};

/// `CLIENT SETINFO LIB-NAME name | LIB-VER version`.
pub(super) static SETINFO: Command = Command {
    spec: CommandSpec {
        name: "setinfo",
        arity: 4,
        since: "7.2.0",
        summary: "Says which client library this is.",
        args: &[Arg::one_of(
            "attr",
            &[
                Arg::string("libname").token("LIB-NAME"),
                Arg::string("libver").token("LIB-VER"),
            ],
        )],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        let (attribute, value) = (&args[2], &args[3]);
        let place = match attribute.to_ascii_lowercase().as_slice() {
            b"lib-name" => 0,
            b"lib-ver" => 1,
            _ => {
                let shown = String::from_utf8_lossy(attribute);
                return reply.error(&format!("ERR Unrecognized option '{shown}'"));
            }
        };
        if !valid_name(value) {
            let shown = String::from_utf8_lossy(attribute);
            let text =
                format!("ERR {shown} cannot contain spaces, newlines or special characters.");
            return reply.error(&text);
        }
        session
            .client
            .rename(|names| names.library[place] = value.to_vec());
        reply.ok();
    })),
};

/// `CLIENT REPLY ON | OFF | SKIP`.
pub(super) static REPLY: Command = Command {
    spec: CommandSpec {
        name: "reply",
        arity: 3,
        since: "3.2.0",
        summary: "Turns replies to this connection on or off, or skips the next one.",
        args: &[Arg::one_of(
            "on-off-skip",
            &[
                Arg::word("on", "ON"),
                Arg::word("off", "OFF"),
                Arg::word("skip", "SKIP"),
            ],
        )],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        match args[2].to_ascii_lowercase().as_slice() {
            b"on" => {
                session.standing.reply_mode = ReplyMode::On;
                reply.ok();
            }
            b"off" => session.standing.reply_mode = ReplyMode::Off,
            b"skip" if session.standing.reply_mode != ReplyMode::Off => {
                session.standing.reply_mode = ReplyMode::SkipNext
            }
            b"skip" => {}
            _ => reply.error("ERR syntax error"),
        }
    })),
};

/// Reads `ON` or `OFF`.
fn switch(word: &[u8]) -> Option<bool> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Some(true),
        b"off" => Some(false),
        _ => None,
    }
}

/// The argument of `NO-EVICT`.
const ON_OFF: &[Arg] = &[Arg::one_of(
    "enabled",
    &[Arg::word("on", "ON"), Arg::word("off", "OFF")],
)];

/// `CLIENT NO-EVICT ON | OFF`.
pub(super) static NO_EVICT: Command = Command {
    spec: CommandSpec {
        name: "no-evict",
        arity: 3,
        flags: Flags::of(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE]),
        since: "7.0.0",
        summary: "Marks the connection as one that is not to be evicted for its buffers.",
        args: ON_OFF,
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        match switch(&args[2]) {
            Some(on) => {
                session.client.no_evict.set(on);
                reply.ok();
            }
            None => reply.error("ERR syntax error"),
        }
    })),
};

/// `CLIENT GETREDIR`: -1, as tracking is never on.
pub(super) static GETREDIR: Command = Command {
    spec: CommandSpec {
        name: "getredir",
        arity: 2,
        since: "6.0.0",
        summary: "The connection that this one's invalidations go to; this version tracks nothing.",
        ..BASE
    },
    run: Some(Run::Session(|_, _, reply| reply.int(-1))),
};

/// `CLIENT HELP`.
pub(super) static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        arity: 2,
        since: "5.0.0",
        summary: "The subcommands of CLIENT.",
        ..BASE
    },
    run: Some(Run::Session(|_, _, reply| {
        const LINES: &[&str] = &[
            "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
            "GETNAME | SETNAME <name> | SETINFO <LIB-NAME|LIB-VER> <value>",
            "    Names of the connection and its library.",
            "ID | INFO",
            "    The connection's number, and its line of CLIENT LIST.",
            "KILL <addr> | KILL <option> <value> [<option> <value> ...]",
            "    Ends connections: ADDR, LADDR, ID, TYPE, USER, SKIPME, MAXAGE.",
            "LIST [TYPE <type>] [ID <id> ...]",
            "    Connections of all shards.",
            "MIGRATE <shard> [ID <id> ...]",
            "    Sends this connection, or others, to a shard.",
            "NO-EVICT <ON|OFF>",
            "    Protection from eviction for its buffers.",
            "REPLY <ON|OFF|SKIP>",
            "    Which replies the connection gets.",
            "ROUTING [HOP|MIGRATE|ADAPTIVE|DEFAULT]",
            "    How the connection's commands reach other shards.",
            "HELP",
            "    This help.",
        ];
        reply.array(LINES.len());
        LINES.iter().for_each(|line| reply.simple(line));
    })),
};
