//! Tasks of one shard that wait for the same thing, in the order in which they began to: what the tools beside it
//! have in common. One entry per waiting future, gone with the future.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::task::{Context, Waker};

/// A place in the order of waiting.
pub(super) type Ticket = u64;

#[derive(Default)]
pub(super) struct WaitList {
    next: Cell<Ticket>,
    waiting: RefCell<BTreeMap<Ticket, Waker>>,
}

impl WaitList {
    /// A new place, behind all others.
    pub(super) fn ticket(&self) -> Ticket {
        let ticket = self.next.get();
        self.next.set(ticket + 1);
        ticket
    }

    /// Waits at a place.
    pub(super) fn park(&self, ticket: Ticket, cx: &Context<'_>) {
        let mut waiting = self.waiting.borrow_mut();
        let waker = waiting.entry(ticket);
        waker
            .and_modify(|old| old.clone_from(cx.waker()))
            .or_insert_with(|| cx.waker().clone());
    }

    /// Gives a place up.
    pub(super) fn leave(&self, ticket: Ticket) {
        // Dropped after the borrow ends: the last waker of a task may run that task's drops.
        let waker = self.waiting.borrow_mut().remove(&ticket);
        drop(waker);
    }

    /// Wakes all. They are taken out first: a waker may run code that looks here.
    pub(super) fn wake_all(&self) {
        let waiting = self.waiting.take();
        waiting.into_values().for_each(Waker::wake);
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }
}
