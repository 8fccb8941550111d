//! What all placements must hold: golden placements, balance, few moved keys, refusals in words.

mod golden;
mod moves;
mod ordered;
mod refusals;

use super::{Partitioner, Range, RoundRobin};

/// `count` different keys, as users have them.
pub(super) fn keys(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|n| format!("user:{n}").into_bytes())
}

/// The smallest and the largest share among the targets, where 1 is an equal one.
pub(super) fn balance(partitioner: &dyn Partitioner, keys: usize) -> (f64, f64) {
    let counts = count(partitioner, keys);
    let share = |count: &usize| *count as f64 * counts.len() as f64 / keys as f64;
    let shares = counts.iter().map(share);
    shares.fold((f64::MAX, 0.0), |(least, most), share| {
        (least.min(share), most.max(share))
    })
}

/// How many of `keys` keys each target gets.
fn count(partitioner: &dyn Partitioner, keys_in_all: usize) -> Vec<usize> {
    let mut counts = vec![0; partitioner.targets()];
    keys(keys_in_all).for_each(|key| counts[partitioner.try_place(&key).unwrap()] += 1);
    counts
}

#[test]
fn one_value_serves_many_threads_behind_a_pointer() {
    let range = Range::new(&["m"]).unwrap();
    let shared: std::sync::Arc<dyn Partitioner> = std::sync::Arc::new(range);
    let there = shared.clone();
    let placed = std::thread::spawn(move || there.place(b"z")).join();
    assert_eq!((placed.unwrap(), shared.place(b"a")), (1, 0));

    let boxed: Box<dyn Partitioner> = Box::new(RoundRobin::new(2).unwrap());
    assert_eq!((boxed.name(), boxed.keyed()), ("round-robin", false));
    assert_eq!(boxed.resized(5).unwrap().targets(), 5);
}
