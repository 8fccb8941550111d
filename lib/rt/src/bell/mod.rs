//! The wake-up of a sleeping runtime from any thread, apart from the executor so that its protocol can be
//! read, and tested, in one place.
//!
//! A ring while the runtime is awake is two memory operations and no system call; a ring while it sleeps is
//! one call of the driver's waker. Neither blocks, and none is lost.

mod flags;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::task::Waker;

use flags::Flags;

/// The flags' atomics, named so that the test can put a model checker's in their place.
mod atomics {
    pub(super) use std::sync::atomic::{AtomicBool, Ordering, fence};
}

/// A handle that wakes a sleeping runtime. Cheap to clone, usable from any thread, harmless once the
/// runtime is gone.
#[derive(Clone)]
pub struct Doorbell {
    pub(crate) bell: Arc<Bell>,
}

impl Doorbell {
    /// Makes the runtime go once more around its loop (and so poll its pollers) before it sleeps,
    /// waking it if it sleeps now. Never blocks; many rings before the next turn are one.
    pub fn ring(&self) {
        self.bell.ring();
    }
}

impl std::fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doorbell")
    }
}

pub(crate) struct Bell {
    flags: Flags,
    waker: Waker,
}

impl Bell {
    /// `waker` interrupts the driver's wait.
    pub(crate) fn new(waker: Waker) -> Self {
        Bell {
            flags: Flags::new(),
            waker,
        }
    }

    pub(crate) fn ring(&self) {
        if self.flags.ring() {
            self.waker.wake_by_ref();
        }
    }

    /// Announces sleep. False: a ring came meanwhile, do not sleep. Either way [`Bell::awake`] must follow.
    pub(crate) fn announce_sleep(&self) -> bool {
        self.flags.announce_sleep()
    }

    pub(crate) fn awake(&self) {
        self.flags.awake();
    }

    /// Whether it was rung since the last `take_rung`.
    pub(crate) fn is_rung(&self) -> bool {
        self.flags.is_rung()
    }

    /// Whether it was rung since the last call.
    pub(crate) fn take_rung(&self) -> bool {
        self.flags.take_rung()
    }
}
