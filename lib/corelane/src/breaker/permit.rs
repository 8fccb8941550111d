//! The permit of one call, and how the breaker hears of one that was dropped.
//!
//! A permit travels with a call, perhaps to another thread, and a call that is cancelled drops it without
//! a word. Then it leaves a mark which the breaker reads at its next use: no lock, and no reference from
//! the permit to the breaker.

use std::sync::Arc;

use super::marks::Marks;

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
