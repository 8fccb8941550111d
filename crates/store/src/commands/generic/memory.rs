//! `MEMORY USAGE`: what a key takes. The node's own memory is reported by the node.

use crate::commands::container::{unknown_subcommand, write_help};
use crate::commands::errors::{SYNTAX, integer};
use crate::commands::prelude::*;

/// `MEMORY`: reached only by a subcommand that does not exist.
pub(crate) static MEMORY: Command = Command {
    spec: CommandSpec {
        name: "memory",
        container: true,
        arity: -2,
        group: Group::Server,
        since: "4.0.0",
        summary: "Container of commands that report on memory.",
        complexity: "Depends on the subcommand.",
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: unknown_subcommand,
};

/// `MEMORY USAGE key [SAMPLES count]`: the bytes of entry and value, and the key's share of its table.
pub(crate) static MEMORY_USAGE: Command = Command {
    spec: CommandSpec {
        name: "usage",
        parent: Some("memory"),
        arity: -3,
        flags: F::READONLY,
        keys: &[KeySpec::at(2).flags(K::RO)],
        group: Group::Server,
        since: "4.0.0",
        summary: "Estimates how many bytes a key and its value take.",
        complexity: "O(N) for N sampled elements",
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").token("SAMPLES").optional(),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: usage,
};

fn usage(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    if let Err(error) = check_options(args.tail(3)) {
        return refuse(exec, error);
    }
    let key = exec.data.first_key(args.at(2));
    match exec.data.peek(&key) {
        Some(value) => exec.reply.int(value.memory_bytes() as i64),
        None => exec.reply.null(),
    }
    Outcome::Done
}

/// A string is measured as a whole, however many samples are asked for.
fn check_options(args: Args<'_>) -> Result<(), &'static str> {
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        if !word.eq_ignore_ascii_case(b"SAMPLES") {
            return Err(SYNTAX);
        }
        if integer(rest.next().ok_or(SYNTAX)?)? < 0 {
            return Err(SYNTAX);
        }
    }
    Ok(())
}

/// `MEMORY HELP`
pub(crate) static MEMORY_HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        parent: Some("memory"),
        arity: 2,
        flags: F::LOADING.with(F::STALE),
        group: Group::Server,
        since: "4.0.0",
        summary: "Lists the subcommands of MEMORY.",
        complexity: "O(1)",
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: help,
};

fn help(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let lines = [
        "STATS",
        "    How much memory the node uses, and for what.",
        "USAGE <key> [SAMPLES <count>]",
        "    How many bytes <key> and its value take. Of a collection <count> elements are measured,",
        "    all of them if <count> is 0 (default: 5).",
    ];
    write_help(&mut exec.reply, args, &lines);
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check};

    #[test]
    fn usage_grows_with_the_value() {
        let mut bench = Bench::default();
        bench.run(&["SET", "small", "x"]);
        bench.run(&["SET", "large", &"x".repeat(10_000)]);
        let usage = |bench: &mut Bench, key| bench.int(&["MEMORY", "USAGE", key]);
        let (small, large) = (usage(&mut bench, "small"), usage(&mut bench, "large"));
        assert!((24..100).contains(&small), "{small}");
        assert!((10_000..13_000).contains(&large), "{large}");
    }

    #[test]
    fn refusals() {
        check(&[
            ("MEMORY USAGE a", "nil"),
            ("MEMORY USAGE a SAMPLES 0", "nil"),
            ("MEMORY USAGE a SAMPLES", "-ERR syntax error"),
            ("MEMORY USAGE a SAMPLES -1", "-ERR syntax error"),
            (
                "MEMORY USAGE a SAMPLES x",
                "-ERR value is not an integer or out of range",
            ),
            ("MEMORY USAGE a FOO", "-ERR syntax error"),
            (
                "MEMORY USAGE",
                "-ERR wrong number of arguments for 'memory|usage' command",
            ),
            (
                "MEMORY FOO",
                "-ERR unknown subcommand 'FOO'. Try MEMORY HELP.",
            ),
        ]);
    }
}
