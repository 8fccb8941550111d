//! `MGET`, `MSET`: many strings at once.

use super::read::reply_string;
use super::set::{report, store};
use crate::commands::prelude::*;

/// `MGET key [key …]`. With keys on several shards, each shard answers for its own.
pub(crate) static MGET: Command = Command {
    spec: CommandSpec {
        name: "mget",
        arity: -2,
        flags: F::READONLY.with(F::FAST),
        keys: &[KeySpec::range(1, -1, 1).flags(K::RO.with(K::ACCESS))],
        group: Group::String,
        since: "1.0.0",
        summary: "Returns the strings stored at several keys, in order.",
        complexity: "O(N) for N keys",
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard"],
        ..CommandSpec::BASE
    },
    split: Split::InOrder,
    run: mget,
};

fn mget(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    exec.reply.array(args.len() - 1);
    for name in args.tail(1) {
        let key = exec.data.key(name);
        reply_string(exec, &key);
    }
    Outcome::Done
}

/// `MSET key value [key value …]`. Its effect is one `SET` for each key.
///
/// With keys on several shards each shard sets its own, not atomically. Before the command is cut by its keys,
/// [`pairs_ok`] must hold: otherwise the handler is to be called with all arguments, and answers with the error.
pub(crate) static MSET: Command = Command {
    spec: CommandSpec {
        name: "mset",
        arity: -3,
        flags: F::WRITE.with(F::DENYOOM),
        keys: &[KeySpec::range(1, -1, 2).flags(K::OW.with(K::UPDATE))],
        group: Group::String,
        since: "1.0.1",
        summary: "Stores strings at several keys.",
        complexity: "O(N) for N keys",
        args: &[Arg::block("key_value", &[Arg::key("key", 0), Arg::string("value")]).multiple()],
        tips: &[
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ],
        ..CommandSpec::BASE
    },
    split: Split::AllOk,
    run: mset,
};

fn mset(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    if !pairs_ok(args) {
        return refuse(exec, "ERR wrong number of arguments for 'mset' command");
    }
    set_pairs(exec, args);
    exec.reply.ok();
    Outcome::Done
}

/// Whether each key of `MSET` or `MSETNX` comes with a value.
pub fn pairs_ok(args: Args<'_>) -> bool {
    args.len() % 2 == 1
}

/// Sets each pair of `args`, in order.
pub(super) fn set_pairs(exec: &mut Exec<'_>, args: Args<'_>) {
    for at in (1..args.len()).step_by(2) {
        let (key, value) = (exec.data.key(args.at(at)), args.at(at + 1));
        store(&mut exec.data, &key, value, Expire::Clear);
        report(&mut exec.data, &key, value, Expire::Clear);
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn mset_and_mget() {
        check(&[
            ("MGET a", "*1 nil"),
            ("MSET a 1 b 'x y' a 2", "+OK"),
            ("MGET a b c a", "*4 $1 2 $3 x y nil $1 2"),
            ("EXPIRE a 10", ":1"),
            ("MSET a 1", "+OK"),
            ("TTL a", ":-1"),
            (
                "MSET a 1 b",
                "-ERR wrong number of arguments for 'mset' command",
            ),
            (
                "MSET a",
                "-ERR wrong number of arguments for 'mset' command",
            ),
            ("MGET", "-ERR wrong number of arguments for 'mget' command"),
        ]);
    }

    #[test]
    fn effects_are_one_per_key() {
        check_effects(&[
            ("MSET a 1 b 2 a 3", "SET a 1; SET b 2; SET a 3"),
            ("MSET a", ""),
        ]);
    }
}
