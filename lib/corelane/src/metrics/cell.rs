//! Numbers that one thread writes and every thread may read.
//!
//! A single writer needs no read-modify-write: load, add, store, all relaxed, which costs what adding
//! to a plain field costs. A reader sees each number whole and never an older one than before, but
//! not all numbers of one instant.

use std::sync::atomic::{AtomicU64, Ordering};

use super::block::Value;
use super::histogram::Histogram;

/// A count that only grows.
///
/// Only one thread may add; which one it is, is what [`Writer`](super::Writer) guards. Were there two, counts would
/// be lost, and nothing worse.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        add(&self.0, n);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A level that goes up and down. One thread sets it.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Sets the level.
    pub fn set(&self, level: u64) {
        self.0.store(level, Ordering::Relaxed);
    }

    /// The level.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One number of a block.
pub trait Cell {
    /// What it is now.
    fn value(&self) -> Value;
}

impl Cell for Counter {
    fn value(&self) -> Value {
        Value::Count(self.get())
    }
}

impl Cell for Gauge {
    fn value(&self) -> Value {
        Value::Level(self.get())
    }
}

impl Cell for Histogram {
    fn value(&self) -> Value {
        Value::Durations(self.read())
    }
}

/// Adds for the number's only writer.
pub(super) fn add(number: &AtomicU64, n: u64) {
    number.store(
        number.load(Ordering::Relaxed).wrapping_add(n),
        Ordering::Relaxed,
    );
}

#[cfg(test)]
mod tests {
    use super::{Counter, Gauge};

    #[test]
    fn a_reader_on_another_thread_never_sees_a_count_go_back() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut last = 0;
                while last < 100_000 {
                    let now = counter.get();
                    assert!(now >= last);
                    last = now;
                }
            });
            for _ in 0..50_000 {
                counter.add(2);
            }
            reader.join().expect("counts only grow");
        });
    }

    #[test]
    fn levels_go_both_ways() {
        let gauge = Gauge::default();
        gauge.set(7);
        gauge.set(3);
        assert_eq!(gauge.get(), 3);
    }
}
