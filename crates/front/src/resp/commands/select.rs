//! `SELECT`.

use corelane_wire::number::parse_i64;
use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::resp::state::{Command, Run};

/// `SELECT index`.
pub(super) static SELECT: Command = Command {
    spec: CommandSpec {
        name: "select",
        arity: 2,
        flags: Flags::of(&[Flags::LOADING, Flags::STALE, Flags::FAST]),
        group: Group::Connection,
        since: "1.0.0",
        summary: "Chooses the database that the connection's commands work on.",
        complexity: "O(1)",
        args: &[Arg::integer("index")],
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        let Some(index) = parse_i64(&args[1]) else {
            return reply.error("ERR value is not an integer or out of range");
        };
        if index != 0 && session.client.door.is_pinned() {
            return reply.error("ERR SELECT is not allowed in cluster mode");
        }
        match u16::try_from(index) {
            Ok(db) if db < session.node.databases() => {
                session.client.db.set(db);
                reply.ok();
            }
            _ => reply.error("ERR DB index is out of range"),
        }
    })),
};
