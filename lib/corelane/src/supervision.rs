//! What to do when a child fails: whom to restart, how soon, and when to give up.
//!
//! The decisions only. [`Supervisor`] is a state machine that is told of failures and answers with a
//! [`Verdict`]; time and randomness are handed to it, and whoever runs the children carries the verdict
//! out. The ideas are those of Erlang's supervisors
//! (<https://www.erlang.org/doc/system/sup_princ.html>), with a backoff that grows.
//!
//! - A [`Strategy`] says which children fall with the one that failed.
//! - A [`RestartBudget`] says how many failures within a window are too many. Then the supervisor
//!   escalates: what keeps failing is not mended by another restart, and its owner must hear of it.
//! - A [`Backoff`] spaces the restarts of one child, twice as long each time, until it succeeds again.
//!
//! ```
//! use corelane::supervision::{Escalation, Supervision, Supervisor, Strategy, Verdict};
//! use std::time::Duration;
//!
//! let options = Supervision {
//!     strategy: Strategy::RestForOne,
//!     max_restarts: 2,
//!     window: Duration::from_secs(10),
//!     ..Supervision::default()
//! };
//! let mut supervisor = Supervisor::new(options, 4)?;
//!
//! // Child 1 fails, and with it fall those that were started after it.
//! let Verdict::Restart { who, after_ns } = supervisor.on_failure(1, 0, 7) else { panic!() };
//! assert_eq!(who, 1..4);
//! assert!(after_ns <= 1_000_000);
//! who.for_each(|child| supervisor.on_start(child));
//!
//! // The third failure within ten seconds is one too many.
//! supervisor.on_failure(3, 1_000, 7);
//! supervisor.on_start(3);
//! let verdict = supervisor.on_failure(3, 2_000, 7);
//! assert!(matches!(verdict, Verdict::Escalate { reason: Escalation::BudgetSpent { .. } }));
//! # Ok::<(), corelane::supervision::SupervisionError>(())
//! ```

mod backoff;
mod budget;
mod error;
mod strategy;
mod supervisor;
#[cfg(test)]
mod tests;

pub(crate) use backoff::nanos;
pub use backoff::{Backoff, Jitter};
pub use budget::{BudgetSpent, MAX_RESTARTS, RestartBudget};
pub use error::SupervisionError;
pub use strategy::Strategy;
pub use supervisor::{Escalation, MAX_CHILDREN, Supervision, Supervisor, SupervisorStats, Verdict};
