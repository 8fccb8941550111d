//! `GET`, `GETDEL`, `STRLEN`: a string as a whole.

use super::read::{read, reply_string};
use crate::commands::prelude::*;
use crate::keyspace::Str;

/// `GET key`
pub(crate) static GET: Command = Command {
    spec: CommandSpec {
        name: "get",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::String,
        since: "1.0.0",
        summary: "Returns the string stored at a key.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: get,
};

fn get(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    reply_string(exec, &key);
    Outcome::Done
}

/// `GETDEL key`. Its effect is the `DEL`.
pub(crate) static GETDEL: Command = Command {
    spec: CommandSpec {
        name: "getdel",
        arity: 2,
        flags: F::WRITE.with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::DELETE))],
        group: Group::String,
        since: "6.2.0",
        summary: "Returns the string stored at a key and deletes the key.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: getdel,
};

fn getdel(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    reply_string(exec, &key);
    if exec.data.remove(&key) {
        exec.data.rewrite([&b"DEL"[..], key.name()]);
        exec.data.touch(&key, Event::DEL);
    }
    Outcome::Done
}

/// `STRLEN key`
pub(crate) static STRLEN: Command = Command {
    spec: CommandSpec {
        name: "strlen",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RO)],
        group: Group::String,
        since: "2.2.0",
        summary: "Returns how many bytes the string stored at a key has.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: strlen,
};

fn strlen(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    read(exec, &key, |reply, string| {
        reply.int(string.map_or(0, Str::len) as i64)
    });
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn get() {
        check(&[
            ("GET a", "nil"),
            ("SET a hello", "+OK"),
            ("GET a", "$5 hello"),
            ("SET a -42", "+OK"),
            ("GET a", "$3 -42"),
            ("SET a ''", "+OK"),
            ("GET a", "$0 "),
            ("SET a 1 PX 10", "+OK"),
            ("ADVANCE 9", ""),
            ("GET a", "$1 1"),
            ("ADVANCE 2", ""),
            ("GET a", "nil"),
            ("GET", "-ERR wrong number of arguments for 'get' command"),
            (
                "GET a b",
                "-ERR wrong number of arguments for 'get' command",
            ),
        ]);
    }

    #[test]
    fn getdel() {
        check(&[
            ("GETDEL a", "nil"),
            ("SET a x", "+OK"),
            ("GETDEL a", "$1 x"),
            ("EXISTS a", ":0"),
        ]);
        check_effects(&[
            ("SET a x", "SET a x"),
            ("GETDEL a", "DEL a"),
            ("GETDEL a", ""),
        ]);
    }

    #[test]
    fn strlen() {
        check(&[
            ("STRLEN a", ":0"),
            ("SET a hello", "+OK"),
            ("STRLEN a", ":5"),
            ("SET a -555", "+OK"),
            ("STRLEN a", ":4"),
            ("SET a ''", "+OK"),
            ("STRLEN a", ":0"),
        ]);
    }

    #[test]
    fn an_expired_key_is_deleted_by_the_first_look() {
        check_effects(&[
            ("SET a x PX 10", "SET a x PXAT 1700000000010"),
            ("ADVANCE 11", ""),
            ("GET a", "DEL a"),
            ("GET a", ""),
        ]);
    }
}
