//! `PERSIST`.

use crate::commands::expiry;
use crate::commands::prelude::*;

/// `PERSIST key`
pub(crate) static PERSIST: Command = Command {
    spec: CommandSpec {
        name: "persist",
        arity: 2,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RW.with(K::UPDATE))],
        group: Group::Generic,
        since: "2.2.0",
        summary: "Removes a key's time to live, so that it stays until it is deleted.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: persist,
};

fn persist(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    let persisted = expiry::persist(&mut exec.data, &key);
    exec.reply.int(persisted.into());
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn persist() {
        check(&[
            ("PERSIST a", ":0"),
            ("SET a 1", "+OK"),
            ("PERSIST a", ":0"),
            ("EXPIRE a 10", ":1"),
            ("PERSIST a", ":1"),
            ("TTL a", ":-1"),
            ("PERSIST a", ":0"),
        ]);
        check_effects(&[
            ("SET a 1 PXAT 1800000000000", "SET a 1 PXAT 1800000000000"),
            ("PERSIST a", "PERSIST a"),
            ("PERSIST a", ""),
        ]);
    }
}
