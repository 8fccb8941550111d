//! Retries as a share of calls.
//!
//! Retries help against what fails now and then, and finish off what is overloaded: with three attempts
//! each, calls triple when none succeeds. A budget knows the difference, as it sees all calls. After
//! Finagle's `RetryBudget`
//! (<https://twitter.github.io/finagle/guide/Clients.html#retries>) and the per-client retry budget of
//! Google's *Site Reliability Engineering*, chapter 21.

use super::{BreakerError, RetriesSpent, RetryBudgetOptions, RetryStats};
use crate::supervision::nanos;

/// The window is forgotten in so many steps.
const SLICES: usize = 10;

/// Allows so many retries as a share of the calls within a sliding window permits.
///
/// Tell it of each call's first attempt by [`on_call`](Self::on_call); ask it before each further one.
/// How long to wait before a retry is another matter:
/// [`Backoff`](crate::supervision::Backoff).
///
/// ```
/// use corelane::breaker::{RetryBudget, RetryBudgetOptions};
///
/// let no_reserve = RetryBudgetOptions { reserve_per_s: 0, ..RetryBudgetOptions::default() };
/// let mut budget = RetryBudget::new(no_reserve)?;
/// (0..10).for_each(|_| budget.on_call(0));
/// assert!(budget.try_retry(0).is_ok() && budget.try_retry(0).is_ok());
/// assert_eq!(budget.try_retry(0).unwrap_err().calls, 10); // two of ten are 20%
/// # Ok::<(), corelane::breaker::BreakerError>(())
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    percent: u64,
    reserve: u64,
    slice_ns: u64,
    /// The number of the latest slice, counted from the clock's zero.
    latest: u64,
    slices: [Slice; SLICES],
    /// All slices together.
    total: Slice,
    stats: RetryStats,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    calls: u64,
    retries: u64,
}

impl RetryBudget {
    /// One in whose window nothing has happened: the reserve is there.
    ///
    /// # Errors
    /// If the window is too short, or the share above 100 percent.
    pub fn new(options: RetryBudgetOptions) -> Result<Self, BreakerError> {
        options.check()?;
        let window_ns = nanos(options.window);
        let reserve = u128::from(options.reserve_per_s) * u128::from(window_ns) / 1_000_000_000;
        Ok(Self {
            percent: u64::from(options.percent),
            reserve: u64::try_from(reserve).unwrap_or(u64::MAX),
            slice_ns: window_ns.div_ceil(SLICES as u64),
            latest: 0,
            slices: [Slice::default(); SLICES],
            total: Slice::default(),
            stats: RetryStats::default(),
        })
    }

    /// A call is made for the first time.
    pub fn on_call(&mut self, now_ns: u64) {
        self.slice(now_ns).calls += 1;
        self.total.calls += 1;
        self.stats.calls += 1;
    }

    /// Asks to make a call once more.
    ///
    /// # Errors
    /// [`RetriesSpent`] if there have been enough; then nothing is taken.
    pub fn try_retry(&mut self, now_ns: u64) -> Result<(), RetriesSpent> {
        self.slice(now_ns);
        let share = self.total.calls.saturating_mul(self.percent) / 100;
        if self.total.retries >= share.saturating_add(self.reserve) {
            self.stats.refused += 1;
            let Slice { calls, retries } = self.total;
            return Err(RetriesSpent { calls, retries });
        }
        self.slice(now_ns).retries += 1;
        self.total.retries += 1;
        self.stats.retries += 1;
        Ok(())
    }

    /// What it has counted.
    #[must_use]
    pub fn stats(&self) -> RetryStats {
        self.stats
    }

    /// The latest slice; those that have left the window are forgotten. A clock that goes back stays in
    /// the latest one.
    fn slice(&mut self, now_ns: u64) -> &mut Slice {
        let number = now_ns / self.slice_ns;
        if number > self.latest {
            let passed = (number - self.latest).min(SLICES as u64);
            for old in (0..passed).map(|back| number - back) {
                let old = std::mem::take(&mut self.slices[index(old)]);
                self.total.calls -= old.calls;
                self.total.retries -= old.retries;
            }
            self.latest = number;
        }
        &mut self.slices[index(self.latest)]
    }
}

fn index(number: u64) -> usize {
    (number % SLICES as u64) as usize
}
