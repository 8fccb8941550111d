//! Who must be woken, and by whom: the flag between a receiver that is about to sleep and the
//! senders that may have something for it.
//!
//! The trap is a message that arrives between the receiver's last look and its sleep. Both sides
//! therefore write first, fence, and read second:
//!
//! ```text
//! receiver                              sender
//!   announce:  asleep = true              push into the lane
//!   fence(SeqCst)                         fence(SeqCst)
//!   look at all lanes again               asleep? → swap(false) → ring if it was true
//!   nothing → sleep until rung
//! ```
//!
//! The two fences are totally ordered. If the receiver's comes first, the sender sees `asleep` and
//! rings; if the sender's comes first, the receiver's second look sees the message. It is the
//! store-buffering pattern: without both fences each side can miss the other, as
//! `tests/loom.rs` shows by leaving one out.
//!
//! The receiver's own writes are swaps too. That costs nothing next to a sleep, and it puts all
//! writes of the flag into one chain of read-modify-writes: loom orders writes by causality only and
//! would otherwise also try orders that no machine can show.

use crate::CacheLine;
use crate::sync::{AtomicBool, Ordering, fence};

/// Whether one receiver sleeps; shared by the receiver and all who send to it.
///
/// It wakes nobody by itself: a sender that gets `true` from [`claim_wake`](Self::claim_wake) rings
/// the receiver's doorbell, which must remember a ring that comes before the receiver is fully asleep.
#[derive(Debug)]
pub struct SleepFlag {
    asleep: CacheLine<AtomicBool>,
}

impl SleepFlag {
    /// A flag of a receiver that is awake.
    #[must_use]
    pub fn new() -> Self {
        Self {
            asleep: CacheLine(AtomicBool::new(false)),
        }
    }

    /// Receiver: announces that it is going to sleep. Look at every lane **after** this call and
    /// sleep only if all are empty; else call [`retract`](Self::retract) and go on.
    pub fn announce(&self) {
        self.asleep.0.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }

    /// Receiver: awake again, or not going to sleep after all. Rings that were already claimed may
    /// still arrive; they do no harm.
    pub fn retract(&self) {
        self.asleep.0.swap(false, Ordering::AcqRel);
    }

    /// Sender: asks, after pushing, whether it is the one to ring. At most one sender gets `true`
    /// per announced sleep.
    ///
    /// One fence and one load while the receiver is awake: call it once per batch, not per message.
    #[must_use = "the receiver sleeps on unless its doorbell is rung"]
    pub fn claim_wake(&self) -> bool {
        fence(Ordering::SeqCst);
        // The load keeps the line shared among senders while the receiver is awake, which is
        // nearly always; only a sleeping receiver costs a swap.
        self.asleep.0.load(Ordering::Relaxed) && self.asleep.0.swap(false, Ordering::AcqRel)
    }

    /// Whether the receiver has announced a sleep that nobody has ended. A hint for statistics.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.asleep.0.load(Ordering::Relaxed)
    }
}

impl Default for SleepFlag {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::SleepFlag;

    #[test]
    fn one_ring_per_announced_sleep() {
        let flag = SleepFlag::new();
        assert!(!flag.claim_wake(), "awake: nobody rings");
        flag.announce();
        assert!(flag.is_announced());
        assert!(flag.claim_wake(), "the first sender rings");
        assert!(!flag.claim_wake(), "the second does not");
        flag.announce();
        flag.retract();
        assert!(!flag.claim_wake(), "a retracted sleep needs no ring");
    }
}
