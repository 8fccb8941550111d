//! What the ends of one channel share besides the queue: who is left, who waits, what to do when full,
//! and the counters.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::CacheLine;
use crate::options::{Full, Options};
use crate::ring::Shape;
use crate::stats::{Ledger, ReceiveBlock, ReceiveStats, SendBlock, SendStats};
use crate::sync::{AtomicUsize, Ordering};
use crate::waiters::Waiters;

pub(crate) struct Link {
    pub(crate) policy: Policy,
    pub(crate) senders: Side<SendBlock>,
    pub(crate) receivers: Side<ReceiveBlock>,
    /// Whether load is being shed; see [`Full::Shed`].
    shedding: CacheLine<AtomicBool>,
}

/// What the options leave to be decided at every send and wait.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) full: Full,
    /// Values the channel holds; what an unbounded one holds at most.
    pub(crate) capacity: usize,
    pub(crate) bounded: bool,
    pub(crate) spin_blocking: u32,
    pub(crate) spin_polled: u32,
}

impl Policy {
    pub(crate) fn new(options: &Options, shape: Shape) -> Self {
        Self {
            full: options.full,
            capacity: options.capacity,
            bounded: !matches!(shape, Shape::Growing(_)),
            spin_blocking: options.spin_blocking,
            spin_polled: options.spin_polled,
        }
    }
}

/// One side of the channel.
pub(crate) struct Side<B: crate::stats::Figures> {
    /// Ends left on this side. Written when ends come and go only.
    ends: CacheLine<AtomicUsize>,
    pub(crate) waiters: Waiters,
    pub(crate) ledger: Ledger<B>,
}

impl<B: crate::stats::Figures> Side<B> {
    fn new() -> Self {
        Self {
            ends: CacheLine(AtomicUsize::new(0)),
            waiters: Waiters::new(),
            ledger: Ledger::new(),
        }
    }

    pub(crate) fn enter(&self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
    }

    /// True for the last one.
    pub(crate) fn leave(&self) -> bool {
        self.ends.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether nobody is left. What the last one did before it left is visible then.
    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.ends.load(Ordering::Acquire) == 0
    }

    fn ends(&self) -> usize {
        self.ends.load(Ordering::Relaxed)
    }
}

impl Link {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            senders: Side::new(),
            receivers: Side::new(),
            shedding: CacheLine(AtomicBool::new(false)),
        }
    }

    /// Whether to refuse with `waiting` values in the queue: from the high mark down to the low one.
    pub(crate) fn sheds(&self, waiting: usize, high: usize, low: usize) -> bool {
        let shedding = self.shedding.0.load(Ordering::Relaxed);
        let now = waiting >= high || (shedding && waiting > low);
        if now != shedding {
            self.shedding.0.store(now, Ordering::Relaxed);
        }
        now
    }

    pub(crate) fn stats(&self) -> Stats {
        // Receivers first: what they have taken had been sent before.
        let receive = self.receivers.ledger.sum();
        let send = self.senders.ledger.sum();
        Stats {
            depth: send
                .sent
                .saturating_sub(receive.received + send.dropped_oldest),
            send,
            receive,
            senders: self.senders.ends(),
            receivers: self.receivers.ends(),
        }
    }
}

/// A channel's figures. Each is whole, but they are not all of one instant while values move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Values in the queue.
    pub depth: u64,
    /// What all senders have counted, those that are gone included.
    pub send: SendStats,
    /// What all receivers have counted, those that are gone included.
    pub receive: ReceiveStats,
    /// Senders there are.
    pub senders: usize,
    /// Receivers there are.
    pub receivers: usize,
}

/// Reads a channel's figures, from any thread, for as long as it likes; it is no end of the channel
/// and keeps nothing open.
#[derive(Clone)]
pub struct Gauge {
    pub(crate) link: Arc<Link>,
}

impl Gauge {
    /// The figures now. Takes a lock that no send or receive takes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.link.stats()
    }

    /// Values the channel holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.link.policy.capacity
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("capacity", &self.capacity())
            .field("stats", &self.stats())
            .finish()
    }
}
