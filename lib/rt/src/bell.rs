//! The wake-up of a sleeping runtime from any thread, apart from the executor so that its protocol can be
//! read (and tested) in one place.
//!
//! A ring while the runtime is awake is two memory operations and no system call; a ring while it sleeps is
//! one call of the driver's waker. Neither blocks. None is lost: the ringer publishes first and looks at the
//! state after a fence, the sleeper publishes its state first and looks for rings after a fence, so at
//! least one of them sees the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering, fence};
use std::task::Waker;

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;

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
    state: AtomicU8,
    rung: AtomicBool,
    waker: Waker,
}

impl Bell {
    /// `waker` interrupts the driver's wait.
    pub(crate) fn new(waker: Waker) -> Self {
        Bell {
            state: AtomicU8::new(AWAKE),
            rung: AtomicBool::new(false),
            waker,
        }
    }

    pub(crate) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) == ASLEEP
            && self.state.swap(AWAKE, Ordering::AcqRel) == ASLEEP
        {
            self.waker.wake_by_ref();
        }
    }

    /// Announces sleep. False: a ring came meanwhile, do not sleep. Either way [`Bell::awake`] must follow.
    pub(crate) fn announce_sleep(&self) -> bool {
        self.state.store(ASLEEP, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        !self.rung.load(Ordering::Acquire)
    }

    pub(crate) fn awake(&self) {
        self.state.store(AWAKE, Ordering::Relaxed);
    }

    /// Whether it was rung since the last `take_rung`.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    /// Whether it was rung since the last call.
    pub(crate) fn take_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed) && self.rung.swap(false, Ordering::AcqRel)
    }
}
