//! `SCAN`.

use corelane_wire::glob;

use super::walk::Names;
use crate::commands::errors::{SYNTAX, integer};
use crate::commands::prelude::*;
use crate::exec::Continuation;
use crate::keyspace::{SLOTS_PER_PARTITION, Value, slot_of_cursor};

/// Keys that are visited before others get their turn; some tens of microseconds.
const SLICE_KEYS: usize = 512;

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
///
/// The cursor carries the slot in which the walk stands; the owner of that slot answers, and gives back a cursor in
/// a partition of another shard when it has no more keys itself.
pub(crate) static SCAN: Command = Command {
    spec: CommandSpec {
        name: "scan",
        arity: -2,
        flags: F::READONLY.with(F::TOUCHES_ARBITRARY_KEYS),
        categories: C::KEYSPACE,
        group: Group::Generic,
        since: "2.8.0",
        summary: "Walks over the keys of the database, a few with each call.",
        complexity: "O(1) for each call, O(N) for a whole walk over N keys",
        args: &[
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
            Arg::string("type").token("TYPE").since("6.0.0").optional(),
        ],
        history: &[("6.0.0", "`TYPE` is accepted.")],
        tips: &["nondeterministic_output", "request_policy:special"],
        ..CommandSpec::BASE
    },
    split: Split::Cursor,
    run: scan,
};

fn scan(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let Some(cursor) = parse_cursor(args.at(1)) else {
        return refuse(exec, "ERR invalid cursor");
    };
    let options = match Options::parse(args.tail(2)) {
        Ok(options) => options,
        Err(error) => return refuse(exec, error),
    };
    let progress = Progress {
        cursor,
        left: options.count,
        names: Names::default(),
    };
    go_on(exec, args, progress)
}

/// What a call has found so far.
struct Progress {
    cursor: u64,
    /// Keys that are still to be visited.
    left: usize,
    names: Names,
}

fn go_on(exec: &mut Exec<'_>, args: Args<'_>, mut progress: Progress) -> Outcome {
    // They were understood when the call began.
    let Ok(options) = Options::parse(args.tail(2)) else {
        return refuse(exec, SYNTAX);
    };
    let slice = progress.left.min(SLICE_KEYS);
    let reply = &mut exec.reply;
    progress.cursor = exec.data.scan(progress.cursor, slice, |value| {
        if options.wants(value) {
            progress.names.push(value.name(), reply);
        }
    });
    progress.left -= slice;
    let partition = slot_of_cursor(progress.cursor) as usize / SLOTS_PER_PARTITION;
    let here = progress.cursor != 0 && exec.data.space.holds(partition);
    if here && progress.left > 0 && !exec.reply.is_cut() {
        return Outcome::More(Continuation::new(move |exec, args| {
            go_on(exec, args, progress)
        }));
    }
    exec.reply.array(2);
    exec.reply
        .bulk(itoa::Buffer::new().format(progress.cursor).as_bytes());
    progress.names.write(exec)
}

/// What C's `strtoul` makes of a cursor that it takes as a whole: a sign is taken too, and wraps around.
pub fn parse_cursor(arg: &[u8]) -> Option<u64> {
    let (negative, digits) = match arg {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut cursor = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        cursor = cursor.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some(if negative {
        cursor.wrapping_neg()
    } else {
        cursor
    })
}

#[derive(Debug, Clone, Copy)]
struct Options<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Self, &'static str> {
        let mut options = Self {
            count: 10,
            pattern: None,
            type_name: None,
        };
        let mut rest = args.iter();
        while let Some(word) = rest.next() {
            let value = rest.next().ok_or(SYNTAX)?;
            if word.eq_ignore_ascii_case(b"COUNT") {
                let count = usize::try_from(integer(value)?)
                    .ok()
                    .filter(|count| *count > 0);
                options.count = count.ok_or(SYNTAX)?;
            } else if word.eq_ignore_ascii_case(b"MATCH") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if word.eq_ignore_ascii_case(b"TYPE") {
                options.type_name = Some(value);
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    fn wants(&self, value: Value<'_>) -> bool {
        let has_type = |name: &[u8]| name.eq_ignore_ascii_case(value.type_name().as_bytes());
        self.pattern
            .is_none_or(|pattern| glob::matches(pattern, value.name(), false))
            && self.type_name.is_none_or(has_type)
    }
}

#[cfg(test)]
mod tests {
    use super::{SLOTS_PER_PARTITION, parse_cursor, slot_of_cursor};
    use crate::commands::testing::{Bench, check, check_effects};
    use crate::keyspace::Keyspace;

    /// A whole walk: the names found, duplicates left in.
    fn walk(bench: &mut Bench, options: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut cursor = "0".to_owned();
        loop {
            let mut request = vec!["SCAN", &cursor];
            request.extend_from_slice(options);
            let mut words = bench.words(&request).into_iter();
            let next = words.next().expect("a cursor");
            found.extend(words);
            cursor = next;
            if cursor == "0" {
                return found;
            }
        }
    }

    fn populated(keys: usize) -> Bench {
        let mut bench = Bench::default();
        for i in 0..keys {
            bench.run(&["SET", &format!("key:{i}"), "x"]);
        }
        bench
    }

    #[test]
    fn a_walk_finds_every_key() {
        let rows: &[(&[&str], usize)] = &[
            (&[], 1000),
            (&["COUNT", "5"], 1000),
            (&["COUNT", "100000"], 1000),
            (&["MATCH", "key:1??"], 100),
            (&["MATCH", "*"], 1000),
            (&["TYPE", "string"], 1000),
            (&["TYPE", "STRING", "match", "key:9*", "count", "7"], 111),
            (&["TYPE", "list"], 0),
        ];
        let mut bench = populated(1000);
        for (options, expected) in rows {
            let mut found = walk(&mut bench, options);
            found.sort();
            found.dedup();
            assert_eq!(found.len(), *expected, "{options:?}");
        }
    }

    #[test]
    fn a_call_visits_about_as_many_keys_as_asked() {
        let mut bench = populated(1000);
        let words = bench.words(&["SCAN", "0", "COUNT", "10"]);
        assert!((10..200).contains(&(words.len() - 1)), "{}", words.len());
    }

    #[test]
    fn a_large_call_is_done_in_slices() {
        let mut bench = populated(5000);
        assert_eq!(
            bench.words(&["SCAN", "0", "COUNT", "100000"]).len(),
            1 + 5000
        );
        assert!(bench.slices >= 9, "{} slices", bench.slices);
    }

    #[test]
    fn a_shard_gives_the_cursor_away_where_its_keys_end() {
        let mut bench = Bench::over(Keyspace::holding(16, 42, |partition| partition % 2 == 0));
        bench.run(&["SET", "a", "x"]);
        let words = bench.words(&["SCAN", "0", "COUNT", "100"]);
        let next = words[0].parse().expect("a cursor");
        assert_eq!(slot_of_cursor(next) as usize / SLOTS_PER_PARTITION, 1);
    }

    #[test]
    fn refusals() {
        check(&[
            ("SCAN 0", "*2 $1 0 *0"),
            ("SCAN x", "-ERR invalid cursor"),
            ("SCAN ' 0'", "-ERR invalid cursor"),
            ("SCAN 0 COUNT", "-ERR syntax error"),
            ("SCAN 0 COUNT 0", "-ERR syntax error"),
            ("SCAN 0 COUNT -1", "-ERR syntax error"),
            (
                "SCAN 0 COUNT x",
                "-ERR value is not an integer or out of range",
            ),
            ("SCAN 0 FOO x", "-ERR syntax error"),
            ("SCAN 0 MATCH", "-ERR syntax error"),
        ]);
    }

    #[test]
    fn any_cursor_is_survived() {
        let mut bench = populated(100);
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..1000 {
            let cursor = rng.u64(..) >> rng.u32(0..64);
            bench.run(&["SCAN", &cursor.to_string()]);
        }
    }

    #[test]
    fn expired_keys_are_deleted_on_the_way() {
        check_effects(&[
            ("SET a 1 PXAT 1", "SET a 1 PXAT 1"),
            ("SCAN 0", "DEL a"),
            ("SCAN 0", ""),
        ]);
    }

    #[test]
    fn cursors() {
        let rows: &[(&str, Option<u64>)] = &[
            ("0", Some(0)),
            ("", Some(0)),
            ("+12", Some(12)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-1", Some(u64::MAX)),
            ("-", None),
            ("1x", None),
            (" 1", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_cursor(text.as_bytes()), *expected, "{text:?}");
        }
    }
}
