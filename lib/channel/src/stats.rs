//! What the ends of a channel count.
//!
//! Every end (every clone) has a block of its own, on cache lines of its own, and is its only writer:
//! load, add, store; no read-modify-write, no line shared with anybody who writes. Reading adds up the
//! blocks of the ends that live and the totals of those that are gone, under a lock that no send or
//! receive ever takes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::CacheLine;

/// Declares a kind of counters: the public figures, and the block of atomics that holds them.
macro_rules! counters {
    ($(#[$docs:meta])* $figures:ident in $block:ident { $($(#[$field_docs:meta])* $field:ident,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $figures {
            $($(#[$field_docs])* pub $field: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct $block {
            $(pub(crate) $field: Counter,)*
        }

        impl Figures for $block {
            type Sum = $figures;

            fn add_to(&self, sum: &mut $figures) {
                $(sum.$field += self.$field.get();)*
            }
        }
    };
}

counters! {
    /// What has been counted where values go in.
    SendStats in SendBlock {
        /// Values put into the queue.
        sent,
        /// Times the queue was written: single sends, and batches that moved at least one value.
        batches,
        /// Times a sender found no room and went to sleep until there was some.
        waits,
        /// Values given back because the queue was full. A value offered again counts again.
        refused_full,
        /// Values given back because all receivers were gone.
        refused_closed,
        /// Values given back because no room came in time.
        timed_out,
        /// Values given back because the channel shed load.
        shed,
        /// Values dropped from the queue for newer ones.
        dropped_oldest,
        /// Values dropped instead of being put into a full queue.
        dropped_newest,
    }
}

counters! {
    /// What has been counted where values come out.
    ReceiveStats in ReceiveBlock {
        /// Values taken out.
        received,
        /// Times the queue was read with at least one value found.
        batches,
        /// Times a receiver found nothing and went to sleep until there was something.
        waits,
        /// Waits that ended without a value because their time was over.
        timed_out,
    }
}

/// One counter with one writer.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds; for its only writer.
    #[inline]
    pub(crate) fn add(&self, n: usize) {
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(n as u64);
        self.0.store(sum, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A block of counters that can be added up.
pub(crate) trait Figures: Default {
    type Sum: Copy + Default;
    fn add_to(&self, sum: &mut Self::Sum);
}

/// The blocks of all ends on one side.
pub(crate) struct Ledger<B: Figures> {
    /// As many as there are ends.
    blocks: Mutex<Blocks<B>>,
}

struct Blocks<B: Figures> {
    live: Vec<Arc<CacheLine<B>>>,
    /// Totals of the ends that are gone.
    gone: B::Sum,
}

impl<B: Figures> Ledger<B> {
    pub(crate) fn new() -> Self {
        Self {
            blocks: Mutex::new(Blocks {
                live: Vec::new(),
                gone: B::Sum::default(),
            }),
        }
    }

    /// A block for a new end.
    pub(crate) fn open(&self) -> Arc<CacheLine<B>> {
        let block = Arc::new(CacheLine(B::default()));
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.live.push(block.clone());
        block
    }

    /// Moves an end's figures to the totals of those that are gone.
    pub(crate) fn close(&self, block: &Arc<CacheLine<B>>) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.live.retain(|live| !Arc::ptr_eq(live, block));
        block.add_to(&mut blocks.gone);
    }

    /// Everything counted on this side so far.
    pub(crate) fn sum(&self) -> B::Sum {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = blocks.gone;
        for block in &blocks.live {
            block.add_to(&mut sum);
        }
        sum
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Ledger, SendBlock};

    #[test]
    fn an_end_that_goes_leaves_its_figures() {
        let ledger = Ledger::<SendBlock>::new();
        let (first, second) = (ledger.open(), ledger.open());
        first.sent.add(3);
        second.sent.add(4);
        assert_eq!(ledger.sum().sent, 7);
        ledger.close(&first);
        drop(first);
        assert_eq!(ledger.sum().sent, 7);
        second.sent.add(1);
        assert_eq!(ledger.sum().sent, 8);
    }

    #[test]
    fn blocks_are_on_lines_of_their_own() {
        let ledger = Ledger::<SendBlock>::new();
        let (first, second) = (ledger.open(), ledger.open());
        let at = |block: &crate::CacheLine<SendBlock>| (&raw const *block).addr();
        assert_eq!((at(&first) % 128, at(&second) % 128), (0, 0));
    }
}
