//! `DEL`, `UNLINK`.

use crate::commands::prelude::*;

/// `DEL key [key …]`. Its effect is one `DEL` for each key that was there.
pub(crate) static DEL: Command = Command {
    spec: CommandSpec {
        name: "del",
        arity: -2,
        flags: F::WRITE,
        categories: C::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1).flags(K::RM.with(K::DELETE))],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Deletes keys.",
        complexity: "O(N) for N keys",
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BASE
    },
    split: Split::Sum,
    run: del,
};

/// `UNLINK key [key …]`. As `DEL`: strings, whatever their size, are freed at once.
pub(crate) static UNLINK: Command = Command {
    spec: CommandSpec {
        name: "unlink",
        arity: -2,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1).flags(K::RM.with(K::DELETE))],
        group: Group::Generic,
        since: "4.0.0",
        summary: "Deletes keys, as DEL does.",
        complexity: "O(N) for N keys",
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BASE
    },
    split: Split::Sum,
    run: del,
};

fn del(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let mut deleted = 0;
    for name in args.tail(1) {
        let key = exec.data.key(name);
        if exec.data.remove(&key) {
            exec.data.rewrite([&b"DEL"[..], key.name()]);
            exec.data.touch(&key, Event::DEL);
            deleted += 1;
        }
    }
    exec.reply.int(deleted);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn del_and_unlink() {
        for command in ["DEL", "UNLINK"] {
            check(&[
                ("MSET a 1 b 2 c 3", "+OK"),
                (&format!("{command} a"), ":1"),
                (&format!("{command} a b none c b"), ":2"),
                ("MGET a b c", "*3 nil nil nil"),
                ("SET a 1 PX 10", "+OK"),
                ("ADVANCE 11", ""),
                (&format!("{command} a"), ":0"),
            ]);
        }
        check_effects(&[
            ("MSET a 1 b 2", "SET a 1; SET b 2"),
            ("DEL a none b a", "DEL a; DEL b"),
            ("SET a 1 PXAT 1", "SET a 1 PXAT 1"),
            ("DEL a", "DEL a"),
        ]);
    }
}
