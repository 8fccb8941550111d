//! The timers of one runtime: deadlines and whom to wake, ordered; apart from `time`, which is the face of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::task::Waker;

/// A timer's place: its deadline, and a number that tells equal deadlines apart.
pub(crate) type TimerKey = (u64, u64);

/// How many timers one turn fires at most, so that a crowd of them cannot hold up the loop.
const FIRED_PER_TURN: usize = 1024;

#[derive(Default)]
pub(crate) struct Timers {
    waiting: RefCell<BTreeMap<TimerKey, Waker>>,
    next: Cell<u64>,
    started: Cell<u64>,
}

impl Timers {
    /// The earliest deadline; `u64::MAX` where there is none.
    pub(crate) fn next_ns(&self) -> u64 {
        self.next.get().wrapping_sub(1)
    }

    pub(crate) fn start(&self, deadline_ns: u64, waker: Waker) -> TimerKey {
        let key = (deadline_ns, self.started.get());
        self.started.set(key.1 + 1);
        self.waiting.borrow_mut().insert(key, waker);
        self.note_next();
        key
    }

    pub(crate) fn update(&self, key: TimerKey, waker: &Waker) {
        if let Some(slot) = self.waiting.borrow_mut().get_mut(&key) {
            slot.clone_from(waker);
        }
    }

    pub(crate) fn stop(&self, key: TimerKey) {
        let stopped = self.waiting.borrow_mut().remove(&key);
        if stopped.is_some() {
            self.note_next();
        }
    }

    /// Wakes who is due; how many.
    pub(crate) fn fire(&self, now_ns: u64) -> usize {
        let mut fired = 0;
        while fired < FIRED_PER_TURN && self.next_ns() <= now_ns {
            let due = self.waiting.borrow_mut().pop_first();
            self.note_next();
            let Some((_, waker)) = due else { break };
            waker.wake();
            fired += 1;
        }
        fired
    }

    /// `next` holds the earliest deadline plus one, so that zero means none.
    fn note_next(&self) {
        let first = self
            .waiting
            .borrow()
            .keys()
            .next()
            .map_or(0, |key| key.0.saturating_add(1));
        self.next.set(first);
    }
}
