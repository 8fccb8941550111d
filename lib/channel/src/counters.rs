//! The counters of a lane: two blocks, one per end, each written by its own end alone and on a cache
//! line of its own.
//!
//! A single writer needs no read-modify-write: load, add, store. Any thread may read at any time and
//! sees each counter whole, though not all of one instant.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::CacheLine;

/// What a lane's sending end has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SenderCounters {
    /// Values handed over.
    pub sent: u64,
    /// Times the ring was written: single pushes and batches that moved at least one value.
    pub batches: u64,
    /// Values refused because the ring was full. A value offered again counts again.
    pub refused_full: u64,
    /// Values refused because the receiver is gone.
    pub refused_closed: u64,
}

/// What a lane's receiving end has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReceiverCounters {
    /// Values taken out.
    pub received: u64,
    /// Times the ring was read with at least one value found.
    pub batches: u64,
}

/// Both ends' counters; shared by the two ends.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    sender: CacheLine<SenderBlock>,
    receiver: CacheLine<ReceiverBlock>,
}

#[derive(Debug, Default)]
struct SenderBlock {
    sent: AtomicU64,
    batches: AtomicU64,
    refused_full: AtomicU64,
    refused_closed: AtomicU64,
}

#[derive(Debug, Default)]
struct ReceiverBlock {
    received: AtomicU64,
    batches: AtomicU64,
}

impl Counters {
    pub(crate) fn on_sent(&self, values: usize) {
        add(&self.sender.sent, values);
        add(&self.sender.batches, 1);
    }

    pub(crate) fn on_refused_full(&self, values: usize) {
        add(&self.sender.refused_full, values);
    }

    pub(crate) fn on_refused_closed(&self, values: usize) {
        add(&self.sender.refused_closed, values);
    }

    pub(crate) fn on_received(&self, values: usize) {
        add(&self.receiver.received, values);
        add(&self.receiver.batches, 1);
    }

    pub(crate) fn sender(&self) -> SenderCounters {
        SenderCounters {
            sent: get(&self.sender.sent),
            batches: get(&self.sender.batches),
            refused_full: get(&self.sender.refused_full),
            refused_closed: get(&self.sender.refused_closed),
        }
    }

    pub(crate) fn receiver(&self) -> ReceiverCounters {
        ReceiverCounters {
            received: get(&self.receiver.received),
            batches: get(&self.receiver.batches),
        }
    }
}

/// Adds for the counter's only writer.
fn add(counter: &AtomicU64, n: usize) {
    counter.store(get(counter) + n as u64, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
