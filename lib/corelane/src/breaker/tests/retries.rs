//! The retry budget: its share, its reserve, its window.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{RetryBudget, RetryBudgetOptions, RetryStats};

const MS: u64 = 1_000_000;

fn budget(percent: u32, reserve_per_s: u32) -> RetryBudget {
    RetryBudget::new(RetryBudgetOptions {
        percent,
        reserve_per_s,
        window: Duration::from_secs(1),
    })
    .unwrap()
}

/// How many retries pass after `calls` calls, all at once.
fn granted(budget: &mut RetryBudget, calls: usize, now_ns: u64) -> usize {
    (0..calls).for_each(|_| budget.on_call(now_ns));
    (0..1000)
        .take_while(|_| budget.try_retry(now_ns).is_ok())
        .count()
}

#[test]
fn retries_are_a_share_of_calls_and_a_reserve() {
    let rows = [
        (20, 0, 100, 20),
        (20, 0, 4, 0),
        (20, 0, 5, 1),
        (20, 3, 0, 3),
        (10, 5, 100, 15),
        (100, 0, 7, 7),
        (0, 0, 100, 0),
    ];
    for (percent, reserve, calls, retries) in rows {
        let granted = granted(&mut budget(percent, reserve), calls, 0);
        assert_eq!(granted, retries, "{percent}% and {reserve} of {calls}");
    }
}

#[test]
fn an_outage_costs_a_fifth_more_calls_not_twice_as_many() {
    let mut budget = budget(20, 0);
    let mut attempts = 0;
    for call in 0..10_000 {
        let now_ns = call * MS;
        budget.on_call(now_ns);
        // Every attempt fails, and everybody would try three times.
        attempts += 1 + (0..2).filter(|_| budget.try_retry(now_ns).is_ok()).count();
    }
    assert!((11_900..=12_200).contains(&attempts), "{attempts}");
    let RetryStats {
        calls,
        retries,
        refused,
    } = budget.stats();
    assert_eq!((calls, retries + refused), (10_000, 20_000));
}

#[test]
fn the_window_passes() {
    let mut budget = budget(20, 0);
    assert_eq!(granted(&mut budget, 10, 0), 2);
    assert_eq!(granted(&mut budget, 0, 999 * MS), 0);
    assert_eq!(
        granted(&mut budget, 10, 1000 * MS),
        2,
        "the first calls are forgotten"
    );
    assert_eq!(granted(&mut budget, 0, u64::MAX), 0, "so are these");
}

#[test]
fn bad_options_are_refused_in_words() {
    let ok = RetryBudgetOptions::default();
    let window = Duration::ZERO;
    let rows = [
        (
            RetryBudgetOptions { percent: 101, ..ok },
            "`percent` is 101",
        ),
        (RetryBudgetOptions { window, ..ok }, "`window` is too short"),
    ];
    for (options, words) in rows {
        let said = RetryBudget::new(options).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
}

proptest! {
    /// Against lists of all calls and retries, of which those in the last ten slices of 100 ms count.
    #[test]
    fn it_counts_what_its_window_holds(
        percent in 0u32..=100,
        reserve in 0u32..5,
        events in prop::collection::vec((any::<bool>(), 0u64..80 * MS), 0..200),
    ) {
        let mut budget = budget(percent, reserve);
        let (mut calls, mut retries): (Vec<u64>, Vec<u64>) = Default::default();
        let mut now_ns = 0;
        for (retry, passed_ns) in events {
            now_ns += passed_ns;
            let slice = |at_ns: u64| at_ns / (100 * MS);
            let recent = |list: &[u64]| list.iter().filter(|at| slice(**at) + 10 > slice(now_ns)).count() as u64;
            if retry {
                let may = recent(&retries) < recent(&calls) * u64::from(percent) / 100 + u64::from(reserve);
                prop_assert_eq!(budget.try_retry(now_ns).is_ok(), may);
                if may {
                    retries.push(now_ns);
                }
            } else {
                budget.on_call(now_ns);
                calls.push(now_ns);
            }
        }
    }
}
