//! How long to wait before the next attempt: twice as long each time, up to a cap, and not all at once.
//!
//! The kinds of jitter are those of Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog,
//! 2015). Apart from the supervisor because retries of calls need it too.

use std::time::Duration;

use super::SupervisionError;

/// Delays that double from a base up to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    base_ns: u64,
    cap_ns: u64,
    jitter: Jitter,
}

/// How much of a delay is left to chance, so that what failed together does not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Jitter {
    /// Nothing: the delay itself.
    None,
    /// The upper half: from half the delay to all of it.
    #[default]
    Equal,
    /// Everything: from nothing to all of the delay. Spreads best, and may come back at once.
    Full,
}

impl Backoff {
    /// From `base`, doubled with each attempt, up to `cap`, with [`Jitter::Equal`].
    ///
    /// A `base` of zero never waits.
    ///
    /// # Errors
    /// If `cap` is below `base`.
    pub fn new(base: Duration, cap: Duration) -> Result<Self, SupervisionError> {
        if cap < base {
            return Err(SupervisionError::CapBelowBase { base, cap });
        }
        Ok(Self {
            base_ns: nanos(base),
            cap_ns: nanos(cap),
            jitter: Jitter::default(),
        })
    }

    /// The same delays with this jitter.
    #[must_use]
    pub fn jittered(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// How long to wait after `attempt` attempts have failed before (0 at the first), in nanoseconds;
    /// `random` is any number of 64 bits, all of them alike.
    #[must_use]
    pub fn after_ns(&self, attempt: u32, random: u64) -> u64 {
        let factor = 1u64.checked_shl(attempt).unwrap_or(u64::MAX);
        let delay = self.base_ns.saturating_mul(factor).min(self.cap_ns);
        match self.jitter {
            Jitter::None => delay,
            Jitter::Equal => delay - up_to(delay / 2, random),
            Jitter::Full => up_to(delay, random),
        }
    }
}

impl Default for Backoff {
    /// From a millisecond to ten seconds.
    fn default() -> Self {
        Self {
            base_ns: 1_000_000,
            cap_ns: 10_000_000_000,
            jitter: Jitter::default(),
        }
    }
}

/// A number from 0 to `most`, each as likely.
fn up_to(most: u64, random: u64) -> u64 {
    ((u128::from(random) * (u128::from(most) + 1)) >> 64) as u64
}

/// A duration in nanoseconds; what exceeds 584 years is cut.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Jitter};
    use proptest::prelude::*;
    use std::time::Duration;

    const MS: u64 = 1_000_000;

    fn backoff(base_ms: u64, cap_ms: u64) -> Backoff {
        let [base, cap] = [base_ms, cap_ms].map(Duration::from_millis);
        Backoff::new(base, cap).unwrap()
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let rows = [
            (0, 10),
            (1, 20),
            (2, 40),
            (6, 640),
            (7, 1000),
            (63, 1000),
            (64, 1000),
            (u32::MAX, 1000),
        ];
        let plain = backoff(10, 1000).jittered(Jitter::None);
        for (attempt, ms) in rows {
            assert_eq!(plain.after_ns(attempt, 99), ms * MS, "attempt {attempt}");
        }
        assert_eq!(backoff(0, 1000).after_ns(u32::MAX, 1), 0);
        let longest = Backoff::new(Duration::MAX, Duration::MAX).unwrap();
        assert_eq!(longest.after_ns(3, 0), u64::MAX);
    }

    #[test]
    fn jitter_reaches_both_of_its_ends() {
        let rows = [
            (Jitter::None, 80, 80),
            (Jitter::Equal, 40, 80),
            (Jitter::Full, 0, 80),
        ];
        for (jitter, least, most) in rows {
            let backoff = backoff(10, 1000).jittered(jitter);
            let mut ends = [0, u64::MAX].map(|random| backoff.after_ns(3, random));
            ends.sort_unstable();
            assert_eq!(ends, [least * MS, most * MS], "{jitter:?}");
        }
    }

    #[test]
    fn a_cap_below_the_base_is_refused() {
        let [long, short] = [2, 1].map(Duration::from_secs);
        let said = Backoff::new(long, short).unwrap_err().to_string();
        assert!(said.contains("begins at 2s") && said.contains("raise the cap"));
    }

    proptest! {
        #[test]
        fn delays_stay_within_their_bounds(base in 0u64..10_000, more in 0u64..100_000, attempt in 0u32..80, random: u64) {
            let cap = base + more;
            let full = (base as f64 * 2f64.powi(attempt as i32)).min(cap as f64) as u64 * MS;
            let equal = backoff(base, cap).after_ns(attempt, random);
            prop_assert!(equal >= full / 2 && equal <= full);
            prop_assert!(backoff(base, cap).jittered(Jitter::Full).after_ns(attempt, random) <= full);
        }
    }
}
