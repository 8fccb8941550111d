//! The tests as commands, and what a command's output counts: for the chores that run them.

use std::env;
use std::process::Command;

use clap::CommandFactory;

use crate::place::{cargo, has_program, root};
use crate::stream;
use crate::tally::Tally;

/// All tests of the workspace, or those that `which` selects. By nextest where it is installed: it
/// runs the tests of all crates side by side, and ends those that hang.
pub(crate) fn tests(which: &[&str]) -> Command {
    let mut command = if has_program("cargo-nextest") {
        let mut command = cargo(["nextest", "run", "--workspace", "--no-fail-fast"]);
        command.args(["--status-level", "fail"]);
        command
    } else {
        let mut command = cargo(["test", "--workspace", "--no-fail-fast", "--quiet"]);
        if which.is_empty() {
            command.args(["--lib", "--bins", "--tests"]);
        }
        command
    };
    command.args(which);
    command
}

/// Another chore of this program.
///
/// # Errors
/// If there is no such chore, or this program does not find itself.
pub(crate) fn chore(arguments: &[&str]) -> Result<Command, String> {
    let name = arguments.first().unwrap_or(&"");
    if crate::Arguments::command().find_subcommand(name).is_none() {
        return Err(format!("this tree has no `cargo xtask {name}`"));
    }
    let program = env::current_exe()
        .map_err(|error| format!("this program does not find itself: {error}"))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    Ok(command)
}

/// Runs a command and shows its output, which may count tests; without counts it is one test itself.
pub(crate) fn count(command: &mut Command) -> Tally {
    let mut counted: Option<Tally> = None;
    let status = stream::show(command, |line| {
        if let Some(more) = Tally::of_line(line) {
            counted = Some(counted.unwrap_or_default() + more);
        }
    });
    match (status, counted) {
        (Ok(status), Some(tally)) if status.success() || tally.failed > 0 => tally,
        // It ended with an error of another kind than a failed test, or counts nothing.
        (Ok(status), counted) => counted.unwrap_or_default() + Tally::one(status.success()),
        (Err(error), _) => {
            eprintln!("cannot run {command:?}: {error}");
            Tally::one(false)
        }
    }
}

/// Runs a command that passes or fails as a whole, whatever its output counts.
pub(crate) fn check(command: &mut Command) -> Tally {
    match stream::show(command, |_| {}) {
        Ok(status) => Tally::one(status.success()),
        Err(error) => {
            eprintln!("cannot run {command:?}: {error}");
            Tally::one(false)
        }
    }
}
