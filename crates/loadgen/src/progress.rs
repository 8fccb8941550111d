//! What a run says about itself while it goes on, for a progress bar.

use std::fmt;
use std::time::Duration;

/// A part of a run. Phases follow each other in this order; some runs leave some out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Every key is written once.
    Fill,
    /// The workload runs, and nothing is recorded.
    WarmUp,
    /// The workload runs and is recorded.
    Measure,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fill => "fill",
            Self::WarmUp => "warm-up",
            Self::Measure => "measurement",
        })
    }
}

/// How a phase is getting on. Sent about ten times a second, and once when the phase ends.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Which phase this is about.
    pub phase: Phase,
    /// How much of it is done, 0 to 1.
    pub fraction: f64,
    /// How long it has been running.
    pub elapsed: Duration,
    /// Replies received in it.
    pub replies: u64,
    /// Replies a second since the report before this one.
    pub per_second: f64,
    /// Error replies received in it.
    pub errors: u64,
}
