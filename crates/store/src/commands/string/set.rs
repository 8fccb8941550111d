//! `SET`.

use super::deadline::{Deadline, From, Unit};
use super::read::reply_string;
use crate::commands::errors::SYNTAX;
use crate::commands::prelude::*;
use crate::exec::Data;
use crate::keyspace::Key;

/// `SET key value [NX|XX] [GET] [EX seconds|PX ms|EXAT unix-s|PXAT unix-ms|KEEPTTL]`
///
/// Its effect is itself, but times become `PXAT`.
pub(crate) static SET: Command = Command {
    spec: CommandSpec {
        name: "set",
        arity: -3,
        flags: F::WRITE.with(F::DENYOOM),
        keys: &[KeySpec::at(1)
            .flags(
                K::RW
                    .with(K::ACCESS)
                    .with(K::UPDATE)
                    .with(K::VARIABLE_FLAGS),
            )
            .notes("Reads only with `GET`")],
        group: Group::String,
        since: "1.0.0",
        summary: "Stores a string at a key, whatever was there before, with an optional condition and time to live.",
        complexity: "O(1)",
        args: &[
            Arg::key("key", 0),
            Arg::string("value"),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .since("2.6.12")
                .optional(),
            Arg::word("get", "GET").since("6.2.0").optional(),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX").since("2.6.12"),
                    Arg::integer("milliseconds").token("PX").since("2.6.12"),
                    Arg::unix_time("unix-time-seconds")
                        .token("EXAT")
                        .since("6.2.0"),
                    Arg::unix_time("unix-time-milliseconds")
                        .token("PXAT")
                        .since("6.2.0"),
                    Arg::word("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ],
        history: &[
            ("2.6.12", "`EX`, `PX`, `NX` and `XX` are accepted."),
            ("6.0.0", "`KEEPTTL` is accepted."),
            ("6.2.0", "`GET`, `EXAT` and `PXAT` are accepted."),
            ("7.0.0", "`NX` and `GET` may stand together."),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: set,
};

fn set(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    if args.len() > 3 {
        return set_with_options(exec, &key, args);
    }
    store(&mut exec.data, &key, args.at(2), Expire::Clear);
    exec.data.as_given();
    exec.reply.ok();
    Outcome::Done
}

fn set_with_options(exec: &mut Exec<'_>, key: &Key<'_>, args: Args<'_>) -> Outcome {
    let Some(options) = Options::parse(args.tail(3)) else {
        return refuse(exec, SYNTAX);
    };
    let expire = match options.life {
        Life::Unset => Expire::Clear,
        Life::Keep => Expire::Keep,
        Life::Until(_, deadline) => match deadline.at_ms(exec.data.now_ms) {
            Ok(at_ms) => Expire::At(at_ms),
            Err(bad) => return refuse(exec, &bad.text("set")),
        },
    };
    if options.get {
        reply_string(exec, key);
    }
    // Also for KEEPTTL: a key that has expired must be gone, in the effects too, before its expiry could be kept.
    let found = exec.data.contains(key);
    let wanted = match options.only_if {
        Some(OnlyIf::Missing) => !found,
        Some(OnlyIf::Exists) => found,
        None => true,
    };
    if wanted {
        store(&mut exec.data, key, args.at(2), expire);
        report(&mut exec.data, key, args.at(2), expire);
    }
    match (options.get, wanted) {
        (true, _) => {}
        (false, true) => exec.reply.ok(),
        (false, false) => exec.reply.null(),
    }
    Outcome::Done
}

/// Sets a key and tells watchers.
pub(in crate::commands) fn store(data: &mut Data<'_>, key: &Key<'_>, value: &[u8], expire: Expire) {
    if !data.set(key, value, expire) {
        data.touch(key, Event::NEW);
    }
    data.touch(key, Event::SET);
    if let Expire::At(_) = expire {
        data.touch(key, Event::EXPIRE);
    }
}

/// Reports a `SET` with an absolute time, or without one.
pub(in crate::commands) fn report(
    data: &mut Data<'_>,
    key: &Key<'_>,
    value: &[u8],
    expire: Expire,
) {
    let set = &b"SET"[..];
    match expire {
        Expire::Clear => data.rewrite([set, key.name(), value]),
        Expire::Keep => data.rewrite([set, key.name(), value, b"KEEPTTL"]),
        Expire::At(at_ms) => {
            let mut digits = itoa::Buffer::new();
            data.rewrite([
                set,
                key.name(),
                value,
                b"PXAT",
                digits.format(at_ms).as_bytes(),
            ]);
        }
    }
}

/// The options behind key and value.
#[derive(Debug, Clone, Copy)]
struct Options<'a> {
    only_if: Option<OnlyIf>,
    get: bool,
    life: Life<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnlyIf {
    Missing,
    Exists,
}

#[derive(Debug, Clone, Copy)]
enum Life<'a> {
    Unset,
    Keep,
    Until(TimeWord, Deadline<'a>),
}

impl<'a> Options<'a> {
    /// An option may be repeated (the last one counts), but not beside one that contradicts it.
    fn parse(args: Args<'a>) -> Option<Self> {
        let mut options = Self {
            only_if: None,
            get: false,
            life: Life::Unset,
        };
        let mut rest = args.iter();
        while let Some(word) = rest.next() {
            if word.eq_ignore_ascii_case(b"NX") && options.only_if != Some(OnlyIf::Exists) {
                options.only_if = Some(OnlyIf::Missing);
            } else if word.eq_ignore_ascii_case(b"XX") && options.only_if != Some(OnlyIf::Missing) {
                options.only_if = Some(OnlyIf::Exists);
            } else if word.eq_ignore_ascii_case(b"GET") {
                options.get = true;
            } else if word.eq_ignore_ascii_case(b"KEEPTTL")
                && !matches!(options.life, Life::Until(..))
            {
                options.life = Life::Keep;
            } else {
                let time = TimeWord::parse(word)?;
                match options.life {
                    Life::Unset => {}
                    Life::Until(before, _) if before == time => {}
                    _ => return None,
                }
                options.life = Life::Until(time, time.deadline(rest.next()?));
            }
        }
        Some(options)
    }
}

/// The words that begin a time to live; `GETEX` has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeWord {
    Ex,
    Px,
    ExAt,
    PxAt,
}

impl TimeWord {
    pub(super) fn parse(word: &[u8]) -> Option<Self> {
        let words = [
            (&b"EX"[..], TimeWord::Ex),
            (b"PX", TimeWord::Px),
            (b"EXAT", TimeWord::ExAt),
            (b"PXAT", TimeWord::PxAt),
        ];
        words
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))
            .map(|(_, time)| *time)
    }

    pub(super) fn deadline(self, amount: &[u8]) -> Deadline<'_> {
        let (unit, from) = match self {
            TimeWord::Ex => (Unit::Seconds, From::Now),
            TimeWord::Px => (Unit::Milliseconds, From::Now),
            TimeWord::ExAt => (Unit::Seconds, From::Epoch),
            TimeWord::PxAt => (Unit::Milliseconds, From::Epoch),
        };
        Deadline { amount, unit, from }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    const SYNTAX: &str = "-ERR syntax error";
    const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
    const BAD_TIME: &str = "-ERR invalid expire time in 'set' command";

    #[test]
    fn conditions() {
        check(&[
            ("SET a 1 XX", "nil"),
            ("SET a 1 nx", "+OK"),
            ("SET a 2 NX", "nil"),
            ("SET a 3 xx XX", "+OK"),
            ("GET a", "$1 3"),
            ("SET a 4 NX XX", SYNTAX),
            ("SET a 4 XX NX", SYNTAX),
            ("SET a 4 NY", SYNTAX),
            ("SET a", "-ERR wrong number of arguments for 'set' command"),
        ]);
    }

    #[test]
    fn get_returns_what_was_there() {
        check(&[
            ("SET a 1 GET", "nil"),
            ("SET a b GET GET", "$1 1"),
            ("SET a c NX GET", "$1 b"),
            ("SET a d GET XX", "$1 b"),
            ("GET a", "$1 d"),
            ("SET n x GET XX", "nil"),
            ("EXISTS n", ":0"),
            ("SET n x NX GET", "nil"),
            ("GET n", "$1 x"),
        ]);
    }

    #[test]
    fn times() {
        check(&[
            ("SET a 1 EX 10", "+OK"),
            ("PTTL a", ":10000"),
            ("SET a 1 PX 10", "+OK"),
            ("PTTL a", ":10"),
            ("SET a 1 EXAT 1700000020", "+OK"),
            ("PTTL a", ":20000"),
            ("SET a 1 pxat 1700000000020", "+OK"),
            ("PTTL a", ":20"),
            ("SET a 2 KEEPTTL", "+OK"),
            ("PTTL a", ":20"),
            ("SET a 3", "+OK"),
            ("PTTL a", ":-1"),
            ("SET a 1 EX 10 EX 20", "+OK"),
            ("PTTL a", ":20000"),
            ("SET a 1 EXAT 1", "+OK"),
            ("GET a", "nil"),
        ]);
        check(&[
            ("SET a 1 EX", SYNTAX),
            ("SET a 1 EX 10 PX 10", SYNTAX),
            ("SET a 1 KEEPTTL EX 10", SYNTAX),
            ("SET a 1 EX 10 KEEPTTL", SYNTAX),
            ("SET a 1 PERSIST", SYNTAX),
            ("SET a 1 EX ten", NOT_INTEGER),
            ("SET a 1 EX 1.5", NOT_INTEGER),
            ("SET a 1 EX 0", BAD_TIME),
            ("SET a 1 PXAT -1", BAD_TIME),
            ("SET a 1 EX 10000000000000000", BAD_TIME),
            ("SET a 1 EX -9999999999999999", BAD_TIME),
            ("SET a 1 PX 9223372036854775807", BAD_TIME),
            ("EXISTS a", ":0"),
        ]);
    }

    #[test]
    fn keepttl_does_not_revive_an_expiry() {
        check(&[
            ("SET a 1 PX 10", "+OK"),
            ("ADVANCE 20", ""),
            ("SET a 2 KEEPTTL", "+OK"),
            ("PTTL a", ":-1"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a 1", "SET a 1"),
            ("SET a 1 XX GET", "SET a 1"),
            ("SET a 1 NX", ""),
            ("SET a 1 EX 10", "SET a 1 PXAT 1700000010000"),
            ("SET a 2 KEEPTTL", "SET a 2 KEEPTTL"),
            ("SET a 1 EXAT 1", "SET a 1 PXAT 1000"),
            ("SET a 1 KEEPTTL", "DEL a; SET a 1 KEEPTTL"),
            ("SET a 1 EX -1", ""),
        ]);
    }
}
