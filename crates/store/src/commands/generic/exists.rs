//! `EXISTS`, `TOUCH`: counting keys that are there.

use crate::commands::prelude::*;
use crate::keyspace::Key;

/// `EXISTS key [key …]`
pub(crate) static EXISTS: Command = Command {
    spec: CommandSpec {
        name: "exists",
        arity: -2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1).flags(K::RO)],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Counts how many of the given keys exist; a key named twice counts twice.",
        complexity: "O(N) for N keys",
        args: &[Arg::key("key", 0).multiple()],
        history: &[("3.0.3", "Several keys are accepted.")],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BASE
    },
    split: Split::Sum,
    run: exists,
};

fn exists(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    count(exec, args, |exec, key| exec.data.contains(key))
}

/// `TOUCH key [key …]`
pub(crate) static TOUCH: Command = Command {
    spec: CommandSpec {
        name: "touch",
        arity: -2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1).flags(K::RO)],
        group: Group::Generic,
        since: "3.2.1",
        summary: "Marks keys as just used and counts how many of them exist.",
        complexity: "O(N) for N keys",
        args: &[Arg::key("key", 0).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..CommandSpec::BASE
    },
    split: Split::Sum,
    run: touch,
};

fn touch(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    count(exec, args, |exec, key| exec.data.get(key).is_some())
}

fn count(
    exec: &mut Exec<'_>,
    args: Args<'_>,
    found: fn(&mut Exec<'_>, &Key<'_>) -> bool,
) -> Outcome {
    let mut count = 0;
    for name in args.tail(1) {
        let key = exec.data.key(name);
        if found(exec, &key) {
            count += 1;
        } else {
            exec.data.touch(&key, Event::KEYMISS);
        }
    }
    exec.reply.int(count);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_keys_as_often_as_they_are_named() {
        for command in ["EXISTS", "TOUCH"] {
            check(&[
                (&format!("{command} a"), ":0"),
                ("MSET a 1 b ''", "+OK"),
                (&format!("{command} a"), ":1"),
                (&format!("{command} a b c a"), ":3"),
                ("PEXPIRE a 10", ":1"),
                ("ADVANCE 11", ""),
                (&format!("{command} a b"), ":1"),
            ]);
        }
    }

    #[test]
    fn touch_marks_as_used_and_exists_does_not() {
        check(&[
            ("SET a 1", "+OK"),
            ("ADVANCE 5000", ""),
            ("EXISTS a", ":1"),
            ("OBJECT IDLETIME a", ":5"),
            ("TOUCH a", ":1"),
            ("OBJECT IDLETIME a", ":0"),
        ]);
    }
}
