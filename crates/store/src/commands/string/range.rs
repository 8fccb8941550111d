//! `GETRANGE`, `SUBSTR`, `SETRANGE`: parts of a string.

use corelane_wire::spec::Deprecated;

use super::read::read;
use crate::commands::errors::{STRING_TOO_LONG, integer};
use crate::commands::prelude::*;

/// `GETRANGE key start end`
pub(crate) static GETRANGE: Command = Command {
    spec: CommandSpec {
        name: "getrange",
        arity: 4,
        flags: F::READONLY,
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::String,
        since: "2.4.0",
        summary: "Returns a part of the string stored at a key.",
        complexity: "O(N) for N bytes returned",
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("end"),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: getrange,
};

/// `SUBSTR key start end`: `GETRANGE` by its old name.
pub(crate) static SUBSTR: Command = Command {
    spec: CommandSpec {
        name: "substr",
        arity: 4,
        flags: F::READONLY,
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::String,
        since: "1.0.0",
        summary: "Returns a part of the string stored at a key; the old name of GETRANGE.",
        complexity: "O(N) for N bytes returned",
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("end"),
        ],
        deprecated: Some(Deprecated {
            since: "2.0.0",
            replaced_by: "`GETRANGE`",
        }),
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: getrange,
};

fn getrange(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = match (integer(args.at(2)), integer(args.at(3))) {
        (Ok(start), Ok(end)) => (start, end),
        (Err(error), _) | (_, Err(error)) => return refuse(exec, error),
    };
    let key = exec.data.first_key(args.at(1));
    read(exec, &key, |reply, string| {
        let mut digits = itoa::Buffer::new();
        let bytes = string
            .as_ref()
            .map_or(&[][..], |string| string.bytes(&mut digits));
        reply.bulk(part(bytes, start, end));
    });
    Outcome::Done
}

/// The bytes from `start` through `end`; negative positions count from the end, and what lies outside is cut off.
fn part(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    let len = bytes.len() as i64;
    let from_start = |at: i64| if at < 0 { (len + at).max(0) } else { at };
    // Both before the first byte and in the wrong order: nothing, where cutting off would leave the first byte.
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let (start, end) = (from_start(start), from_start(end).min(len - 1));
    if start > end {
        return &[];
    }
    &bytes[start as usize..=end as usize]
}

/// `SETRANGE key offset value`
pub(crate) static SETRANGE: Command = Command {
    spec: CommandSpec {
        name: "setrange",
        arity: 4,
        flags: F::WRITE.with(F::DENYOOM),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::UPDATE))],
        group: Group::String,
        since: "2.2.0",
        summary: "Overwrites a part of the string stored at a key from an offset on, filling a gap with zero bytes.",
        complexity: "O(M) for M bytes written, plus the copy when the value has to grow",
        args: &[
            Arg::key("key", 0),
            Arg::integer("offset"),
            Arg::string("value"),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: setrange,
};

fn setrange(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let offset = match integer(args.at(2)) {
        Ok(offset) => offset,
        Err(error) => return refuse(exec, error),
    };
    let Ok(offset) = u64::try_from(offset) else {
        return refuse(exec, "ERR offset is out of range");
    };
    let (key, value) = (exec.data.first_key(args.at(1)), args.at(3));
    let old_bytes = exec.data.get(&key).map(|value| value.string().len());
    if value.is_empty() {
        exec.reply.int(old_bytes.unwrap_or(0) as i64);
        return Outcome::Done;
    }
    let end = offset + value.len() as u64;
    if end > exec.limits.max_bulk_bytes {
        return refuse(exec, STRING_TOO_LONG);
    }
    let bytes = exec.data.bytes_mut(&key, end as usize);
    bytes[offset as usize..end as usize].copy_from_slice(value);
    let len = bytes.len();
    if old_bytes.is_none() {
        exec.data.touch(&key, Event::NEW);
    }
    exec.data.touch(&key, Event::SETRANGE);
    exec.data.as_given();
    exec.reply.int(len as i64);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check, check_effects};

    const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";

    #[test]
    fn getrange() {
        check(&[
            ("GETRANGE a 0 -1", "$0 "),
            ("SET a 'Hello World'", "+OK"),
            ("GETRANGE a 0 3", "$4 Hell"),
            ("GETRANGE a 0 -1", "$11 Hello World"),
            ("SUBSTR a -4 -1", "$4 orld"),
            ("GETRANGE a 5 3", "$0 "),
            ("GETRANGE a 5 5000", "$6  World"),
            ("GETRANGE a -5000 10000", "$11 Hello World"),
            ("GETRANGE a 0 4294967297", "$11 Hello World"),
            ("GETRANGE a -100 -90", "$1 H"),
            ("GETRANGE a -90 -100", "$0 "),
            ("GETRANGE a 0 -100", "$1 H"),
            (
                "GETRANGE a -9223372036854775808 9223372036854775807",
                "$11 Hello World",
            ),
            ("GETRANGE a x 1", NOT_INTEGER),
            ("GETRANGE a 1 x", NOT_INTEGER),
            ("SET a 1234", "+OK"),
            ("GETRANGE a -3 -1", "$3 234"),
            ("SET a ''", "+OK"),
            ("GETRANGE a 0 -1", "$0 "),
            ("GETRANGE a 0 0", "$0 "),
        ]);
    }

    #[test]
    fn setrange() {
        check(&[
            ("SETRANGE a 0 ''", ":0"),
            ("EXISTS a", ":0"),
            ("SETRANGE a 1 foo", ":4"),
            ("GET a", r"$4 \x00foo"),
            ("SET a foo", "+OK"),
            ("SETRANGE a 1 b", ":3"),
            ("GET a", "$3 fbo"),
            ("SETRANGE a 4 bar", ":7"),
            ("GET a", r"$7 fbo\x00bar"),
            ("SETRANGE a 100 ''", ":7"),
            ("SET a 1234 EX 10", "+OK"),
            ("SETRANGE a 0 ''", ":4"),
            ("OBJECT ENCODING a", "$3 int"),
            ("SETRANGE a 0 2", ":4"),
            ("GET a", "$4 2234"),
            ("OBJECT ENCODING a", "$3 raw"),
            ("TTL a", ":10"),
        ]);
        check_effects(&[
            ("SETRANGE a 1 x", "SETRANGE a 1 x"),
            ("SETRANGE a 1 ''", ""),
        ]);
    }

    #[test]
    fn setrange_refusals() {
        let mut bench = Bench::default();
        bench.limits.max_bulk_bytes = 10;
        let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        bench.check(&[
            ("SETRANGE a -1 x", "-ERR offset is out of range"),
            ("SETRANGE a x x", NOT_INTEGER),
            ("SETRANGE a 9 xy", too_long),
            ("SETRANGE a 9223372036854775807 x", too_long),
            ("EXISTS a", ":0"),
            ("SETRANGE a 8 xy", ":10"),
            ("SETRANGE a 9 xy", too_long),
        ]);
    }
}
