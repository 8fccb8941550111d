//! What is refused here, and what to do about it.

use super::{MAX_PROBES, MAX_WINDOW_CALLS};

/// A call that the breaker did not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; try again in {} ms at the earliest", retry_after_ns.div_ceil(1_000_000))]
pub struct Open {
    /// When it makes sense to ask again, in nanoseconds from now. Never 0.
    pub retry_after_ns: u64,
    /// Why it was refused.
    pub reason: OpenReason,
}

/// Why a breaker refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenReason {
    /// Calls failed too often, and the time to look again has not come.
    Failing,
    /// As many probes as are let through are on their way.
    Probing,
}

impl std::fmt::Display for OpenReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Failing => "calls failed too often lately, and none is let through",
            Self::Probing => "calls failed too often lately, and the probes have not returned yet",
        })
    }
}

/// A retry that would be more than the budget's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{retries} retries of {calls} calls within the window are as many as may be: answer with the \
     error at hand"
)]
pub struct RetriesSpent {
    /// The calls within the window.
    pub calls: u64,
    /// The retries within the window.
    pub retries: u64,
}

/// Why a breaker or a retry budget was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BreakerError {
    /// A share that is none.
    #[error("`failure_percent` is {percent}: give 1 to 100, where 50 opens at half of the calls")]
    FailurePercent {
        /// What was given.
        percent: u32,
    },
    /// A window that can hold nothing or too much.
    #[error("`window_calls` is {calls}: give 1 to {MAX_WINDOW_CALLS}")]
    WindowCalls {
        /// What was given.
        calls: u32,
    },
    /// A breaker that could never open, or opens without a call.
    #[error(
        "`minimum_calls` is {minimum} and the window holds {window_calls} calls: give 1 to {window_calls}, \
         or widen the window"
    )]
    MinimumCalls {
        /// What was given.
        minimum: u32,
        /// The calls in a window.
        window_calls: u32,
    },
    /// No way back, or one for everybody.
    #[error("`probes` is {probes}: give 1 to {MAX_PROBES}")]
    Probes {
        /// What was given.
        probes: u32,
    },
    /// A time that is zero or as good as zero.
    #[error("`{what}` is too short to mean anything: give a microsecond or more")]
    TooShort {
        /// The option.
        what: &'static str,
    },
    /// A budget that would let everything through.
    #[error("`percent` is {percent}: give 0 to 100, where 20 lets one call in five be tried again")]
    RetryPercent {
        /// What was given.
        percent: u32,
    },
}
