//! What a breaker and a retry budget are told, and the bounds of it.

use std::time::Duration;

use super::BreakerError;

/// The most calls that a breaker's window remembers, of 16 bytes each.
pub const MAX_WINDOW_CALLS: u32 = 1 << 16;

/// The most probes of a breaker that is half open.
pub const MAX_PROBES: u32 = 1024;

/// When a [`Breaker`](super::Breaker) opens, and how it closes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerOptions {
    /// How many calls are judged together, the latest ones.
    pub window_calls: u32,
    /// How long a call is remembered.
    pub window: Duration,
    /// With fewer calls than this in the window nothing is judged.
    pub minimum_calls: u32,
    /// The share of failures at which it opens, in percent of the calls in the window.
    pub failure_percent: u32,
    /// How long it stays open before probes are let through; also how long probes may take to return.
    pub open_for: Duration,
    /// How many calls are let through to find out, and must all succeed.
    pub probes: u32,
}

impl Default for BreakerOptions {
    /// Opens for five seconds when half of the last 100 calls, within ten seconds and at least 20,
    /// failed; closes after three probes.
    fn default() -> Self {
        Self {
            window_calls: 100,
            window: Duration::from_secs(10),
            minimum_calls: 20,
            failure_percent: 50,
            open_for: Duration::from_secs(5),
            probes: 3,
        }
    }
}

impl BreakerOptions {
    pub(super) fn check(&self) -> Result<(), BreakerError> {
        let (minimum, window_calls) = (self.minimum_calls, self.window_calls);
        check_long(self.window, "window")?;
        check_long(self.open_for, "open_for")?;
        if !(1..=MAX_WINDOW_CALLS).contains(&window_calls) {
            let calls = window_calls;
            return Err(BreakerError::WindowCalls { calls });
        }
        if !(1..=window_calls).contains(&minimum) {
            return Err(BreakerError::MinimumCalls {
                minimum,
                window_calls,
            });
        }
        if !(1..=100).contains(&self.failure_percent) {
            let percent = self.failure_percent;
            return Err(BreakerError::FailurePercent { percent });
        }
        if !(1..=MAX_PROBES).contains(&self.probes) {
            let probes = self.probes;
            return Err(BreakerError::Probes { probes });
        }
        Ok(())
    }
}

/// How many retries a [`RetryBudget`](super::RetryBudget) lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetOptions {
    /// Retries in percent of the calls within the window.
    pub percent: u32,
    /// Retries per second on top of that, so that a caller of few calls may retry at all.
    pub reserve_per_s: u32,
    /// The span over which calls and retries are compared, to a tenth of it.
    pub window: Duration,
}

impl Default for RetryBudgetOptions {
    /// One call in five, and ten a second on top, over ten seconds, as Finagle has it.
    fn default() -> Self {
        Self {
            percent: 20,
            reserve_per_s: 10,
            window: Duration::from_secs(10),
        }
    }
}

impl RetryBudgetOptions {
    pub(super) fn check(&self) -> Result<(), BreakerError> {
        check_long(self.window, "window")?;
        if self.percent > 100 {
            let percent = self.percent;
            return Err(BreakerError::RetryPercent { percent });
        }
        Ok(())
    }
}

fn check_long(time: Duration, what: &'static str) -> Result<(), BreakerError> {
    if time < Duration::from_micros(1) {
        return Err(BreakerError::TooShort { what });
    }
    Ok(())
}
