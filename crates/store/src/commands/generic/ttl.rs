//! `TTL`, `PTTL`, `EXPIRETIME`, `PEXPIRETIME`: when a key expires.

use crate::commands::prelude::*;

/// `TTL key`
pub(crate) static TTL: Command = Command {
    spec: CommandSpec {
        name: "ttl",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Returns the time that a key has left to live, in seconds.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        history: &[("2.8.0", "A missing key is told apart by -2.")],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: ttl,
};

fn ttl(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    answer(exec, args, |at_ms, now_ms| {
        in_seconds(at_ms.saturating_sub(now_ms))
    })
}

/// `PTTL key`
pub(crate) static PTTL: Command = Command {
    spec: CommandSpec {
        name: "pttl",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::Generic,
        since: "2.6.0",
        summary: "Returns the time that a key has left to live, in milliseconds.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        history: &[("2.8.0", "A missing key is told apart by -2.")],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: pttl,
};

fn pttl(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    answer(exec, args, |at_ms, now_ms| at_ms.saturating_sub(now_ms))
}

/// `EXPIRETIME key`
pub(crate) static EXPIRETIME: Command = Command {
    spec: CommandSpec {
        name: "expiretime",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::Generic,
        since: "7.0.0",
        summary: "Returns the moment at which a key expires, as Unix time in seconds.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: expiretime,
};

fn expiretime(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    answer(exec, args, |at_ms, _| in_seconds(at_ms))
}

/// `PEXPIRETIME key`
pub(crate) static PEXPIRETIME: Command = Command {
    spec: CommandSpec {
        name: "pexpiretime",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RO.with(K::ACCESS))],
        group: Group::Generic,
        since: "7.0.0",
        summary: "Returns the moment at which a key expires, as Unix time in milliseconds.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: pexpiretime,
};

fn pexpiretime(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    answer(exec, args, |at_ms, _| at_ms)
}

/// To the nearest second.
fn in_seconds(ms: u64) -> u64 {
    (ms + 500) / 1000
}

/// -2 without a key, -1 without an expiry, otherwise what `shown` makes of the expiry and the time now, in ms.
fn answer(exec: &mut Exec<'_>, args: Args<'_>, shown: fn(u64, u64) -> u64) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    let now_ms = exec.data.now_ms;
    match exec.data.peek(&key) {
        Some(value) => {
            let shown = value
                .expire_at_ms()
                .map(|at_ms| shown(at_ms, now_ms) as i64);
            exec.reply.int(shown.unwrap_or(-1));
        }
        None => {
            exec.data.touch(&key, Event::KEYMISS);
            exec.reply.int(-2);
        }
    }
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn times() {
        check(&[
            ("TTL a", ":-2"),
            ("PTTL a", ":-2"),
            ("EXPIRETIME a", ":-2"),
            ("PEXPIRETIME a", ":-2"),
            ("SET a 1", "+OK"),
            ("TTL a", ":-1"),
            ("PTTL a", ":-1"),
            ("EXPIRETIME a", ":-1"),
            ("PEXPIRETIME a", ":-1"),
            ("PEXPIRE a 1499", ":1"),
            ("TTL a", ":1"),
            ("PTTL a", ":1499"),
            ("PEXPIRE a 1500", ":1"),
            ("TTL a", ":2"),
            ("EXPIRETIME a", ":1700000002"),
            ("PEXPIRETIME a", ":1700000001500"),
            ("PEXPIREAT a 9223372036854775807", ":1"),
            ("PEXPIRETIME a", ":9223372036854775807"),
            ("EXPIRETIME a", ":9223372036854776"),
        ]);
    }
}
