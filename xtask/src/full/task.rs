//! Runs the slices that have not passed yet, and writes down what comes of them.

use std::process::ExitCode;
use std::time::Instant;

use super::parts::{PARTS, Part};
use super::results::{self, DOCUMENT};
use super::state::{Done, State};
use crate::tally::Tally;

/// What `cargo xtask full` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run this part only; may be repeated
    #[arg(long, value_name = "PART", value_parser = PARTS.iter().map(|part| part.name).collect::<Vec<_>>())]
    only: Vec<String>,
    /// Only name the parts
    #[arg(long)]
    list: bool,
    /// Begin anew, even at the same revision
    #[arg(long)]
    fresh: bool,
    /// Seeds to simulate
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub(crate) seeds: u64,
    /// Minutes for each fuzz target
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) fuzz_minutes: u32,
    /// Megabytes that hostile clients send, on each backend
    #[arg(long, default_value_t = 1024, value_name = "N")]
    pub(crate) soak_mb: u64,
}

/// Runs the chore.
pub(crate) fn run(options: &Options) -> ExitCode {
    let wanted =
        |part: &&Part| options.only.is_empty() || options.only.iter().any(|name| name == part.name);
    let parts = PARTS.iter().filter(wanted);
    if options.list {
        for Part { name, about, .. } in parts {
            println!("{name:<8} {about}");
        }
        return ExitCode::SUCCESS;
    }
    let all = State::load(options.fresh).and_then(|mut state| {
        println!("at revision {}", state.revision);
        let tallies: Result<Vec<Tally>, String> = parts
            .map(|part| run_part(part, &mut state, options))
            .collect();
        results::write(&state, options)?;
        Ok(tallies?.into_iter().sum::<Tally>())
    });
    match all {
        Ok(all) => {
            println!("written into {DOCUMENT}, to be committed by hand");
            println!("{all}");
            ExitCode::from(u8::from(all.failed > 0))
        }
        Err(error) => {
            eprintln!("full: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what has not passed yet; gives what the whole part has come to.
fn run_part(part: &Part, state: &mut State, options: &Options) -> Result<Tally, String> {
    println!("== {}: {}", part.name, part.about);
    if let Err(missing) = (part.needs)() {
        println!("left out: {missing}");
        return Ok(Tally::skipped());
    }
    let mut all = Tally::default();
    for slice in (part.slices)(options) {
        let earlier = state.get(part.name, &slice.name);
        if let Some(done) = earlier.filter(|done| done.tally.failed == 0) {
            println!("-- {}: {} (earlier)", slice.name, done.tally);
            all = all + done.tally;
            continue;
        }
        println!("-- {}", slice.name);
        let start = Instant::now();
        let tally = (slice.run)();
        let seconds = start.elapsed().as_secs_f64();
        println!("-- {}: {tally}, {seconds:.0} s", slice.name);
        state.set(part.name, &slice.name, Done { tally, seconds })?;
        all = all + tally;
    }
    Ok(all)
}
