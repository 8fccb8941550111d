//! `GETEX`.

use super::deadline::{Deadline, From};
use super::read::{reply_string, write_string};
use super::set::TimeWord;
use crate::commands::errors::SYNTAX;
use crate::commands::expiry::{delete_now, expire_at, persist};
use crate::commands::prelude::*;

/// `GETEX key [EX seconds|PX ms|EXAT unix-s|PXAT unix-ms|PERSIST]`
///
/// Its effect is what it does to the expiry: `PEXPIREAT`, `PERSIST`, or `DEL` for a time in the past.
pub(crate) static GETEX: Command = Command {
    spec: CommandSpec {
        name: "getex",
        arity: -2,
        flags: F::WRITE.with(F::FAST),
        keys: &[KeySpec::at(1)
            .flags(K::RW.with(K::ACCESS).with(K::UPDATE))
            .notes("Writes because the time to live can change")],
        group: Group::String,
        since: "6.2.0",
        summary: "Returns the string stored at a key and can set or remove the key's time to live.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX"),
                    Arg::integer("milliseconds").token("PX"),
                    Arg::unix_time("unix-time-seconds").token("EXAT"),
                    Arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    Arg::word("persist", "PERSIST"),
                ],
            )
            .optional(),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: getex,
};

fn getex(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let Some(life) = parse(args.tail(2)) else {
        return refuse(exec, SYNTAX);
    };
    let key = exec.data.first_key(args.at(1));
    let (Some(life), true) = (life, exec.data.contains(&key)) else {
        reply_string(exec, &key);
        return Outcome::Done;
    };
    // A bad time is an error only for a key that exists.
    let at_ms = match life {
        Life::Persist => None,
        Life::Until(deadline) => match deadline.at_ms(exec.data.now_ms) {
            Ok(at_ms) => Some((at_ms, deadline.from)),
            Err(bad) => return refuse(exec, &bad.text("getex")),
        },
    };
    if let Some(value) = exec.data.get(&key) {
        write_string(&mut exec.reply, value.string());
    }
    match at_ms {
        None => {
            persist(&mut exec.data, &key);
        }
        Some((at_ms, From::Epoch)) if at_ms <= exec.data.now_ms => delete_now(&mut exec.data, &key),
        Some((at_ms, _)) => expire_at(&mut exec.data, &key, at_ms),
    }
    Outcome::Done
}

#[derive(Debug, Clone, Copy)]
enum Life<'a> {
    Persist,
    Until(Deadline<'a>),
}

/// No option, or one, which may be repeated. The outer `None` is a syntax error.
fn parse(args: Args<'_>) -> Option<Option<Life<'_>>> {
    let mut life = None;
    let mut first_word: Option<&[u8]> = None;
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        if first_word.is_some_and(|first| !first.eq_ignore_ascii_case(word)) {
            return None;
        }
        first_word = Some(word);
        life = Some(if word.eq_ignore_ascii_case(b"PERSIST") {
            Life::Persist
        } else {
            Life::Until(TimeWord::parse(word)?.deadline(rest.next()?))
        });
    }
    Some(life)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn getex() {
        check(&[
            ("SET a x", "+OK"),
            ("GETEX a", "$1 x"),
            ("PTTL a", ":-1"),
            ("GETEX a EX 10", "$1 x"),
            ("PTTL a", ":10000"),
            ("GETEX a px 10", "$1 x"),
            ("PTTL a", ":10"),
            ("GETEX a", "$1 x"),
            ("PTTL a", ":10"),
            ("GETEX a PERSIST PERSIST", "$1 x"),
            ("PTTL a", ":-1"),
            ("GETEX a EXAT 1700000010", "$1 x"),
            ("PTTL a", ":10000"),
            ("GETEX a PXAT 1", "$1 x"),
            ("EXISTS a", ":0"),
        ]);
    }

    #[test]
    fn refusals() {
        check(&[
            ("GETEX a EX 0", "nil"),
            ("GETEX a NX", "-ERR syntax error"),
            ("SET a x", "+OK"),
            ("GETEX a EX", "-ERR syntax error"),
            ("GETEX a KEEPTTL", "-ERR syntax error"),
            ("GETEX a EX 10 PERSIST", "-ERR syntax error"),
            ("GETEX a PERSIST EX 10", "-ERR syntax error"),
            ("GETEX a EX 10 PX 10", "-ERR syntax error"),
            (
                "GETEX a EX 0",
                "-ERR invalid expire time in 'getex' command",
            ),
            (
                "GETEX a EX x",
                "-ERR value is not an integer or out of range",
            ),
            (
                "GETEX a EX 10000000000000000",
                "-ERR invalid expire time in 'getex' command",
            ),
            ("GETEX a EX 10 EX 20", "$1 x"),
            ("TTL a", ":20"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a x", "SET a x"),
            ("GETEX a", ""),
            ("GETEX a PERSIST", ""),
            ("GETEX a EX 10", "PEXPIREAT a 1700000010000"),
            ("GETEX a PERSIST", "PERSIST a"),
            ("GETEX a EXAT 1", "DEL a"),
        ]);
    }
}
