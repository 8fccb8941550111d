//! Operations: who asked for what, when, and what came of it.

/// One operation. A history is a slice of these in which each process's operations stand in the order in which
/// it called them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op<A, R> {
    /// Who called. Operations of one process take effect in the order in which they were called.
    pub process: u32,
    /// When it was called.
    pub called_ns: u64,
    /// What was asked.
    pub action: A,
    /// How it ended.
    pub end: End<R>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<R> {
    /// Its reply arrived.
    Replied {
        /// When.
        at_ns: u64,
        /// What it said.
        reply: R,
    },
    /// It took effect; what it would have answered is not known.
    Done {
        /// By when.
        by_ns: u64,
    },
    /// Nobody knows: it may have taken effect, may do so later, or never.
    Open,
}

impl<R> End<R> {
    /// The time at which it was over; never, where that is not known.
    pub fn over_ns(&self) -> u64 {
        match self {
            Self::Replied { at_ns, .. } => *at_ns,
            Self::Done { by_ns } => *by_ns,
            Self::Open => u64::MAX,
        }
    }

    /// The reply, if it is known.
    pub fn reply(&self) -> Option<&R> {
        match self {
            Self::Replied { reply, .. } => Some(reply),
            Self::Done { .. } | Self::Open => None,
        }
    }

    /// Whether it may never have taken effect.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}
