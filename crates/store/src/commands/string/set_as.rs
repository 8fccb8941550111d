//! `SETNX`, `SETEX`, `PSETEX`, `GETSET`: what `SET` can do by options, under names of their own.

use corelane_wire::spec::Deprecated;

use super::deadline::{Deadline, From, Unit};
use super::read::reply_string;
use super::set::{report, store};
use crate::commands::prelude::*;

/// `SETNX key value`
pub(crate) static SETNX: Command = Command {
    spec: CommandSpec {
        name: "setnx",
        arity: 3,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::OW.with(K::INSERT))],
        group: Group::String,
        since: "1.0.0",
        summary: "Stores a string at a key only if the key does not exist yet.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: setnx,
};

fn setnx(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    let missing = !exec.data.contains(&key);
    if missing {
        store(&mut exec.data, &key, args.at(2), Expire::Clear);
        report(&mut exec.data, &key, args.at(2), Expire::Clear);
    }
    exec.reply.int(missing.into());
    Outcome::Done
}

/// `SETEX key seconds value`. Its effect is a `SET` with an absolute time.
pub(crate) static SETEX: Command = Command {
    spec: CommandSpec {
        name: "setex",
        arity: 4,
        flags: F::WRITE.with(F::DENYOOM),
        keys: &[KeySpec::at(1).flags(K::OW.with(K::UPDATE))],
        group: Group::String,
        since: "2.0.0",
        summary: "Stores a string at a key together with a time to live in seconds.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::integer("seconds"),
            Arg::string("value"),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: setex,
};

fn setex(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    set_until(exec, args, Unit::Seconds, "setex")
}

/// `PSETEX key milliseconds value`. Its effect is a `SET` with an absolute time.
pub(crate) static PSETEX: Command = Command {
    spec: CommandSpec {
        name: "psetex",
        arity: 4,
        flags: F::WRITE.with(F::DENYOOM),
        keys: &[KeySpec::at(1).flags(K::OW.with(K::UPDATE))],
        group: Group::String,
        since: "2.6.0",
        summary: "Stores a string at a key together with a time to live in milliseconds.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::integer("milliseconds"),
            Arg::string("value"),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: psetex,
};

fn psetex(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    set_until(exec, args, Unit::Milliseconds, "psetex")
}

fn set_until(exec: &mut Exec<'_>, args: Args<'_>, unit: Unit, name: &str) -> Outcome {
    let deadline = Deadline {
        amount: args.at(2),
        unit,
        from: From::Now,
    };
    let expire = match deadline.at_ms(exec.data.now_ms) {
        Ok(at_ms) => Expire::At(at_ms),
        Err(bad) => return refuse(exec, &bad.text(name)),
    };
    let key = exec.data.first_key(args.at(1));
    store(&mut exec.data, &key, args.at(3), expire);
    report(&mut exec.data, &key, args.at(3), expire);
    exec.reply.ok();
    Outcome::Done
}

/// `GETSET key value`. Its effect is the `SET`.
pub(crate) static GETSET: Command = Command {
    spec: CommandSpec {
        name: "getset",
        arity: 3,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::String,
        since: "1.0.0",
        summary: "Stores a string at a key and returns the string that it replaces.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::string("value")],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`SET` with `GET`",
        }),
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: getset,
};

fn getset(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    reply_string(exec, &key);
    store(&mut exec.data, &key, args.at(2), Expire::Clear);
    report(&mut exec.data, &key, args.at(2), Expire::Clear);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn setnx() {
        check(&[
            ("SETNX a x", ":1"),
            ("SETNX a y", ":0"),
            ("GET a", "$1 x"),
            ("PEXPIRE a 10", ":1"),
            ("SETNX a y", ":0"),
            ("ADVANCE 11", ""),
            ("SETNX a y", ":1"),
            ("PTTL a", ":-1"),
        ]);
        check_effects(&[("SETNX a x", "SET a x"), ("SETNX a x", "")]);
    }

    #[test]
    fn setex_and_psetex() {
        check(&[
            ("SETEX a 12 x", "+OK"),
            ("PTTL a", ":12000"),
            ("PSETEX a 12 y", "+OK"),
            ("PTTL a", ":12"),
            ("GET a", "$1 y"),
            (
                "SETEX a -10 x",
                "-ERR invalid expire time in 'setex' command",
            ),
            (
                "PSETEX a 0 x",
                "-ERR invalid expire time in 'psetex' command",
            ),
            (
                "SETEX a ten x",
                "-ERR value is not an integer or out of range",
            ),
            ("GET a", "$1 y"),
        ]);
        check_effects(&[
            ("SETEX a 10 x", "SET a x PXAT 1700000010000"),
            ("SETEX a 0 x", ""),
        ]);
    }

    #[test]
    fn getset() {
        check(&[
            ("GETSET a x", "nil"),
            ("EXPIRE a 10", ":1"),
            ("GETSET a 1", "$1 x"),
            ("GETSET a y", "$1 1"),
            ("TTL a", ":-1"),
        ]);
        check_effects(&[("GETSET a x", "SET a x")]);
    }
}
