//! `RANDOMKEY`.

use crate::commands::prelude::*;
use crate::exec::Fold;

/// `RANDOMKEY`. On all shards; one of their answers is picked, with chances in proportion to their keys.
pub(crate) static RANDOMKEY: Command = Command {
    spec: CommandSpec {
        name: "randomkey",
        arity: 1,
        flags: F::READONLY.with(F::TOUCHES_ARBITRARY_KEYS),
        categories: C::KEYSPACE,
        group: Group::Generic,
        since: "1.0.0",
        summary: "Returns a key picked at random.",
        complexity: "O(1)",
        tips: &["request_policy:all_shards", "nondeterministic_output"],
        ..CommandSpec::BASE
    },
    split: Split::AllShards(Fold::AnyOf),
    run: randomkey,
};

fn randomkey(exec: &mut Exec<'_>, _: Args<'_>) -> Outcome {
    match exec.data.random(exec.rng) {
        Some(value) => exec.reply.bulk(value.name()),
        None => exec.reply.null(),
    }
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::commands::testing::{Bench, check};

    #[test]
    fn randomkey() {
        check(&[
            ("RANDOMKEY", "nil"),
            ("SET a 1", "+OK"),
            ("RANDOMKEY", "$1 a"),
            ("PEXPIRE a 10", ":1"),
            ("ADVANCE 11", ""),
            ("RANDOMKEY", "nil"),
        ]);
    }

    #[test]
    fn every_key_has_its_chance() {
        let mut bench = Bench::default();
        for i in 0..20 {
            bench.run(&["SET", &format!("key:{i}"), "x"]);
        }
        let seen: HashSet<_> = (0..2000).map(|_| bench.run(&["RANDOMKEY"])).collect();
        assert_eq!(seen.len(), 20);
    }
}
