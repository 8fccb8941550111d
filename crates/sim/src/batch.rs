//! Many seeds, on several threads. A world lives on one thread; worlds know nothing of each other.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::failure::{Failure, Fault};
use crate::plan::{Scenario, Tamper};
use crate::run::{Passed, run};

/// Which seeds to run, and how.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The seeds.
    pub seeds: Range<u64>,
    /// How many run at once.
    pub jobs: NonZero<usize>,
    /// Shards of every node, instead of what the seed says.
    pub shards: Option<usize>,
    /// How many of them own connections and no data, instead of what the seed says.
    pub io_shards: Option<usize>,
    /// Whether the clients of every node change the number of its shards, instead of what the seed says.
    pub resizes: bool,
    /// A fault to be found.
    pub tamper: Tamper,
    /// Every how many seeds one is run twice, to see that it repeats; 0 for none.
    pub repeat_every: u64,
}

impl Batch {
    /// These seeds, one at a time, some of them twice.
    pub fn new(seeds: Range<u64>) -> Self {
        Self {
            seeds,
            jobs: NonZero::<usize>::MIN,
            shards: None,
            io_shards: None,
            resizes: false,
            tamper: Tamper::None,
            repeat_every: 16,
        }
    }
}

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many passed.
    pub passed: u64,
    /// Those that failed, by seed.
    pub failures: Vec<Failure>,
    /// Commands called in all that passed.
    pub commands: u64,
    /// Times that a connection went to another shard.
    pub moves: u64,
    /// Commands that came to a shard without their keys, and ran again.
    pub reruns: u64,
    /// Resizes.
    pub resizes: u64,
    /// Histories that could not be decided.
    pub undecided: usize,
}

/// Runs a batch; `tell` hears of each run as it ends.
pub fn run_batch(batch: &Batch, mut tell: impl FnMut(&Result<Passed, Box<Failure>>)) -> Summary {
    let next = AtomicU64::new(batch.seeds.start);
    let (outcome, outcomes) = channel();
    let mut summary = Summary::default();
    thread::scope(|scope| {
        for _ in 0..batch.jobs.get() {
            let outcome = outcome.clone();
            let next = &next;
            scope.spawn(move || work(batch, next, &outcome));
        }
        drop(outcome);
        for outcome in outcomes {
            tell(&outcome);
            match outcome {
                Ok(passed) => {
                    summary.passed += 1;
                    summary.commands += passed.commands;
                    summary.moves += passed.moves;
                    summary.reruns += passed.reruns;
                    summary.resizes += passed.resizes;
                    summary.undecided += passed.undecided;
                }
                Err(failure) => summary.failures.push(*failure),
            }
        }
    });
    summary.failures.sort_by_key(|failure| failure.seed);
    summary
}

fn work(batch: &Batch, next: &AtomicU64, outcome: &Sender<Result<Passed, Box<Failure>>>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= batch.seeds.end || outcome.send(one(batch, seed)).is_err() {
            return;
        }
    }
}

/// Runs one seed of a batch, once or twice.
fn one(batch: &Batch, seed: u64) -> Result<Passed, Box<Failure>> {
    let mut scenario = match batch.resizes {
        true => Scenario::resizing(seed),
        false => Scenario::of(seed),
    };
    scenario.tamper = batch.tamper;
    if let Some(shards) = batch.shards {
        scenario = scenario.over(shards);
    }
    if let Some(io_shards) = batch.io_shards {
        scenario = scenario.split(io_shards);
    }
    let first = run(&scenario);
    let again = batch.repeat_every > 0 && seed.is_multiple_of(batch.repeat_every);
    if first.is_ok() && !again {
        return first;
    }
    // A failure that does not repeat is a failure of its own.
    let (first_hash, second) = (trace_hash(&first), trace_hash(&run(&scenario)));
    if first_hash != second {
        let fault = Fault::NotRepeatable { second };
        return Err(Failure::new(&scenario, first_hash, fault));
    }
    first
}

fn trace_hash(outcome: &Result<Passed, Box<Failure>>) -> u64 {
    match outcome {
        Ok(passed) => passed.trace_hash,
        Err(failure) => failure.trace_hash,
    }
}
