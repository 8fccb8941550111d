//! `EXPIRE`, `PEXPIRE`, `EXPIREAT`, `PEXPIREAT`.

use crate::commands::errors::integer;
use crate::commands::expiry::{delete_now, expire_at};
use crate::commands::prelude::*;

/// `EXPIRE key seconds [NX|XX|GT|LT]`. Its effect is a `PEXPIREAT`, or a `DEL` for a time in the past.
pub(crate) static EXPIRE: Command = Command {
    spec: CommandSpec {
        name: "expire",
        arity: -3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RW.with(K::UPDATE))],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Sets how many seconds a key has left to live.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::integer("seconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ],
            )
            .since("7.0.0")
            .optional(),
        ],
        history: &[("7.0.0", "`NX`, `XX`, `GT` and `LT` are accepted.")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: expire,
};

fn expire(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    set_expiry(
        exec,
        args,
        Clock {
            factor: 1000,
            base_ms: exec.data.now_ms as i64,
            name: "expire",
        },
    )
}

/// `PEXPIRE key milliseconds [NX|XX|GT|LT]`. Its effect is as that of `EXPIRE`.
pub(crate) static PEXPIRE: Command = Command {
    spec: CommandSpec {
        name: "pexpire",
        arity: -3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RW.with(K::UPDATE))],
        group: Group::Generic,
        since: "2.6.0",
        summary: "Sets how many milliseconds a key has left to live.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::integer("milliseconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ],
            )
            .since("7.0.0")
            .optional(),
        ],
        history: &[("7.0.0", "`NX`, `XX`, `GT` and `LT` are accepted.")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: pexpire,
};

fn pexpire(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    set_expiry(
        exec,
        args,
        Clock {
            factor: 1,
            base_ms: exec.data.now_ms as i64,
            name: "pexpire",
        },
    )
}

/// `EXPIREAT key unix-time-seconds [NX|XX|GT|LT]`. Its effect is as that of `EXPIRE`.
pub(crate) static EXPIREAT: Command = Command {
    spec: CommandSpec {
        name: "expireat",
        arity: -3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RW.with(K::UPDATE))],
        group: Group::Generic,
        since: "1.2.0",
        summary: "Sets the moment at which a key expires, as Unix time in seconds.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-seconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ],
            )
            .since("7.0.0")
            .optional(),
        ],
        history: &[("7.0.0", "`NX`, `XX`, `GT` and `LT` are accepted.")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: expireat,
};

fn expireat(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    set_expiry(
        exec,
        args,
        Clock {
            factor: 1000,
            base_ms: 0,
            name: "expireat",
        },
    )
}

/// `PEXPIREAT key unix-time-milliseconds [NX|XX|GT|LT]`. Its effect is as that of `EXPIRE`.
pub(crate) static PEXPIREAT: Command = Command {
    spec: CommandSpec {
        name: "pexpireat",
        arity: -3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RW.with(K::UPDATE))],
        group: Group::Generic,
        since: "2.6.0",
        summary: "Sets the moment at which a key expires, as Unix time in milliseconds.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-milliseconds"),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::word("gt", "GT"),
                    Arg::word("lt", "LT"),
                ],
            )
            .since("7.0.0")
            .optional(),
        ],
        history: &[("7.0.0", "`NX`, `XX`, `GT` and `LT` are accepted.")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: pexpireat,
};

fn pexpireat(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    set_expiry(
        exec,
        args,
        Clock {
            factor: 1,
            base_ms: 0,
            name: "pexpireat",
        },
    )
}

/// How a command counts time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// Milliseconds in its unit.
    factor: i64,
    /// Unix time in ms where its counting begins.
    base_ms: i64,
    name: &'static str,
}

fn set_expiry(exec: &mut Exec<'_>, args: Args<'_>, clock: Clock) -> Outcome {
    let conditions = match Conditions::parse(args.tail(3)) {
        Ok(conditions) => conditions,
        Err(error) => {
            exec.reply.error_bytes(&error);
            return Outcome::Done;
        }
    };
    let at_ms = match integer(args.at(2)) {
        Ok(amount) => amount.checked_mul(clock.factor),
        Err(error) => return refuse(exec, error),
    };
    let Some(at_ms) = at_ms.and_then(|ms| ms.checked_add(clock.base_ms)) else {
        return refuse(
            exec,
            &format!("ERR invalid expire time in '{}' command", clock.name),
        );
    };
    let key = exec.data.first_key(args.at(1));
    let old = exec.data.get(&key).map(|value| value.expire_at_ms());
    let met = old.is_some_and(|old_ms| conditions.met(old_ms, at_ms));
    if met {
        match u64::try_from(at_ms) {
            Ok(at_ms) if at_ms > exec.data.now_ms => expire_at(&mut exec.data, &key, at_ms),
            _ => delete_now(&mut exec.data, &key),
        }
    }
    exec.reply.int(met.into());
    Outcome::Done
}

/// Under which conditions the expiry is set: all that are given.
#[derive(Debug, Clone, Copy, Default)]
struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Conditions {
    fn parse(args: Args<'_>) -> Result<Self, Vec<u8>> {
        let mut conditions = Self::default();
        for word in args {
            let condition = match word {
                w if w.eq_ignore_ascii_case(b"NX") => &mut conditions.nx,
                w if w.eq_ignore_ascii_case(b"XX") => &mut conditions.xx,
                w if w.eq_ignore_ascii_case(b"GT") => &mut conditions.gt,
                w if w.eq_ignore_ascii_case(b"LT") => &mut conditions.lt,
                other => return Err([b"ERR Unsupported option ", other].concat()),
            };
            *condition = true;
        }
        let Self { nx, xx, gt, lt } = conditions;
        if nx && (xx || gt || lt) {
            return Err(
                b"ERR NX and XX, GT or LT options at the same time are not compatible".to_vec(),
            );
        }
        if gt && lt {
            return Err(b"ERR GT and LT options at the same time are not compatible".to_vec());
        }
        Ok(conditions)
    }

    /// Whether a key that expires at `old_ms` may expire at `at_ms`. No expiry counts as one at the end of time.
    fn met(self, old_ms: Option<u64>, at_ms: i64) -> bool {
        let old_ms = old_ms.map(|ms| ms as i64);
        let fails = self.nx && old_ms.is_some()
            || self.xx && old_ms.is_none()
            || self.gt && old_ms.is_none_or(|old| at_ms <= old)
            || self.lt && old_ms.is_some_and(|old| at_ms >= old);
        !fails
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn sets_the_expiry() {
        check(&[
            ("EXPIRE a 10", ":0"),
            ("SET a 1", "+OK"),
            ("EXPIRE a 10", ":1"),
            ("PTTL a", ":10000"),
            ("PEXPIRE a 10", ":1"),
            ("PTTL a", ":10"),
            ("EXPIREAT a 1700000020", ":1"),
            ("PTTL a", ":20000"),
            ("PEXPIREAT a 1700000000020", ":1"),
            ("PTTL a", ":20"),
            (
                "PEXPIRE a 9223372036854770000",
                "-ERR invalid expire time in 'pexpire' command",
            ),
            ("PEXPIREAT a 9223372036854770000", ":1"),
            ("ADVANCE 1000", ""),
            ("EXISTS a", ":1"),
        ]);
    }

    #[test]
    fn a_time_in_the_past_deletes() {
        for command in [
            "EXPIRE a 0",
            "EXPIRE a -10",
            "PEXPIREAT a 1700000000000",
            "PEXPIREAT a -9223372036854770000",
        ] {
            check(&[
                ("SET a 1", "+OK"),
                (command, ":1"),
                ("EXISTS a", ":0"),
                (command, ":0"),
            ]);
            check_effects(&[("SET a 1", "SET a 1"), (command, "DEL a"), (command, "")]);
        }
    }

    #[test]
    fn conditions() {
        check(&[
            ("SET a 1", "+OK"),
            ("EXPIRE a 100 XX", ":0"),
            ("EXPIRE a 100 GT", ":0"),
            ("EXPIRE a 100 LT XX", ":0"),
            ("EXPIRE a 100 nx", ":1"),
            ("EXPIRE a 200 NX", ":0"),
            ("EXPIRE a 100 GT", ":0"),
            ("EXPIRE a 100 LT", ":0"),
            ("EXPIRE a 200 LT", ":0"),
            ("EXPIRE a 99 LT XX", ":1"),
            ("EXPIRE a 98 GT", ":0"),
            ("EXPIRE a 300 gt xx", ":1"),
            ("TTL a", ":300"),
            ("EXPIRE a -10 LT", ":1"),
            ("TTL a", ":-2"),
            ("SET a 1", "+OK"),
            ("EXPIRE a 100 LT", ":1"),
            ("SET a 1", "+OK"),
            ("EXPIRE a -10 LT", ":1"),
            ("TTL a", ":-2"),
        ]);
    }

    #[test]
    fn refusals() {
        let incompatible = "-ERR NX and XX, GT or LT options at the same time are not compatible";
        let overflow = "-ERR invalid expire time in 'expire' command";
        check(&[
            ("SET a 1", "+OK"),
            (
                "EXPIRE a 200 LT GT",
                "-ERR GT and LT options at the same time are not compatible",
            ),
            ("EXPIRE a 200 NX GT", incompatible),
            ("EXPIRE a 200 NX LT", incompatible),
            ("EXPIRE a 200 NX XX", incompatible),
            ("EXPIRE a 200 AB", "-ERR Unsupported option AB"),
            ("EXPIRE a x XX AB", "-ERR Unsupported option AB"),
            (
                "EXPIRE a ''",
                "-ERR value is not an integer or out of range",
            ),
            (
                "EXPIRE none x",
                "-ERR value is not an integer or out of range",
            ),
            ("EXPIRE a 9223370399119966", overflow),
            ("EXPIRE a 9223372036854776", overflow),
            ("EXPIRE a -9223372036854776", overflow),
            ("EXPIRE a 18446744073709561", overflow),
            (
                "EXPIREAT a 9223372036854776",
                "-ERR invalid expire time in 'expireat' command",
            ),
            ("TTL a", ":-1"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a 1", "SET a 1"),
            ("EXPIRE a 10", "PEXPIREAT a 1700000010000"),
            ("EXPIREAT a 1700000020 XX", "PEXPIREAT a 1700000020000"),
            ("EXPIRE a 10 NX", ""),
        ]);
    }
}
