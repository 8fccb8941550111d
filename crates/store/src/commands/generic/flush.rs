//! `FLUSHDB`, `FLUSHALL`.

use crate::commands::errors::SYNTAX;
use crate::commands::prelude::*;
use crate::exec::Fold;

/// `FLUSHDB [ASYNC|SYNC]`. On all shards. Either way the keys are gone at once, and their memory is freed in the
/// background.
pub(crate) static FLUSHDB: Command = Command {
    spec: CommandSpec {
        name: "flushdb",
        arity: -1,
        flags: F::WRITE,
        categories: C::KEYSPACE.with(C::DANGEROUS),
        group: Group::Server,
        since: "1.0.0",
        summary: "Deletes all keys of the selected database.",
        complexity: "O(1) before the reply; memory of N keys is freed in the background in O(N)",
        args: &[Arg::one_of(
            "async",
            &[
                Arg::word("async", "ASYNC").since("4.0.0"),
                Arg::word("sync", "SYNC").since("6.2.0"),
            ],
        )
        .optional()],
        history: &[
            ("4.0.0", "`ASYNC` is accepted."),
            ("6.2.0", "`SYNC` is accepted."),
        ],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BASE
    },
    split: Split::AllShards(Fold::AllOk),
    run: flushdb,
};

fn flushdb(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    flush(exec, args, |exec| clear(exec, exec.data.db))
}

/// `FLUSHALL [ASYNC|SYNC]`. As `FLUSHDB`, for all databases.
pub(crate) static FLUSHALL: Command = Command {
    spec: CommandSpec {
        name: "flushall",
        arity: -1,
        flags: F::WRITE,
        categories: C::KEYSPACE.with(C::DANGEROUS),
        group: Group::Server,
        since: "1.0.0",
        summary: "Deletes all keys of all databases.",
        complexity: "O(1) before the reply; memory of N keys is freed in the background in O(N)",
        args: &[Arg::one_of(
            "async",
            &[
                Arg::word("async", "ASYNC").since("4.0.0"),
                Arg::word("sync", "SYNC").since("6.2.0"),
            ],
        )
        .optional()],
        history: &[
            ("4.0.0", "`ASYNC` is accepted."),
            ("6.2.0", "`SYNC` is accepted."),
        ],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CommandSpec::BASE
    },
    split: Split::AllShards(Fold::AllOk),
    run: flushall,
};

fn flushall(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    flush(exec, args, |exec| {
        for db in 0..exec.data.space.databases() {
            clear(exec, db);
        }
    })
}

fn clear(exec: &mut Exec<'_>, db: u16) {
    if exec.data.space.len(db) > 0 {
        exec.data.space.clear(db);
    }
    exec.data.touched.push(db, b"", Event::FLUSHDB);
}

fn flush(exec: &mut Exec<'_>, args: Args<'_>, act: fn(&mut Exec<'_>)) -> Outcome {
    let ok = match args.get(1) {
        None => true,
        Some(how) => {
            args.len() == 2
                && (how.eq_ignore_ascii_case(b"SYNC") || how.eq_ignore_ascii_case(b"ASYNC"))
        }
    };
    if !ok {
        return refuse(exec, SYNTAX);
    }
    act(exec);
    exec.data.as_given();
    exec.reply.ok();
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn flushes() {
        check(&[
            ("SET a 1", "+OK"),
            ("SELECT 1", "+OK"),
            ("SET a 1", "+OK"),
            ("FLUSHDB", "+OK"),
            ("DBSIZE", ":0"),
            ("SET a 1", "+OK"),
            ("SELECT 0", "+OK"),
            ("DBSIZE", ":1"),
            ("FLUSHALL async", "+OK"),
            ("DBSIZE", ":0"),
            ("GET a", "nil"),
            ("SELECT 1", "+OK"),
            ("DBSIZE", ":0"),
            ("FLUSHDB SYNC", "+OK"),
            ("FLUSHDB FOO", "-ERR syntax error"),
            ("FLUSHALL SYNC ASYNC", "-ERR syntax error"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("FLUSHDB", "FLUSHDB"),
            ("FLUSHALL SYNC", "FLUSHALL SYNC"),
            ("FLUSHDB x", ""),
        ]);
    }
}
