//! Bad use: each an error that says what is wrong and what to change.

use super::super::{RebalanceError, RebalanceOptions, Rebalancer, plan_resize};
use super::even;

fn check<T>(result: Result<T, RebalanceError>, words: &str) {
    let Err(error) = result else {
        panic!("nothing was refused, but {words:?} should have been");
    };
    let said = error.to_string();
    assert!(said.contains(words), "{words:?} is missing in: {said}");
}

#[test]
fn resizes() {
    check(plan_resize(&even(8, 2), 0), "0 shards: ask for 1 or more");
    check(
        plan_resize(&even(8, 2), 9),
        "over 9 shards: ask for 8 or fewer",
    );
    check(plan_resize(&[], 1), "0 partitions");
    check(plan_resize(&even(300, 2), 257), "ask for 256 or fewer");
}

#[test]
fn options() {
    let ok = RebalanceOptions::default();
    let rows = [
        (
            RebalanceOptions {
                low_percent: 130,
                ..ok
            },
            "100 <= low < high",
        ),
        (
            RebalanceOptions {
                low_percent: 99,
                ..ok
            },
            "`low_percent` is 99",
        ),
        (
            RebalanceOptions {
                sample_percent: 0,
                ..ok
            },
            "`sample_percent` is 0",
        ),
        (
            RebalanceOptions {
                sample_percent: 101,
                ..ok
            },
            "`sample_percent` is 101",
        ),
        (
            RebalanceOptions {
                moves_per_round: 0,
                ..ok
            },
            "give 1 to 64",
        ),
        (
            RebalanceOptions {
                moves_per_round: 65,
                ..ok
            },
            "give 1 to 64",
        ),
        (
            RebalanceOptions {
                patience_rounds: 0,
                ..ok
            },
            "`patience_rounds` is 0",
        ),
        (
            RebalanceOptions {
                cooldown_rounds: 0,
                ..ok
            },
            "`cooldown_rounds` is 0",
        ),
    ];
    for (options, words) in rows {
        check(Rebalancer::new(options, 8), words);
    }
}

#[test]
fn rounds() {
    let mut rebalancer = Rebalancer::new(RebalanceOptions::default(), 8).unwrap();
    check(
        rebalancer.round(&even(8, 2), 2, &[1; 7]),
        "7 loads and 8 owners",
    );
    check(
        rebalancer.round(&even(9, 2), 2, &[1; 8]),
        "for 8 partitions",
    );
    check(rebalancer.round(&even(8, 2), 0, &[1; 8]), "0 shards");
    check(
        rebalancer.round(&even(8, 2), 1, &[1; 8]),
        "partition 4 is owned by shard 1, and there are 1 shards: finish the resize",
    );
    assert_eq!(rebalancer.stats().rounds, 0, "a refused round is none");
    assert_eq!(rebalancer.round(&even(8, 2), 2, &[1; 8]), Ok(vec![]));
}
