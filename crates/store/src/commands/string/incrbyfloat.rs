//! `INCRBYFLOAT`.

use corelane_wire::number::LongDouble;

use crate::commands::errors::NOT_FLOAT;
use crate::commands::prelude::*;

/// `INCRBYFLOAT key increment`
///
/// Its effect is the `SET` of the sum, so that it is rounded once and for all.
pub(crate) static INCRBYFLOAT: Command = Command {
    spec: CommandSpec {
        name: "incrbyfloat",
        arity: 3,
        flags: F::WRITE.with(F::DENYOOM).with(F::FAST),
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::String,
        since: "2.6.0",
        summary: "Adds a number to the floating point number stored at a key; a missing key counts as 0.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::double("increment")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: incrbyfloat,
};

fn incrbyfloat(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    let old = exec.data.get(&key).map_or(Some(LongDouble::ZERO), |value| {
        LongDouble::parse(value.string().bytes(&mut itoa::Buffer::new()))
    });
    let (Some(old), Some(by)) = (old, LongDouble::parse(args.at(2))) else {
        return refuse(exec, NOT_FLOAT);
    };
    let sum = old + by;
    if !sum.is_finite() {
        return refuse(exec, "ERR increment would produce NaN or Infinity");
    }
    let sum = sum.format();
    if !exec.data.set(&key, sum.as_bytes(), Expire::Keep) {
        exec.data.touch(&key, Event::NEW);
    }
    exec.data.touch(&key, Event::INCRBYFLOAT);
    exec.data
        .rewrite([&b"SET"[..], key.name(), sum.as_bytes(), b"KEEPTTL"]);
    exec.reply.bulk(sum.as_bytes());
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    const NOT_FLOAT: &str = "-ERR value is not a valid float";
    const NOT_FINITE: &str = "-ERR increment would produce NaN or Infinity";

    #[test]
    fn adds() {
        check(&[
            ("INCRBYFLOAT a 1", "$1 1"),
            ("INCRBYFLOAT a 0.25", "$4 1.25"),
            ("GET a", "$4 1.25"),
            ("SET a 17179869184", "+OK"),
            ("INCRBYFLOAT a 1.5", "$13 17179869185.5"),
            ("SET a 1", "+OK"),
            ("INCRBYFLOAT a -1.1", "$4 -0.1"),
            ("SET a 0.1", "+OK"),
            ("INCRBYFLOAT a 0.2", "$3 0.3"),
            ("SET a 3.0", "+OK"),
            ("INCRBYFLOAT a 0", "$1 3"),
            ("SET a 5e3", "+OK"),
            ("INCRBYFLOAT a 2.0e2", "$4 5200"),
            ("SET a 10", "+OK"),
            ("EXPIRE a 10", ":1"),
            ("INCRBYFLOAT a 1", "$2 11"),
            ("TTL a", ":10"),
            ("DEL a", ":1"),
            (
                "INCRBYFLOAT a 0.024390243902439025",
                "$19 0.02439024390243902",
            ),
            ("INCRBYFLOAT a -0.024390243902439025", "$1 0"),
        ]);
    }

    #[test]
    fn refusals() {
        check(&[
            ("SET a ' 11'", "+OK"),
            ("INCRBYFLOAT a 1", NOT_FLOAT),
            ("SET a 11", "+OK"),
            ("INCRBYFLOAT a x", NOT_FLOAT),
            ("INCRBYFLOAT a nan", NOT_FLOAT),
            ("INCRBYFLOAT a '1 '", NOT_FLOAT),
            ("INCRBYFLOAT a +inf", NOT_FINITE),
            ("INCRBYFLOAT a -inf", NOT_FINITE),
            ("GET a", "$2 11"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a 1.5 PX 10", "SET a 1.5 PXAT 1700000000010"),
            ("INCRBYFLOAT a 1.5", "SET a 3 KEEPTTL"),
            ("INCRBYFLOAT a x", ""),
        ]);
    }
}
