//! What a bounded channel is told when it is made: how much it holds, what a full queue does, how long
//! a wait spins.

use std::fmt;

use crate::ring::Shape;

/// Values that an unbounded channel holds before it refuses: far more than a backlog, far less than
/// what ends a process. A sender that reaches it has a receiver that is gone in all but name.
pub const UNBOUNDED_LIMIT: usize = 16 * 1024 * 1024;

/// Most [`Options::spin`] steps: step `n` pauses `2^n` times, so ten are some ten microseconds.
pub const SPIN_STEPS_MAX: u32 = 10;

/// What becomes of a value that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Full {
    /// `send` waits for room; `try_send` gives the value back. Backpressure: nothing is lost.
    #[default]
    Wait,
    /// Every send gives the value back at once. The caller decides.
    Fail,
    /// The oldest value in the queue is dropped for the new one. For readings where the latest counts.
    DropOldest,
    /// The new value is dropped. For samples and logs where any will do.
    DropNewest,
    /// Refuses before the queue is full: from `high` waiting values on every send gives its value back,
    /// until there are no more than `low`. The gap keeps an overloaded service from swinging between
    /// yes and no at every value; what was accepted waits for `high` values at most.
    Shed {
        /// Waiting values at which it begins to refuse.
        high: usize,
        /// Waiting values at which it accepts again; below `high`.
        low: usize,
    },
}

/// Everything about a bounded channel.
///
/// ```
/// use corelane_channel::{Full, Options, mpsc};
///
/// let options = Options::new(1024).full(Full::Shed { high: 900, low: 600 });
/// let (tx, rx) = mpsc::with::<u64>(options)?;
/// # drop((tx, rx));
/// # Ok::<(), corelane_channel::OptionsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub(crate) capacity: usize,
    pub(crate) full: Full,
    pub(crate) spin_blocking: u32,
    pub(crate) spin_polled: u32,
}

impl Options {
    /// Holds at most `capacity` values; waits when full.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            full: Full::Wait,
            spin_blocking: 7,
            spin_polled: 5,
        }
    }

    /// What a full queue does.
    #[must_use]
    pub const fn full(mut self, full: Full) -> Self {
        self.full = full;
        self
    }

    /// How long a wait looks again before it sleeps, in steps: step `n` pauses `2^n` times and looks.
    /// `blocking` for threads; `polled` for tasks, where other tasks wait meanwhile (0: not at all).
    /// No more than [`SPIN_STEPS_MAX`] each.
    #[must_use]
    pub const fn spin(mut self, blocking: u32, polled: u32) -> Self {
        self.spin_blocking = blocking;
        self.spin_polled = polled;
        self
    }

    /// The queue this asks for.
    pub(crate) fn shape(&self) -> Result<Shape, OptionsError> {
        if self.capacity == 0 {
            return Err(OptionsError::NoRoom);
        }
        if self.spin_blocking.max(self.spin_polled) > SPIN_STEPS_MAX {
            return Err(OptionsError::Spin);
        }
        match self.full {
            Full::Shed { high, low } if low >= high || high > self.capacity => {
                Err(OptionsError::Marks {
                    high,
                    low,
                    capacity: self.capacity,
                })
            }
            Full::DropOldest => Ok(Shape::Overwriting(self.capacity)),
            _ => Ok(Shape::Bounded(self.capacity)),
        }
    }
}

/// Why a channel cannot be made as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// A capacity of 0.
    NoRoom,
    /// More spinning than [`SPIN_STEPS_MAX`].
    Spin,
    /// Marks of [`Full::Shed`] that do not fit each other or the capacity.
    Marks {
        /// The mark at which refusing begins.
        high: usize,
        /// The mark at which it ends.
        low: usize,
        /// The values the channel holds.
        capacity: usize,
    },
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str(
                "a channel needs room for at least one value: give it a capacity of 1 or more",
            ),
            Self::Spin => write!(
                f,
                "a wait may spin for {SPIN_STEPS_MAX} steps at most, each twice as long as the one \
                 before: ask for fewer"
            ),
            Self::Marks {
                high,
                low,
                capacity,
            } => write!(
                f,
                "a channel of {capacity} values cannot shed between {high} and {low}: `low` must be \
                 below `high`, and `high` no more than the capacity"
            ),
        }
    }
}

impl std::error::Error for OptionsError {}
