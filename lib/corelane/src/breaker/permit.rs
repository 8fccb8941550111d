//! The permit of one call, and how the breaker hears of one that was dropped.
//!
//! A permit travels with a call, perhaps to another thread, and a call that is cancelled drops it without
//! a word. Then it leaves a mark in a counter which the breaker reads at its next use: no lock, and no
//! reference from the permit to the breaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One call that a [`Breaker`](super::Breaker) let through. Give it back with
/// [`record`](super::Breaker::record).
///
/// **Dropped without that, it counts as a failure**, from the breaker's next use on. A call that is
/// dropped has mostly run out of its caller's time, and a callee that hangs would otherwise never count
/// as failing. Who gives up for a reason of its own says so with
/// [`Outcome::Ignored`](super::Outcome::Ignored).
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as a failed call"]
pub struct Permit {
    generation: u32,
    /// `None` once it was recorded.
    marks: Option<Arc<Marks>>,
}

impl Permit {
    pub(super) fn new(marks: &Arc<Marks>) -> Self {
        Self {
            generation: marks.generation(),
            marks: Some(marks.clone()),
        }
    }

    /// The generation it was given out in, if `marks` are its breaker's. Else it is dropped.
    pub(super) fn redeem(mut self, marks: &Arc<Marks>) -> Option<u32> {
        self.marks.take_if(|own| Arc::ptr_eq(own, marks))?;
        Some(self.generation)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(marks) = self.marks.take() {
            marks.drop_of(self.generation);
        }
    }
}

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

    fn drop_of(&self, generation: u32) {
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
