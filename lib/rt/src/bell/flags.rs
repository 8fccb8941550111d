//! The doorbell's protocol. The ringer publishes its ring and then looks, behind a fence, whether the other
//! sleeps; the sleeper publishes that it sleeps and then looks, behind a fence, for rings. So at least one of
//! them sees the other.

use super::atomics::{AtomicBool, Ordering, fence};

pub(super) struct Flags {
    asleep: AtomicBool,
    rung: AtomicBool,
}

impl Flags {
    pub(super) fn new() -> Self {
        Flags {
            asleep: AtomicBool::new(false),
            rung: AtomicBool::new(false),
        }
    }

    /// Rings. True: the other sleeps, and it falls to this ringer to wake it.
    pub(super) fn ring(&self) -> bool {
        // A swap and not a store, so that who takes the last of several rings sees what came before each.
        self.rung.swap(true, Ordering::Release);
        fence(Ordering::SeqCst);
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel)
    }

    /// Announces sleep. False: it was rung.
    pub(super) fn announce_sleep(&self) -> bool {
        // A swap and not a store, so that it comes after whatever answer to an earlier sleep was under way.
        self.asleep.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        !self.rung.load(Ordering::Acquire)
    }

    pub(super) fn awake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    pub(super) fn take_rung(&self) -> bool {
        self.is_rung() && self.rung.swap(false, Ordering::AcqRel)
    }
}
