//! What a pool has counted.

/// What one worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WorkerStatus {
    /// Not started yet, or put to sleep by a resize.
    Resting,
    /// Handles messages.
    Running,
    /// Lets them wait.
    Paused,
    /// Has panicked, and its next state is on its way.
    Restarting,
    /// Has handled everything and left, or fell with its pool.
    Stopped,
}

impl WorkerStatus {
    pub(super) fn from_u8(status: u8) -> Self {
        [
            Self::Resting,
            Self::Running,
            Self::Paused,
            Self::Restarting,
            Self::Stopped,
        ][usize::from(status)]
    }
}

/// What one worker has counted since its pool's start, over all its restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// What it is doing.
    pub status: WorkerStatus,
    /// Messages that wait now, those on their way included.
    pub waiting: u64,
    /// Messages handled well.
    pub handled: u64,
    /// Times that a message failed: its handler said so or panicked.
    pub failed: u64,
    /// Of these, tried again.
    pub retried: u64,
    /// Messages given up that went nowhere.
    pub dropped: u64,
    /// Messages given up that went to the dead letters.
    pub dead_letters: u64,
    /// Messages refused because the mailbox was full. A sender that waits is refused once each time it tries.
    pub refused: u64,
    /// Panics, of handlers and of everything else.
    pub panics: u64,
    /// States made after the first.
    pub restarts: u64,
    /// Batches handled.
    pub batches: u64,
}

/// What a pool has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// By worker, those that sleep until a resize included.
    pub workers: Vec<WorkerStats>,
}

impl PoolStats {
    /// Messages handled well by all.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.workers.iter().map(|worker| worker.handled).sum()
    }

    /// Messages that wait now.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.workers.iter().map(|worker| worker.waiting).sum()
    }

    /// States made after the first ones.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.workers.iter().map(|worker| worker.restarts).sum()
    }
}
