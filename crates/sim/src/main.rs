//! `corelane-sim`: runs seeds and says which fail. The flags are here; what a run is, is in the library.

#![forbid(unsafe_code)]

use std::io::IsTerminal;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use corelane_sim::{Batch, Failure, Passed, run_batch};

/// Runs the whole node in a simulated world, once per seed, and checks what its clients see.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run this seed alone, twice
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Shards of every node, instead of the 1 to 4 that the seed says
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=16))]
    shards: Option<u16>,
    /// How many of them own connections and no data, instead of what the seed says
    #[arg(long, value_parser = clap::value_parser!(u16).range(0..=15))]
    io_shards: Option<u16>,
    /// Let the clients of every node change the number of its shards, instead of what the seed says
    #[arg(long)]
    resizes: bool,
    /// Seeds at once; one per processor by default
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Say what every run came to
    #[arg(long, short)]
    verbose: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let batch = batch(&arguments);
    let seeds = batch.seeds.end - batch.seeds.start;
    let began = Instant::now();
    let mut done = 0;
    let summary = run_batch(&batch, |outcome| {
        done += 1;
        match outcome {
            Ok(passed) if arguments.verbose => tell(passed),
            Ok(_) => {}
            Err(failure) => eprintln!("\n{failure}"),
        }
        show_progress(done, seeds);
    });
    let took_s = began.elapsed().as_secs_f64();
    hide_progress();
    eprintln!(
        "{} commands, {} moves of connections, {} resizes, {} commands run again, {:.1} seeds/s",
        summary.commands,
        summary.moves,
        summary.resizes,
        summary.reruns,
        seeds as f64 / took_s
    );
    if summary.undecided > 0 {
        eprintln!(
            "{} histories were too wild to be decided",
            summary.undecided
        );
    }
    replays(&summary.failures);
    println!(
        "{} passed, {} failed",
        summary.passed,
        summary.failures.len()
    );
    if summary.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn batch(arguments: &Arguments) -> Batch {
    let mut batch = match arguments.seed {
        Some(seed) => Batch {
            repeat_every: 1,
            ..Batch::new(seed..seed.saturating_add(1))
        },
        None => Batch::new(arguments.from..arguments.from.saturating_add(arguments.seeds)),
    };
    batch.shards = arguments.shards.map(usize::from);
    batch.resizes = arguments.resizes;
    batch.io_shards = arguments.io_shards.map(usize::from);
    let processors = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    batch.jobs = arguments.jobs.unwrap_or(processors);
    batch
}

fn tell(passed: &Passed) {
    println!(
        "seed {} passed: {} commands, {} replies, {} moves, {} resizes, {} run again, {} undecided, {} ms of its time, trace {:016x}",
        passed.seed,
        passed.commands,
        passed.replies,
        passed.moves,
        passed.resizes,
        passed.reruns,
        passed.undecided,
        passed.virtual_ns / 1_000_000,
        passed.trace_hash
    );
}

/// One line that is written over; only where somebody looks.
fn show_progress(done: u64, seeds: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{done} of {seeds}");
    }
}

fn hide_progress() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

fn replays(failures: &[Failure]) {
    for failure in failures {
        eprintln!("replay: {}", failure.replay());
    }
}
