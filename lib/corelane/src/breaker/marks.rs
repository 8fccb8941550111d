//! What dropped permits leave behind for their breaker. Apart from the permit because a model checker
//! runs it over atomics of its own.

use super::atomics::{AtomicU64, Ordering};

/// Counts dropped permits. What was given out before the breaker last opened or closed belongs to an
/// earlier generation and says nothing any more.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The generation in the upper half, the permits of it that were dropped in the lower: one word, so
    /// that a drop is counted for the generation it belongs to, whatever the breaker does meanwhile.
    current: AtomicU64,
    /// Permits of earlier generations that were dropped.
    late: AtomicU64,
}

impl Marks {
    pub(super) fn generation(&self) -> u32 {
        (self.current.load(Ordering::Relaxed) >> 32) as u32
    }

    /// How many permits were dropped since this was last asked: of this generation, and of earlier ones.
    pub(super) fn take(&self) -> (u64, u64) {
        let count = u64::from(u32::MAX);
        // Mostly nobody has dropped any, and reading is cheaper than writing.
        let dropped = match self.current.load(Ordering::Relaxed) & count {
            0 => 0,
            _ => self.current.fetch_and(!count, Ordering::Relaxed) & count,
        };
        let late = match self.late.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.late.swap(0, Ordering::Relaxed),
        };
        (dropped, late)
    }

    /// Begins the next generation. What was dropped of this one and not taken yet is late.
    pub(super) fn advance(&self) {
        let next = u64::from(self.generation().wrapping_add(1)) << 32;
        let untaken = self.current.swap(next, Ordering::Relaxed) & u64::from(u32::MAX);
        self.late.fetch_add(untaken, Ordering::Relaxed);
    }

    /// A permit of this generation was dropped. From any thread.
    pub(super) fn drop_of(&self, generation: u32) {
        // Nothing but the counts is passed on, so no order is needed.
        let counted = self
            .current
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |current| {
                ((current >> 32) as u32 == generation).then(|| current + 1)
            });
        if counted.is_err() {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}
