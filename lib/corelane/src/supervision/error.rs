//! What a supervisor's options get wrong, and what to change.

use std::time::Duration;

use super::{MAX_CHILDREN, MAX_RESTARTS};

/// Why a supervisor or a part of it was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SupervisionError {
    /// A cap below the base.
    #[error(
        "the backoff begins at {base:?} and may not exceed {cap:?}: raise the cap, or lower the base"
    )]
    CapBelowBase {
        /// The first delay.
        base: Duration,
        /// The longest one.
        cap: Duration,
    },
    /// A window in which nothing can happen.
    #[error(
        "{max_restarts} restarts within a window of zero are no limit: give the window a length, \
         such as a minute"
    )]
    NoWindow {
        /// The restarts allowed in it.
        max_restarts: u32,
    },
    /// More restarts than are remembered.
    #[error(
        "{max_restarts} restarts within a window are more than the {MAX_RESTARTS} that are \
         remembered: take fewer, in a shorter window"
    )]
    TooManyRestarts {
        /// The restarts that were to be allowed.
        max_restarts: u32,
    },
    /// More children than the bound.
    #[error(
        "{children} children are more than the {MAX_CHILDREN} of one supervisor: spread them over several"
    )]
    TooManyChildren {
        /// How many there were to be.
        children: usize,
    },
}
