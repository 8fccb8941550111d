//! `TYPE`.

use crate::commands::prelude::*;

/// `TYPE key`
pub(crate) static TYPE: Command = Command {
    spec: CommandSpec {
        name: "type",
        arity: 2,
        flags: F::READONLY.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RO)],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Returns the name of the type that a key holds.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: type_of,
};

fn type_of(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let key = exec.data.first_key(args.at(1));
    match exec.data.peek(&key) {
        Some(value) => exec.reply.simple(value.type_name()),
        None => {
            exec.data.touch(&key, Event::KEYMISS);
            exec.reply.simple("none");
        }
    }
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn type_of() {
        check(&[
            ("TYPE a", "+none"),
            ("SET a 1", "+OK"),
            ("TYPE a", "+string"),
        ]);
    }
}
