//! The steps, in order: cheap ones first, so that most faults show early.

use std::env;
use std::process::Command;

use crate::place::{cargo, has_program, root, target};
use crate::stream;
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
    /// Names of this program's chores.
    pub(crate) chores: Vec<String>,
}

/// The variable, and its value, by which tests know that a missing tool is a failure.
pub(crate) const TOOLS: &str = "CORELANE_TEST_TOOLS";
pub(crate) const REQUIRED: &str = "required";

/// Seeds that are simulated.
const SEEDS: &str = "200";

/// All steps.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "all code is formatted",
        run: |_| {
            both(
                check(&mut cargo(["fmt", "--all", "--check"])),
                // A workspace of its own.
                check(&mut cargo([
                    "fmt",
                    "--check",
                    "--manifest-path",
                    "fuzz/Cargo.toml",
                ])),
            )
        },
    },
    Step {
        name: "tidy",
        about: "the rules that no compiler checks",
        run: |_| Outcome::Ran(Tally::one(tidy::is_tidy())),
    },
    Step {
        name: "clippy",
        about: "no warning of the compiler or clippy in any target",
        run: |_| {
            check(&mut cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ]))
        },
    },
    Step {
        name: "tests",
        about: "all tests, on io_uring where the kernel has it",
        run: |context| tests(context, &[], None),
    },
    Step {
        name: "doc",
        about: "examples in the documentation",
        run: |context| {
            count(
                context,
                &mut cargo(["test", "--workspace", "--doc", "--quiet"]),
            )
        },
    },
    Step {
        name: "loom",
        about: "every interleaving of the shards' wake-ups",
        run: loom,
    },
    Step {
        name: "polling",
        about: "the black-box tests again, on the polling backend",
        run: |context| tests(context, &["--test", "blackbox"], Some("polling")),
    },
    Step {
        name: "sim",
        about: "the whole node under 200 seeds",
        run: |context| chore(context, &["sim", "--seeds", SEEDS]),
    },
    Step {
        name: "gate",
        about: "instructions per command, held against what they were",
        run: gate,
    },
    Step {
        name: "tcl",
        about: "Redis's own tests against our server",
        run: judge,
    },
];

/// Tests of the whole workspace, or those that `which` selects. By nextest where it is installed: it
/// runs the tests of all crates side by side, and ends those that hang.
fn tests(context: &Context, which: &[&str], io: Option<&str>) -> Outcome {
    let quiet = ["--status-level", "fail", "--no-fail-fast"];
    let mut command = if has_program("cargo-nextest") {
        let mut command = cargo(["nextest", "run", "--workspace"]);
        command.args(quiet);
        command
    } else {
        let mut command = cargo(["test", "--workspace", "--no-fail-fast", "--quiet"]);
        if which.is_empty() {
            command.args(["--lib", "--bins", "--tests"]);
        }
        command
    };
    command.args(which);
    if let Some(io) = io {
        command.env("CORELANE_TEST_IO", io);
    }
    count(context, &mut command)
}

fn loom(context: &Context) -> Outcome {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = cargo(["test", "--release", "--package", "corelane-channel"]);
    command
        .args(["--test", "loom", "--quiet", "--target-dir"])
        .arg(target().join("loom"))
        .env("RUSTFLAGS", format!("{flags} --cfg loom"));
    count(context, &mut command)
}

fn gate(context: &Context) -> Outcome {
    if has_program("valgrind") {
        chore(context, &["gate"])
    } else {
        Outcome::Missing("no valgrind: install Debian's package `valgrind`".into())
    }
}

fn judge(_: &Context) -> Outcome {
    let options = tcl::Options::default();
    if let Err(missing) = tcl::check_machine(&options) {
        return Outcome::Missing(missing);
    }
    match tcl::judge(&options) {
        Ok(tally) => Outcome::Ran(tally),
        Err(error) => {
            eprintln!("tcl: {error}");
            Outcome::Ran(Tally::one(false))
        }
    }
}

/// Another chore of this program.
fn chore(context: &Context, arguments: &[&str]) -> Outcome {
    let known = arguments
        .first()
        .is_some_and(|name| context.chores.iter().any(|chore| chore == name));
    match env::current_exe() {
        Ok(program) if known => count(
            context,
            Command::new(program).args(arguments).current_dir(root()),
        ),
        Ok(_) => Outcome::Missing(format!(
            "no `cargo xtask {}` in this tree",
            arguments.join(" ")
        )),
        Err(error) => fail(&format!("this program does not find itself: {error}")),
    }
}

/// Runs a command whose output counts tests.
fn count(context: &Context, command: &mut Command) -> Outcome {
    if context.require_tools {
        command.env(TOOLS, REQUIRED);
    }
    let mut tally: Option<Tally> = None;
    let status = stream::show(command, |line| {
        if let Some(more) = Tally::of_line(line) {
            tally = Some(tally.unwrap_or_default() + more);
        }
    });
    match (status, tally) {
        (Ok(status), Some(tally)) if status.success() || tally.failed > 0 => Outcome::Ran(tally),
        // It ended with an error of another kind than a failed test, or counts nothing.
        (Ok(status), tally) => {
            Outcome::Ran(tally.unwrap_or_default() + Tally::one(status.success()))
        }
        (Err(error), _) => fail(&format!("cannot run {command:?}: {error}")),
    }
}

/// Runs a command that passes or fails as a whole.
fn check(command: &mut Command) -> Outcome {
    match stream::show(command, |_| {}) {
        Ok(status) => Outcome::Ran(Tally::one(status.success())),
        Err(error) => fail(&format!("cannot run {command:?}: {error}")),
    }
}

fn both(a: Outcome, b: Outcome) -> Outcome {
    match (a, b) {
        (Outcome::Ran(a), Outcome::Ran(b)) => Outcome::Ran(a + b),
        (Outcome::Ran(_), missing) => missing,
        (missing, _) => missing,
    }
}

fn fail(text: &str) -> Outcome {
    eprintln!("{text}");
    Outcome::Ran(Tally::one(false))
}
