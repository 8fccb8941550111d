//! `APPEND`.

use crate::commands::errors::STRING_TOO_LONG;
use crate::commands::prelude::*;

/// `APPEND key value`
pub(crate) static APPEND: Command = Command {
    spec: CommandSpec {
        name: "append",
        arity: 3,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::INSERT))],
        group: Group::String,
        since: "2.0.0",
        summary: "Adds bytes to the end of the string stored at a key and creates the key if it is missing.",
        complexity: "O(1) amortised for short additions: a value has spare room to grow into",
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: append,
};

fn append(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let (key, tail) = (exec.data.first_key(args.at(1)), args.at(2));
    let old_bytes = exec.data.get(&key).map(|value| value.string().len());
    let bytes = match old_bytes {
        None => {
            // As with SET, a number is kept as one.
            exec.data.set(&key, tail, Expire::Clear);
            exec.data.touch(&key, Event::NEW);
            tail.len()
        }
        Some(old) if (old + tail.len()) as u64 > exec.limits.max_bulk_bytes => {
            return refuse(exec, STRING_TOO_LONG);
        }
        Some(_) => exec.data.append(&key, tail),
    };
    exec.data.touch(&key, Event::APPEND);
    exec.data.as_given();
    exec.reply.int(bytes as i64);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check, check_effects};

    #[test]
    fn append() {
        check(&[
            ("APPEND a foo", ":3"),
            ("APPEND a bar", ":6"),
            ("GET a", "$6 foobar"),
            ("EXPIRE a 10", ":1"),
            ("APPEND a ''", ":6"),
            ("TTL a", ":10"),
            ("APPEND n 12", ":2"),
            ("OBJECT ENCODING n", "$3 int"),
            ("APPEND n 3", ":3"),
            ("GET n", "$3 123"),
            ("OBJECT ENCODING n", "$3 raw"),
        ]);
        check_effects(&[("APPEND a x", "APPEND a x")]);
    }

    #[test]
    fn a_string_has_a_longest_length() {
        let mut bench = Bench::default();
        bench.limits.max_bulk_bytes = 5;
        bench.check(&[
            ("APPEND a 1234", ":4"),
            (
                "APPEND a 56",
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            ),
            ("APPEND a 5", ":5"),
            ("GET a", "$5 12345"),
        ]);
    }
}
