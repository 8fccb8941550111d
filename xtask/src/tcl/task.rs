//! Runs the listed units and holds what came of them against the list.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::harness::{Call, Outcome, Which};
use super::list::{List, Skipped, Unit};
use super::server::{Server, Start};
use super::sources;
use crate::place;
use crate::suite;
use crate::tally::Tally;

/// The list, relative to the workspace.
pub(crate) const LIST: &str = "tests/judges/redis-tcl.txt";

/// What `cargo xtask tcl` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Redis's sources [default: target/judges/redis-VERSION]
    #[arg(long, value_name = "DIR")]
    redis_src: Option<PathBuf>,
    /// A unit to run, as the list names it; may be repeated [default: all listed]
    #[arg(long, value_name = "NAME")]
    unit: Vec<String>,
    /// Shards of the server
    #[arg(long, default_value_t = 2)]
    shards: usize,
    /// The server's I/O backend
    #[arg(long, default_value = "auto")]
    io: String,
    /// The server to judge [default: the one that `cargo build` builds]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Do not look whether listed tests would pass by now
    #[arg(long)]
    quick: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            redis_src: None,
            unit: Vec::new(),
            shards: 2,
            io: "auto".into(),
            program: None,
            quick: false,
        }
    }
}

impl Options {
    /// With so many shards, on this I/O backend, without looking whether the list could be shorter.
    pub(crate) fn on(shards: usize, io: &str) -> Self {
        Self {
            shards,
            io: io.into(),
            quick: true,
            ..Self::default()
        }
    }
}

/// Runs the chore.
pub(crate) fn run(options: &Options) -> ExitCode {
    let tally = count(options);
    println!("{tally}");
    ExitCode::from(u8::from(tally.failed > 0))
}

/// Runs the units and counts their tests; that they cannot be run is a failure too.
pub(crate) fn count(options: &Options) -> Tally {
    judge(options).unwrap_or_else(|error| {
        eprintln!("tcl: {error}");
        Tally::one(false)
    })
}

/// What is missing on this machine, if anything is.
///
/// # Errors
/// Says what is missing and how to get it.
pub(crate) fn check_machine(options: &Options) -> Result<(), String> {
    let list = List::read(&place::root().join(LIST))?;
    sources::check_programs()?;
    sources::find(options.redis_src.as_deref(), &list.version).map(|_| ())
}

/// Runs the units and counts their tests.
///
/// # Errors
/// If the tests could not be run at all.
fn judge(options: &Options) -> Result<Tally, String> {
    let list = List::read(&place::root().join(LIST))?;
    sources::check_programs()?;
    let judge = Judge {
        sources: sources::find(options.redis_src.as_deref(), &list.version)?,
        program: match &options.program {
            Some(program) => program.clone(),
            None => suite::built("corelane")?,
        },
        logs: sources::folder().join("logs"),
        tags: list.tags.iter().map(|tag| tag.name.clone()).collect(),
        options,
    };
    fs::create_dir_all(&judge.logs)
        .map_err(|error| format!("cannot make {}: {error}", judge.logs.display()))?;
    println!(
        "Redis {}'s own tests, {} shards, logs in {}",
        list.version,
        options.shards,
        judge.logs.display()
    );
    for Skipped { name, reason } in &list.tags {
        println!("left out in all units: tag {name}, {reason}");
    }
    let units = list.only(&options.unit);
    units.iter().map(|unit| judge.unit(unit)).sum()
}

/// What all units share.
struct Judge<'a> {
    sources: PathBuf,
    program: PathBuf,
    logs: PathBuf,
    tags: Vec<String>,
    options: &'a Options,
}

impl Judge<'_> {
    /// Runs a unit as listed, looks whether the list could be shorter, and says what came of it.
    fn unit(&self, unit: &Unit) -> Result<Tally, String> {
        let start = Instant::now();
        let listed: Vec<&str> = unit.listed().map(|test| test.name.as_str()).collect();
        let (mut outcome, mut faults) = self.call(unit, Which::AllBut(&listed), "")?;
        if !unit.apart.is_empty() {
            let apart: Vec<&str> = unit.apart.iter().map(|test| test.name.as_str()).collect();
            let (alone, more) = self.call(unit, Which::Only(&apart), "-apart")?;
            take_apart(unit, &mut outcome, alone);
            faults.extend(more);
        }
        let faults = faults_of(unit, &outcome, faults);
        let tally = Tally {
            passed: outcome.passed.len() as u64,
            failed: faults.len() as u64,
            skipped: (outcome.skipped.len() + outcome.ignored.len()) as u64,
        };
        println!(
            "{:<28} {tally} ({} listed, {} by tag), {:.1} s",
            unit.name,
            outcome.skipped.len(),
            outcome.ignored.len(),
            start.elapsed().as_secs_f64()
        );
        for fault in &faults {
            println!("    FAILED {fault}");
        }
        if !self.options.quick && !listed.is_empty() {
            self.say_what_would_pass(unit)?;
        }
        Ok(tally)
    }

    /// Runs a unit with nothing left out, so that the list shrinks: what passes now need not be listed.
    /// The whole unit, for many tests begin with what the one before has left.
    fn say_what_would_pass(&self, unit: &Unit) -> Result<(), String> {
        let (outcome, _) = self.call(unit, Which::AllBut(&[]), "-unlisted")?;
        let passes = |test: &&Skipped| outcome.passed.contains(&test.name);
        for Skipped { name, reason } in unit.skipped.iter().filter(passes) {
            println!("    would pass, take it off {LIST}: {name} ({reason})");
        }
        if !unit.apart.is_empty() && unit.apart.iter().all(|test| passes(&test)) {
            println!(
                "    would all pass among the others, take them off {LIST}: those that run apart"
            );
        }
        Ok(())
    }

    /// One server, one unit. Beside the outcome, what went wrong with the server.
    fn call(
        &self,
        unit: &Unit,
        which: Which<'_>,
        suffix: &str,
    ) -> Result<(Outcome, Vec<String>), String> {
        let name = format!("{}{suffix}", unit.name.replace('/', "-"));
        let server = Server::start(&Start {
            program: &self.program,
            shards: self.options.shards,
            io: &self.options.io,
            log: &self.logs.join(format!("{name}.server.log")),
        })?;
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let call = Call {
            sources: &self.sources,
            unit: &unit.name,
            address: server.address(),
            which,
            tags: &tags,
            log: self.logs.join(format!("{name}.log")),
        };
        let outcome = call.run()?;
        Ok((outcome, server.stop().err().into_iter().collect()))
    }
}

/// Joins what tests did that ran apart: in the unit's own run they count as left out, and in theirs all others do.
fn take_apart(unit: &Unit, outcome: &mut Outcome, alone: Outcome) {
    let apart = |name: &String| unit.apart.iter().any(|test| test.name == *name);
    outcome.skipped.retain(|name| !apart(name));
    outcome.passed.extend(alone.passed);
    outcome.failed.extend(alone.failed);
    outcome.broken.extend(alone.broken);
    outcome.done &= alone.done;
}

/// Everything that makes a unit fail, in words.
fn faults_of(unit: &Unit, outcome: &Outcome, server: Vec<String>) -> Vec<String> {
    let mut faults: Vec<String> = outcome
        .failed
        .iter()
        .map(|failure| {
            let mut text = failure.test.clone();
            for line in &failure.lines {
                text.push_str("\n        ");
                text.push_str(line);
            }
            text
        })
        .collect();
    faults.extend(outcome.broken.iter().cloned());
    faults.extend(server);
    if !outcome.done {
        faults.push("the unit was not run to its end".into());
    }
    let unknown = unit
        .skipped
        .iter()
        .filter(|test| !outcome.skipped.contains(&test.name));
    let idle = unit.apart.iter().filter(|test| !ran(outcome, &test.name));
    let not_there =
        |test: &Skipped| format!("{LIST} names a test that is not there: {}", test.name);
    faults.extend(unknown.chain(idle).map(not_there));
    faults
}

fn ran(outcome: &Outcome, name: &str) -> bool {
    let mut failed = outcome.failed.iter().map(|failure| &failure.test);
    outcome.passed.iter().any(|test| test == name) || failed.any(|test| test == name)
}

#[cfg(test)]
mod tests {
    use super::super::harness::Failure;
    use super::*;

    fn unit() -> Unit {
        let test = |name: &str| Skipped {
            name: name.into(),
            reason: "needs x".into(),
        };
        Unit {
            name: "unit/x".into(),
            skipped: vec![test("listed"), test("gone")],
            apart: vec![test("alone")],
        }
    }

    #[test]
    fn everything_that_is_not_as_listed_is_a_fault() {
        let outcome = Outcome {
            failed: vec![Failure {
                test: "broke".into(),
                lines: vec!["because".into()],
            }],
            skipped: vec!["listed".into()],
            ..Outcome::default()
        };
        let faults = faults_of(&unit(), &outcome, vec!["the server ended".into()]);
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(faults[0].starts_with("broke\n") && faults[0].ends_with("because"));
        assert_eq!(faults[1], "the server ended");
        assert!(faults[2].contains("not run to its end"));
        assert!(faults[3].ends_with("not there: gone"));
        assert!(faults[4].ends_with("not there: alone"));
    }

    #[test]
    fn what_is_as_listed_is_none() {
        let mut outcome = Outcome {
            passed: vec!["fine".into()],
            skipped: vec!["gone".into(), "listed".into(), "alone".into()],
            done: true,
            ..Outcome::default()
        };
        let alone = Outcome {
            passed: vec!["alone".into()],
            skipped: vec!["gone".into(), "listed".into(), "fine".into()],
            done: true,
            ..Outcome::default()
        };
        take_apart(&unit(), &mut outcome, alone);
        assert_eq!(outcome.skipped, ["gone", "listed"]);
        assert_eq!(faults_of(&unit(), &outcome, Vec::new()), [""; 0]);
    }
}
