//! The steps, in order: cheap ones first, so that most faults show early.

use std::env;
use std::process::Command;

use crate::place::{cargo, has_program, target};
use crate::suite;
use crate::tally::Tally;
use crate::{tcl, tidy};

/// What came of a step.
pub(crate) enum Outcome {
    Ran(Tally),
    /// Left out: what is missing and how to get it.
    Missing(String),
}

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Context) -> Outcome,
}

/// What steps are told.
pub(crate) struct Context {
    /// A program that this machine lacks is a failure.
    pub(crate) require_tools: bool,
}

/// The variable, and its value, by which tests know that a missing tool is a failure.
pub(crate) const TOOLS: &str = "CORELANE_TEST_TOOLS";
pub(crate) const REQUIRED: &str = "required";

/// Seeds that are simulated.
const SEEDS: u64 = 200;

/// All steps.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "all code is formatted",
        run: |_| Outcome::Ran(format()),
    },
    Step {
        name: "tidy",
        about: "the rules that no compiler checks",
        run: |_| Outcome::Ran(Tally::one(tidy::is_tidy())),
    },
    Step {
        name: "clippy",
        about: "no warning of the compiler or clippy in any target",
        run: |_| Outcome::Ran(lint()),
    },
    Step {
        name: "tests",
        about: "all tests, on io_uring where the kernel has it",
        run: |context| count(context, suite::tests(&[])),
    },
    Step {
        name: "doc",
        about: "examples in the documentation",
        run: |context| count(context, cargo(["test", "--workspace", "--doc", "--quiet"])),
    },
    Step {
        name: "loom",
        about: "every interleaving of wake-ups, of shards and of channels",
        run: |context| count(context, loom()),
    },
    Step {
        name: "polling",
        about: "the black-box tests again, on the polling backend",
        run: |context| count(context, polling()),
    },
    Step {
        name: "split",
        about: "the black-box tests again, with a shard for connections and one for data",
        run: |context| count(context, split()),
    },
    Step {
        name: "sim",
        about: "the whole node under 200 seeds",
        run: |context| count_if_there(context, suite::simulation(SEEDS, 0)),
    },
    Step {
        name: "gate",
        about: "instructions per command, held against what they were",
        run: gate,
    },
    Step {
        name: "tcl",
        about: "Redis's own tests against our server",
        run: |_| judge(),
    },
];

fn format() -> Tally {
    // Fuzz targets are a workspace of their own.
    let fuzz = ["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"];
    suite::check(&mut cargo(["fmt", "--all", "--check"])) + suite::check(&mut cargo(fuzz))
}

fn lint() -> Tally {
    let mut clippy = cargo(["clippy", "--workspace", "--all-targets", "--quiet"]);
    suite::check(clippy.args(["--", "--deny", "warnings"]))
}

fn loom() -> Command {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = cargo(["test", "--release", "--package", "corelane-channel"]);
    command
        .args(["--lib", "--test", "loom", "--quiet", "--target-dir"])
        .arg(target().join("loom"))
        .env("RUSTFLAGS", format!("{flags} --cfg loom"));
    command
}

fn polling() -> Command {
    let mut command = suite::tests(&["--test", "blackbox"]);
    command.env("CORELANE_TEST_IO", "polling");
    command
}

fn split() -> Command {
    let mut command = suite::tests(&["--test", "blackbox"]);
    command.env("CORELANE_TEST_IO_SHARDS", "1");
    command
}

fn gate(context: &Context) -> Outcome {
    if has_program("valgrind") {
        count_if_there(context, suite::chore(&["gate"]))
    } else {
        Outcome::Missing("no valgrind: install Debian's package `valgrind`".into())
    }
}

fn judge() -> Outcome {
    let options = tcl::Options::default();
    match tcl::check_machine(&options) {
        Ok(()) => Outcome::Ran(tcl::count(&options)),
        Err(missing) => Outcome::Missing(missing),
    }
}

fn count_if_there(context: &Context, command: Result<Command, String>) -> Outcome {
    match command {
        Ok(command) => count(context, command),
        Err(error) => {
            eprintln!("{error}");
            Outcome::Ran(Tally::one(false))
        }
    }
}

fn count(context: &Context, mut command: Command) -> Outcome {
    if context.require_tools {
        command.env(TOOLS, REQUIRED);
    }
    Outcome::Ran(suite::count(&mut command))
}
