//! When not to call: a circuit breaker for what fails, and a budget for calls that are tried again.
//!
//! Both are pure: the clock's reading is handed in, and they refuse by values that say when to come back.
//!
//! - [`Breaker`]: stops calling what fails most of the time, and finds out with a few calls whether it
//!   works again (Michael Nygard, *Release It!*, "Circuit Breaker").
//! - [`RetryBudget`]: keeps retries a small share of calls, so that what is overloaded is not called
//!   twice as often for it (Google's *Site Reliability Engineering*, chapter "Handling Overload").
//!
//! ```
//! use corelane::breaker::{Breaker, BreakerOptions, Outcome};
//!
//! let mut breaker = Breaker::new(BreakerOptions { minimum_calls: 2, ..BreakerOptions::default() })?;
//! for now_ns in [1, 2] {
//!     let permit = breaker.allow(now_ns).expect("a new breaker is closed");
//!     breaker.record(permit, Outcome::Failure, now_ns);
//! }
//! let refused = breaker.allow(3).unwrap_err();
//! assert!(refused.to_string().contains("failed too often"));
//!
//! // After that time a few calls find out.
//! let permit = breaker.allow(3 + refused.retry_after_ns).expect("a probe");
//! breaker.record(permit, Outcome::Success, 3 + refused.retry_after_ns);
//! # Ok::<(), corelane::breaker::BreakerError>(())
//! ```

mod atomics {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}
mod circuit;
mod error;
mod marks;
mod options;
mod permit;
mod retry_budget;
mod stats;
#[cfg(test)]
mod tests;
mod window;

pub use circuit::{Breaker, BreakerState, Outcome};
pub use error::{BreakerError, Open, OpenReason, RetriesSpent};
pub use options::{BreakerOptions, MAX_PROBES, MAX_WINDOW_CALLS, RetryBudgetOptions};
pub use permit::Permit;
pub use retry_budget::RetryBudget;
pub use stats::{BreakerStats, RetryStats};
