//! `OBJECT` and its subcommands: how a value is held.

use corelane_wire::Reply;

use crate::commands::container::{unknown_subcommand, write_help};
use crate::commands::prelude::*;
use crate::keyspace::{Str, Value};

/// `OBJECT`: reached only by a subcommand that does not exist.
pub(crate) static OBJECT: Command = Command {
    spec: CommandSpec {
        name: "object",
        container: true,
        arity: -2,
        group: Group::Generic,
        since: "2.2.3",
        summary: "Container of commands that look at how a value is held.",
        complexity: "Depends on the subcommand.",
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: unknown_subcommand,
};

/// `OBJECT ENCODING key`: `int`, `embstr` or `raw`, by the rules that Redis has for them.
///
/// One difference: the sum of `INCRBYFLOAT` is `int` here where it is a whole number, `embstr` in Redis.
pub(crate) static OBJECT_ENCODING: Command = Command {
    spec: CommandSpec {
        name: "encoding",
        parent: Some("object"),
        arity: 3,
        flags: F::READONLY,
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(2).flags(K::RO)],
        group: Group::Generic,
        since: "2.2.3",
        summary: "Returns the internal form in which a value is held.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: encoding,
};

fn encoding(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    inspect(exec, args, |value, _, reply| {
        reply.bulk_str(value.encoding())
    })
}

/// What Redis says of values that it keeps once for all keys.
const SHARED: i64 = i32::MAX as i64;

/// `OBJECT REFCOUNT key`
///
/// Nothing is shared here, but clients and tests know small integers by the count that Redis gives them. One
/// difference: to Redis a copied one (`COPY`) is not shared.
pub(crate) static OBJECT_REFCOUNT: Command = Command {
    spec: CommandSpec {
        name: "refcount",
        parent: Some("object"),
        arity: 3,
        flags: F::READONLY,
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(2).flags(K::RO)],
        group: Group::Generic,
        since: "2.2.3",
        summary: "Returns how many references there are to a value.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: refcount,
};

fn refcount(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    inspect(exec, args, |value, _, reply| {
        reply.int(if matches!(value.string(), Str::Int(0..10_000)) {
            SHARED
        } else {
            1
        });
    })
}

/// `OBJECT IDLETIME key`
pub(crate) static OBJECT_IDLETIME: Command = Command {
    spec: CommandSpec {
        name: "idletime",
        parent: Some("object"),
        arity: 3,
        flags: F::READONLY,
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(2).flags(K::RO)],
        group: Group::Generic,
        since: "2.2.3",
        summary: "Returns how many seconds ago a key was last used.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: idletime,
};

fn idletime(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    inspect(exec, args, |value, now_ms, reply| {
        reply.int(value.idle_s(now_ms) as i64)
    })
}

/// `OBJECT FREQ key`
pub(crate) static OBJECT_FREQ: Command = Command {
    spec: CommandSpec {
        name: "freq",
        parent: Some("object"),
        arity: 3,
        flags: F::READONLY,
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(2).flags(K::RO)],
        group: Group::Generic,
        since: "4.0.0",
        summary: "Returns the logarithmic counter of how often a key is used.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: freq,
};

fn freq(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    inspect(exec, args, |_, _, reply| {
        reply.error(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. \
             Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
        );
    })
}

/// Answers about the value at a key without using it; nothing for a key that does not exist.
fn inspect(
    exec: &mut Exec<'_>,
    args: Args<'_>,
    answer: fn(Value<'_>, u64, &mut Reply<'_>),
) -> Outcome {
    let key = exec.data.first_key(args.at(2));
    let now_ms = exec.data.now_ms;
    match exec.data.peek(&key) {
        Some(value) => answer(value, now_ms, &mut exec.reply),
        None => exec.reply.null(),
    }
    Outcome::Done
}

/// `OBJECT HELP`
pub(crate) static OBJECT_HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        parent: Some("object"),
        arity: 2,
        flags: F::LOADING.with(F::STALE),
        categories: C::KEYSPACE,
        group: Group::Generic,
        since: "6.2.0",
        summary: "Lists the subcommands of OBJECT.",
        complexity: "O(1)",
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: help,
};

fn help(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let lines = [
        "ENCODING <key>",
        "    The internal form in which the value of <key> is held.",
        "FREQ <key>",
        "    How often <key> is used, as a number that grows with the logarithm of it.",
        "IDLETIME <key>",
        "    How many seconds ago <key> was last used.",
        "REFCOUNT <key>",
        "    How many references there are to the value of <key>.",
    ];
    write_help(&mut exec.reply, args, &lines);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn encoding() {
        let (short, long) = ("x".repeat(44), "x".repeat(45));
        check(&[
            ("OBJECT ENCODING a", "nil"),
            ("SET a 123", "+OK"),
            ("OBJECT ENCODING a", "$3 int"),
            ("SET a 0123", "+OK"),
            ("object encoding a", "$6 embstr"),
            ("SET a 9223372036854775808", "+OK"),
            ("OBJECT ENCODING a", "$6 embstr"),
            (&format!("SET a {short}"), "+OK"),
            ("OBJECT ENCODING a", "$6 embstr"),
            (&format!("SET a {long}"), "+OK"),
            ("OBJECT ENCODING a", "$3 raw"),
            ("SET a x", "+OK"),
            ("APPEND a ''", ":1"),
            ("OBJECT ENCODING a", "$3 raw"),
            ("COPY a b", ":1"),
            ("OBJECT ENCODING b", "$3 raw"),
            ("RENAME b c", "+OK"),
            ("OBJECT ENCODING c", "$3 raw"),
        ]);
    }

    #[test]
    fn refcount() {
        check(&[
            ("OBJECT REFCOUNT a", "nil"),
            ("SET a x", "+OK"),
            ("OBJECT REFCOUNT a", ":1"),
            ("SET a 9999", "+OK"),
            ("OBJECT REFCOUNT a", ":2147483647"),
            ("INCR a", ":10000"),
            ("OBJECT REFCOUNT a", ":1"),
        ]);
    }

    #[test]
    fn idletime_is_not_changed_by_looking() {
        check(&[
            ("OBJECT IDLETIME a", "nil"),
            ("SET a x", "+OK"),
            ("ADVANCE 3000", ""),
            ("OBJECT IDLETIME a", ":3"),
            ("TTL a", ":-1"),
            ("OBJECT IDLETIME a", ":3"),
            ("GET a", "$1 x"),
            ("OBJECT IDLETIME a", ":0"),
        ]);
    }

    #[test]
    fn refusals() {
        check(&[
            (
                "OBJECT",
                "-ERR wrong number of arguments for 'object' command",
            ),
            (
                "OBJECT FOO",
                "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.",
            ),
            (
                "OBJECT ENCODING",
                "-ERR wrong number of arguments for 'object|encoding' command",
            ),
            ("OBJECT FREQ a", "nil"),
        ]);
    }
}
