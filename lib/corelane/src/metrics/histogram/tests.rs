//! Against a list of all durations, sorted: slow, and exact.

use std::time::Duration;

use proptest::prelude::*;

use super::{BUCKETS, Distribution, FINEST_NS, Histogram, LONGEST_NS, bucket, upper_ns};

fn recorded(durations: &[u64]) -> Distribution {
    let histogram = Histogram::default();
    durations.iter().for_each(|&ns| histogram.record(ns));
    histogram.read()
}

/// Holds a quantile against the exact one of the sorted durations.
fn check(durations: &[u64], quantile: f64) {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    let exact = sorted[rank.max(1) - 1];
    let got = recorded(durations).quantile(quantile).expect("not empty");
    let got = got.as_nanos() as u64;
    let most = match exact {
        ..FINEST_NS => exact + FINEST_NS / 8,
        FINEST_NS..LONGEST_NS => exact + exact / 8,
        _ => LONGEST_NS,
    };
    assert!(
        (exact.min(LONGEST_NS)..=most).contains(&got),
        "{quantile} of {sorted:?}: {got}, exactly {exact}"
    );
}

fn duration() -> impl Strategy<Value = u64> {
    (0..64u32, any::<u64>()).prop_map(|(shift, bits)| bits >> shift)
}

proptest! {
    #[test]
    fn quantiles_are_within_the_stated_error(
        durations in prop::collection::vec(duration(), 1..200),
        quantile in 0.0..=1.0f64,
    ) {
        check(&durations, quantile);
        check(&durations, 1.0);
    }

    #[test]
    fn together_is_as_recorded_in_one(
        a in prop::collection::vec(0..1u64 << 40, 0..50),
        b in prop::collection::vec(0..1u64 << 40, 0..50),
    ) {
        let mut merged = recorded(&a);
        merged.merge(&recorded(&b));
        let both: Vec<u64> = a.into_iter().chain(b).collect();
        prop_assert_eq!(merged.count(), both.len() as u64);
        prop_assert_eq!(merged.sum_ns(), both.iter().sum::<u64>());
        prop_assert_eq!(merged, recorded(&both));
    }

    #[test]
    fn counts_below_a_power_of_two_are_exact(
        durations in prop::collection::vec(duration(), 0..100),
        log2 in 3..=36u32,
    ) {
        let exact = durations.iter().filter(|&&ns| ns <= 1 << log2).count();
        prop_assert_eq!(recorded(&durations).at_most(1 << log2), exact as u64);
    }
}

#[test]
fn buckets_follow_one_another_without_a_gap() {
    for at in 0..BUCKETS - 1 {
        assert_eq!(bucket(upper_ns(at)), at);
        assert_eq!(bucket(upper_ns(at) + 1), at + 1);
    }
    assert_eq!(upper_ns(BUCKETS - 2), LONGEST_NS);
    assert_eq!((bucket(0), bucket(u64::MAX)), (0, BUCKETS - 1));
}

#[test]
fn one_may_stand_for_many() {
    let histogram = Histogram::default();
    histogram.record_n(1000, 32);
    histogram.record(3000);
    let read = histogram.read();
    assert_eq!((read.count(), read.sum_ns()), (33, 35_000));
    assert_eq!(read.mean(), Some(Duration::from_nanos(1060)));
    assert_eq!(read.quantile(0.5), Some(Duration::from_nanos(1024)));
}

#[test]
fn nothing_has_no_quantile() {
    let nothing = Distribution::default();
    assert_eq!((nothing.quantile(0.5), nothing.mean()), (None, None));
}

/// The error is that of an HDR histogram of one digit less than two: the crate agrees to the same bound.
#[test]
fn hdrhistogram_agrees() {
    let mut peer = hdrhistogram::Histogram::<u64>::new(3).expect("three digits");
    let mut rng = fastrand::Rng::with_seed(7);
    let durations: Vec<u64> = (0..20_000)
        .map(|_| 100 + (rng.f64() * 20.0).exp2() as u64)
        .collect();
    durations
        .iter()
        .for_each(|&ns| peer.record(ns).expect("it grows"));
    let ours = recorded(&durations);
    for quantile in [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0] {
        let theirs = peer.value_at_quantile(quantile) as f64;
        let got = ours.quantile(quantile).expect("not empty").as_nanos() as f64;
        let ratio = got / theirs;
        assert!(
            (0.998..1.127).contains(&ratio),
            "{quantile}: {got}, not {theirs}"
        );
    }
}
