//! `INCR`, `DECR`, `INCRBY`, `DECRBY`: whole numbers.

use crate::commands::errors::{NOT_INTEGER, integer};
use crate::commands::prelude::*;
use crate::keyspace::Str;

/// `INCR key`
pub(crate) static INCR: Command = Command {
    spec: CommandSpec {
        name: "incr",
        arity: 2,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::String,
        since: "1.0.0",
        summary: "Adds one to the integer stored at a key; a missing key counts as 0.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: incr,
};

fn incr(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    add(exec, args.at(1), 1)
}

/// `DECR key`
pub(crate) static DECR: Command = Command {
    spec: CommandSpec {
        name: "decr",
        arity: 2,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::String,
        since: "1.0.0",
        summary: "Subtracts one from the integer stored at a key; a missing key counts as 0.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: decr,
};

fn decr(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    add(exec, args.at(1), -1)
}

/// `INCRBY key increment`
pub(crate) static INCRBY: Command = Command {
    spec: CommandSpec {
        name: "incrby",
        arity: 3,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::String,
        since: "1.0.0",
        summary: "Adds a number to the integer stored at a key; a missing key counts as 0.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::integer("increment")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: incrby,
};

fn incrby(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    match integer(args.at(2)) {
        Ok(by) => add(exec, args.at(1), by),
        Err(error) => refuse(exec, error),
    }
}

/// `DECRBY key decrement`
pub(crate) static DECRBY: Command = Command {
    spec: CommandSpec {
        name: "decrby",
        arity: 3,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::String,
        since: "1.0.0",
        summary: "Subtracts a number from the integer stored at a key; a missing key counts as 0.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::integer("decrement")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: decrby,
};

fn decrby(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    match integer(args.at(2)).map(i64::checked_neg) {
        Ok(Some(by)) => add(exec, args.at(1), by),
        Ok(None) => refuse(exec, "ERR decrement would overflow"),
        Err(error) => refuse(exec, error),
    }
}

/// The command is its own effect: all that it depends on is the number that is there.
fn add(exec: &mut Exec<'_>, name: &[u8], by: i64) -> Outcome {
    let key = exec.data.first_key(name);
    let old = match exec.data.get(&key) {
        None => Some(0),
        Some(value) => match value.string() {
            Str::Int(int) => Some(int),
            Str::Bytes(bytes) => integer(bytes).ok(),
        },
    };
    let Some(old) = old else {
        return refuse(exec, NOT_INTEGER);
    };
    let Some(new) = old.checked_add(by) else {
        return refuse(exec, "ERR increment or decrement would overflow");
    };
    if !exec.data.set_int(&key, new, Expire::Keep) {
        exec.data.touch(&key, Event::NEW);
    }
    exec.data.touch(&key, Event::INCRBY);
    exec.data.as_given();
    exec.reply.int(new);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
    const OVERFLOW: &str = "-ERR increment or decrement would overflow";

    #[test]
    fn adds_and_subtracts() {
        check(&[
            ("INCR a", ":1"),
            ("INCR a", ":2"),
            ("DECR a", ":1"),
            ("DECR b", ":-1"),
            ("INCRBY a 17179869184", ":17179869185"),
            ("DECRBY a 17179869186", ":-1"),
            ("GET a", "$2 -1"),
            ("EXPIRE a 10", ":1"),
            ("INCR a", ":0"),
            ("TTL a", ":10"),
        ]);
    }

    #[test]
    fn refusals() {
        check(&[
            ("SET a ' 11'", "+OK"),
            ("INCR a", NOT_INTEGER),
            ("SET a 011", "+OK"),
            ("INCR a", NOT_INTEGER),
            ("SET a 9223372036854775807", "+OK"),
            ("INCR a", OVERFLOW),
            ("INCRBY a 9223372036854775807", OVERFLOW),
            ("DECR a", ":9223372036854775806"),
            ("SET a -9223372036854775808", "+OK"),
            ("DECR a", OVERFLOW),
            (
                "DECRBY a -9223372036854775808",
                "-ERR decrement would overflow",
            ),
            ("INCRBY a x", NOT_INTEGER),
            ("INCRBY a 9223372036854775808", NOT_INTEGER),
            ("INCRBY a +1", NOT_INTEGER),
        ]);
    }

    #[test]
    fn a_number_that_is_held_as_bytes() {
        check(&[
            ("SET a 1", "+OK"),
            ("APPEND a 0", ":2"),
            ("OBJECT ENCODING a", "$3 raw"),
            ("INCR a", ":11"),
            ("OBJECT ENCODING a", "$3 int"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("INCR a", "INCR a"),
            ("DECRBY a 5", "DECRBY a 5"),
            ("INCRBY a x", ""),
            ("PEXPIREAT a 1700000000001", "PEXPIREAT a 1700000000001"),
            ("ADVANCE 2", ""),
            ("INCR a", "DEL a; INCR a"),
        ]);
    }
}
