//! The harness can fail: faults put between server and clients are found, each for what it is.

use std::time::Duration;

use corelane_sim::plan::{Scenario, Tamper};
use corelane_sim::{Failure, Fault, Passed, run};

const SEEDS: u64 = 12;

fn tampered(seed: u64, tamper: Tamper) -> Result<Passed, Box<Failure>> {
    let mut scenario = Scenario::of(seed);
    scenario.tamper = tamper;
    // A client that waits for what never comes need not do so for long.
    scenario.world.time_limit = Duration::from_secs(30);
    run(&scenario)
}

/// How many of the seeds fail, and how many of those as expected.
fn count(tamper: Tamper, expected: fn(&Fault) -> bool) -> (usize, usize) {
    let failures = (0..SEEDS).filter_map(|seed| tampered(seed, tamper).err());
    let faults: Vec<Fault> = failures.map(|failure| failure.fault).collect();
    let as_expected = faults.iter().filter(|fault| expected(fault)).count();
    (faults.len(), as_expected)
}

#[track_caller]
fn found(tamper: Tamper, expected: fn(&Fault) -> bool) {
    let (failed, as_expected) = count(tamper, expected);
    assert!(
        failed >= 9,
        "{tamper:?}: only {failed} of {SEEDS} runs failed"
    );
    assert!(
        as_expected >= 3,
        "{tamper:?}: {as_expected} of {failed} failures are of the kind that was meant"
    );
}

#[test]
fn replies_in_the_wrong_order_are_found() {
    found(Tamper::Swap, |fault| matches!(fault, Fault::Replies(_)));
}

#[test]
fn replies_left_out_are_found() {
    let found_by = |fault: &Fault| matches!(fault, Fault::Replies(_) | Fault::Stuck { .. });
    found(Tamper::Drop, found_by);
}

#[test]
fn replies_given_twice_are_found() {
    found(Tamper::Double, |fault| matches!(fault, Fault::Replies(_)));
}

#[test]
fn old_values_are_found() {
    let found_by = |fault: &Fault| matches!(fault, Fault::NotLinearizable(_));
    let (failed, as_expected) = count(Tamper::Stale, found_by);
    assert!(
        failed >= 6 && as_expected == failed,
        "{as_expected} of {failed}"
    );
}

#[test]
fn lost_writes_are_found() {
    let found_by = |fault: &Fault| matches!(fault, Fault::NotLinearizable(_));
    let (failed, as_expected) = count(Tamper::LoseWrite, found_by);
    assert!(
        failed >= 3 && as_expected == failed,
        "{as_expected} of {failed}"
    );
}

#[test]
fn late_replies_are_found() {
    found(Tamper::Delay, |fault| matches!(fault, Fault::Late(_)));
}

/// What a person gets to read.
#[test]
fn a_failure_says_how_to_see_it_again() {
    let failure = (0..SEEDS)
        .filter_map(|seed| tampered(seed, Tamper::Stale).err())
        .find(|failure| matches!(failure.fault, Fault::NotLinearizable(_)))
        .expect("old values are found");
    let text = failure.to_string();
    for part in [
        "no order of what clients did to ",
        "are impossible together",
        "then none of those with ? does",
        &format!("replay: cargo xtask sim --seed {}", failure.seed),
    ] {
        assert!(text.contains(part), "'{part}' is missing in:\n{text}");
    }
    let again = tampered(failure.seed, Tamper::Stale).expect_err("it fails again");
    assert_eq!(again.to_string(), text, "and in the same words");
    assert_eq!(again.trace_hash, failure.trace_hash);
}
