//! Who holds the map still, node-wide: holds are counted, and a move keeps new ones out while it changes the map.
//!
//! Count and closing bit share one word, so that a hold and a move never meet. Who waits is woken: holds when a move
//! is done, a move when the last hold is gone. Taken once per command over several shards and once per move,
//! never by a command on one key.

use std::task::{Context, Poll};

use super::atomics::{AtomicU32, Ordering};
use super::room::Room;

/// Set while a move keeps holds out.
const CLOSED: u32 = 1 << 31;

/// The holds of one node.
pub(crate) struct Holds {
    /// Holds that live, and [`CLOSED`].
    state: AtomicU32,
    /// Holds that wait for a move's end.
    waiting: AtomicU32,
    /// Where these wait.
    opening: Room,
    /// Where a move waits, for the last hold to go or for those that wait to come in.
    leaving: Room,
}

impl Holds {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            opening: Room::new(),
            leaving: Room::new(),
        }
    }

    /// Takes a hold unless a move keeps it out.
    pub(crate) fn try_enter(&self) -> bool {
        let one_more = |state: u32| (state & CLOSED == 0).then_some(state + 1);
        let entered = self
            .state
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more);
        entered.is_ok()
    }

    /// As [`try_enter`](Self::try_enter); the waker is called when it is worth another try.
    pub(crate) fn poll_enter(&self, cx: &Context<'_>) -> Poll<()> {
        self.opening.poll(cx, || self.try_enter())
    }

    /// Gives a hold back.
    pub(crate) fn leave(&self) {
        if self.state.fetch_sub(1, Ordering::Release) == CLOSED | 1 {
            self.leaving.made(|| true);
        }
    }

    /// A hold begins to wait, and is to be counted out again.
    pub(crate) fn begin_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// A hold waits no more: it has come in, or nobody wants it now.
    pub(crate) fn end_waiting(&self) {
        if self.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.leaving.made(|| true);
        }
    }

    /// Ready when no hold waits: those that a move has kept out go before the next move.
    pub(crate) fn poll_all_in(&self, cx: &Context<'_>) -> Poll<()> {
        let nobody = || self.waiting.load(Ordering::Relaxed) == 0;
        self.leaving.poll(cx, nobody)
    }

    /// Keeps new holds out. One move at a time, which sees to it.
    pub(crate) fn close(&self) {
        self.state.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Ready when no hold lives; to be asked after [`close`](Self::close).
    pub(crate) fn poll_none_left(&self, cx: &Context<'_>) -> Poll<()> {
        let none = || self.state.load(Ordering::Acquire) & !CLOSED == 0;
        self.leaving.poll(cx, none)
    }

    /// Lets holds in again.
    pub(crate) fn open(&self) {
        self.state.fetch_and(!CLOSED, Ordering::Release);
        self.opening.made(|| true);
    }

    /// Holds that live and holds that wait.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (u32, u32) {
        let living = self.state.load(Ordering::Acquire) & !CLOSED;
        (living, self.waiting.load(Ordering::Relaxed))
    }
}
