//! `DBSIZE`.

use crate::commands::prelude::*;
use crate::exec::Fold;

/// `DBSIZE`. On all shards, added. Keys count until they are deleted, also when their time has come.
pub(crate) static DBSIZE: Command = Command {
    spec: CommandSpec {
        name: "dbsize",
        arity: 1,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        group: Group::Server,
        since: "1.0.0",
        summary: "Returns how many keys the selected database holds.",
        complexity: "O(1)",
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        ..CommandSpec::BASE
    },
    split: Split::AllShards(Fold::Sum),
    run: dbsize,
};

fn dbsize(exec: &mut Exec<'_>, _: Args<'_>) -> Outcome {
    exec.reply.int(exec.data.len() as i64);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn dbsize() {
        check(&[
            ("DBSIZE", ":0"),
            ("MSET a 1 b 2", "+OK"),
            ("DBSIZE", ":2"),
            ("SET a 1 PX 10", "+OK"),
            ("ADVANCE 11", ""),
            ("DBSIZE", ":2"),
            ("EXISTS a", ":0"),
            ("DBSIZE", ":1"),
            ("SELECT 1", "+OK"),
            ("DBSIZE", ":0"),
        ]);
    }
}
