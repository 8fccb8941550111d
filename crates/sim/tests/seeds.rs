//! Seeds pass, and pass the same way again.

use std::num::NonZero;

use corelane_sim::plan::Scenario;
use corelane_sim::{Batch, run, run_batch};

fn all_pass(batch: &Batch) {
    let summary = run_batch(batch, |_| {});
    let told: Vec<String> = summary.failures.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert_eq!(summary.passed, batch.seeds.end - batch.seeds.start);
    assert!(
        summary.undecided <= 2,
        "{} histories were too wild to be decided",
        summary.undecided
    );
}

#[test]
fn fifty_seeds_pass() {
    all_pass(&Batch {
        jobs: NonZero::new(2).expect("not zero"),
        ..Batch::new(0..50)
    });
}

#[test]
fn a_seed_repeats_to_the_last_step() {
    for seed in [1, 2, 3] {
        let first = run(&Scenario::of(seed)).expect("it passes");
        let second = run(&Scenario::of(seed)).expect("it passes");
        assert_eq!(first, second);
    }
}

#[test]
fn two_seeds_go_two_ways() {
    let hash = |seed| run(&Scenario::of(seed)).expect("it passes").trace_hash;
    assert_ne!(hash(1), hash(2));
}

/// Seeds that failed once, each with what they found. What a seed does changes when the scenarios do; it stays all the
/// same.
#[test]
fn what_was_found_once_stays_mended() {
    for (seed, found) in [
        (
            16,
            "CLIENT REPLY SKIP, a refused command, and then one reply too few",
        ),
        (1457, "a client that came before the node listened"),
        (
            2208,
            "a client that came back to a shard that had not waited for it before it stopped",
        ),
        (3303, "the same, where connections have shards of their own"),
        (6791, "a hole in what was sent before a simulated reset"),
        (18979, "a hole in what was sent before a simulated reset"),
    ] {
        if let Err(failure) = run(&Scenario::of(seed)) {
            panic!("once it found: {found}\n{failure}");
        }
    }
}
