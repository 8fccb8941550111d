//! How often which durations were seen: fixed buckets, eight to every doubling, in less than 2 KiB.
//!
//! The layout is that of an HDR histogram with three bits below the leading one. What is below
//! [`FINEST_NS`] is told apart in steps of an eighth of it; from there to [`LONGEST_NS`] a bucket is never
//! wider than an eighth of its lower end, so a quantile is at most 12.5% above the exact one. What is longer
//! counts in the last bucket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::cell::add;

/// Bits that tell the buckets of one doubling apart.
const BITS: u32 = 3;
const PER_DOUBLING: usize = 1 << BITS;

/// From here on the error is relative; below it is [`FINEST_NS`]` / 8` at most.
pub const FINEST_NS: u64 = 1 << FINEST_LOG2;
const FINEST_LOG2: u32 = 6;

/// The longest duration that is told from longer ones: 68.7 s.
pub const LONGEST_NS: u64 = 1 << LONGEST_LOG2;
const LONGEST_LOG2: u32 = 36;

/// The last one is for what is above [`LONGEST_NS`].
const BUCKETS: usize = (LONGEST_LOG2 - FINEST_LOG2 + 1) as usize * PER_DOUBLING + 1;

const _: () = assert!(size_of::<Histogram>() <= 2048);

/// Durations in nanoseconds, recorded by one thread and readable by every one.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            sum_ns: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Records one duration.
    pub fn record(&self, ns: u64) {
        self.record_n(ns, 1);
    }

    /// Records one duration that stands for `n`, of which only this one was measured.
    pub fn record_n(&self, ns: u64, n: u64) {
        add(&self.buckets[bucket(ns)], n);
        add(&self.sum_ns, ns.saturating_mul(n));
    }

    /// What was recorded so far. Of what is recorded meanwhile, a part may be in it.
    #[must_use]
    pub fn read(&self) -> Distribution {
        Distribution {
            buckets: self
                .buckets
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            sum_ns: self.sum_ns.load(Ordering::Relaxed),
        }
    }
}

/// A copy of a [`Histogram`], or of several together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    buckets: Box<[u64]>,
    sum_ns: u64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS].into(),
            sum_ns: 0,
        }
    }
}

impl Distribution {
    /// How many durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together, exactly.
    #[must_use]
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// The mean, exactly; `None` where nothing was recorded.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let count = self.count();
        (count > 0).then(|| Duration::from_nanos(self.sum_ns / count))
    }

    /// What no more than a share of 1 - `quantile` of the durations exceeded: `quantile(0.99)` is the 99th
    /// percentile. Never below the exact value, and at most 12.5% ([`FINEST_NS`]` / 8` below [`FINEST_NS`]) above it;
    /// [`LONGEST_NS`] for whatever is longer; `None` where nothing was recorded.
    ///
    /// # Panics
    /// If `quantile` is not within 0 and 1.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        assert!(
            (0.0..=1.0).contains(&quantile),
            "a quantile is within 0 and 1, not {quantile}"
        );
        // Rounded up: the 99th percentile of ten durations is the tenth.
        let rank = ((quantile * self.count() as f64).ceil() as u64).max(1);
        let mut below = 0;
        let reached = self.buckets.iter().position(|count| {
            below += count;
            below >= rank
        });
        reached.map(|bucket| Duration::from_nanos(upper_ns(bucket).min(LONGEST_NS)))
    }

    /// How many durations were at most `bound_ns`: exact where that is a power of two from 8 ns to [`LONGEST_NS`],
    /// else of the whole bucket that it lies in.
    #[must_use]
    pub fn at_most(&self, bound_ns: u64) -> u64 {
        self.buckets[..=bucket(bound_ns)].iter().sum()
    }

    /// Adds the durations of another.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
    }
}

/// The bucket of a duration. Each holds its upper end and not its lower one, as Prometheus's do.
fn bucket(ns: u64) -> usize {
    let below = ns.saturating_sub(1).min(LONGEST_NS);
    if below < FINEST_NS {
        return (below >> (FINEST_LOG2 - BITS)) as usize;
    }
    let log2 = below.ilog2();
    let doubling = (log2 - FINEST_LOG2 + 1) as usize;
    let step = (below >> (log2 - BITS)) as usize % PER_DOUBLING;
    doubling * PER_DOUBLING + step
}

/// The longest duration of a bucket.
fn upper_ns(bucket: usize) -> u64 {
    if bucket < PER_DOUBLING {
        return (bucket as u64 + 1) << (FINEST_LOG2 - BITS);
    }
    let log2 = FINEST_LOG2 - 1 + (bucket / PER_DOUBLING) as u32;
    let step = (bucket % PER_DOUBLING) as u64 + 1;
    (1 << log2) + (step << (log2 - BITS))
}

#[cfg(test)]
mod tests;
