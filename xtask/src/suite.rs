//! The tests as commands, and what a command's output counts: for the chores that run them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::place::{cargo, has_program, root, target};
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

/// Builds the programs that tests drive, and says where one of them is. They are built as the tests build them: in
/// the same profile, so that their assertions are tested too, and together, for what a crate is built with depends on
/// what is built beside it, and nothing should be built twice.
///
/// # Errors
/// If it does not build.
pub(crate) fn built(program: &str) -> Result<PathBuf, String> {
    let mut build = cargo(["build", "--quiet", "--workspace", "--test", "blackbox"]);
    match build
        .args(PROGRAMS.map(|name| format!("--bin={name}")))
        .status()
    {
        Ok(status) if status.success() => Ok(target().join("debug").join(program)),
        Ok(_) => Err(format!("{program} does not build")),
        Err(error) => Err(format!("cannot build {program}: {error}")),
    }
}

/// What [`built`] builds.
const PROGRAMS: [&str; 2] = ["corelane", "corelane-sim"];

/// The simulation of seeds that begin with `from`.
///
/// # Errors
/// If the simulator does not build.
pub(crate) fn simulation(seeds: u64, from: u64) -> Result<Command, String> {
    let mut command = Command::new(built("corelane-sim")?);
    command
        .arg(format!("--seeds={seeds}"))
        .arg(format!("--from={from}"));
    Ok(command)
}

/// Another chore of this program.
///
/// # Errors
/// If this program does not find itself.
pub(crate) fn chore(arguments: &[&str]) -> Result<Command, String> {
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
