//! `KEYS`.

use corelane_wire::glob;

use super::walk::{Names, Walk};
use crate::commands::prelude::*;
use crate::exec::{Continuation, Fold};

/// Keys that are looked at before others get their turn; some tens of microseconds.
const SLICE_KEYS: usize = 512;

/// `KEYS pattern`. On all shards, slice by slice: a key that comes or goes meanwhile may or may not be named.
pub(crate) static KEYS: Command = Command {
    spec: CommandSpec {
        name: "keys",
        arity: 2,
        flags: F::READONLY,
        categories: C::KEYSPACE.with(C::DANGEROUS),
        group: Group::Generic,
        since: "1.0.0",
        summary: "Returns all keys whose names match a pattern.",
        complexity: "O(N) for N keys in the database, done in slices so that other commands run in between",
        args: &[Arg::pattern("pattern")],
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        ..CommandSpec::BASE
    },
    split: Split::AllShards(Fold::Concat),
    run: keys,
};

fn keys(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    go_on(exec, args, Walk::default(), Names::default())
}

fn go_on(exec: &mut Exec<'_>, args: Args<'_>, mut walk: Walk, mut names: Names) -> Outcome {
    let pattern = args.at(1);
    let all = pattern == b"*";
    let (data, reply) = (&exec.data, &mut exec.reply);
    let more = walk.slice(data.space, data.db, data.now_ms, SLICE_KEYS, |value| {
        if all || glob::matches(pattern, value.name(), false) {
            names.push(value.name(), reply);
        }
    });
    if more && !exec.reply.is_cut() {
        return Outcome::More(Continuation::new(move |exec, args| {
            go_on(exec, args, walk, names)
        }));
    }
    names.write(exec)
}

#[cfg(test)]
mod tests {
    use corelane_wire::slot_of;

    use crate::commands::testing::{Bench, check};
    use crate::keyspace::{Keyspace, SLOTS_PER_PARTITION};

    #[test]
    fn keys() {
        check(&[
            ("KEYS *", "*0"),
            ("SET foo 1", "+OK"),
            ("KEYS *", "*1 $3 foo"),
            ("KEYS f?o", "*1 $3 foo"),
            ("KEYS F*", "*0"),
            ("SET bar 1 PX 10", "+OK"),
            ("KEYS b*", "*1 $3 bar"),
            ("ADVANCE 11", ""),
            ("KEYS *", "*1 $3 foo"),
            ("SELECT 1", "+OK"),
            ("KEYS *", "*0"),
        ]);
    }

    #[test]
    fn many_keys_are_named_once_each_in_slices() {
        let mut bench = Bench::default();
        for i in 0..5000 {
            bench.run(&["SET", &format!("key:{i}"), "x"]);
            bench.run(&["SET", &format!("{{tag}}:{i}"), "x"]);
        }
        let mut found = bench.words(&["KEYS", "*"]);
        assert!(bench.slices >= 10, "{} slices", bench.slices);
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 10_000);
        assert_eq!(bench.words(&["KEYS", "key:1??"]).len(), 100);
    }

    #[test]
    fn a_shard_names_the_keys_of_its_partitions() {
        let mut bench = Bench::over(Keyspace::holding(16, 42, |partition| partition % 2 == 1));
        let mut held = 0;
        for i in 0..1000 {
            let name = format!("key:{i}");
            if slot_of(name.as_bytes()) as usize / SLOTS_PER_PARTITION % 2 == 1 {
                bench.run(&["SET", &name, "x"]);
                held += 1;
            }
        }
        assert_eq!(bench.words(&["KEYS", "*"]).len(), held);
    }

    #[test]
    fn keys_that_stay_are_named_once_though_others_come_and_go() {
        let mut bench = Bench::default();
        for i in 0..3000 {
            bench.run(&["SET", &format!("{{t}}stay:{i}"), "x"]);
            bench.run(&["SET", &format!("{{t}}go:{i}"), "x"]);
        }
        let mut next = 0;
        let mut found = bench.words_between(&["KEYS", "{t}stay:*"], |bench| {
            for _ in 0..300 {
                bench.run(&["DEL", &format!("{{t}}go:{next}")]);
                bench.run(&["SET", &format!("{{t}}come:{next}"), "x"]);
                next += 1;
            }
        });
        let named = found.len();
        found.sort();
        found.dedup();
        assert_eq!((named, found.len()), (3000, 3000));
    }
}
