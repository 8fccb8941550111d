//! Who waits at one side of a channel (for a value, or for room), and how none of them is forgotten.
//!
//! A wait looks, signs on, and looks again; the other side acts, fences, and looks who has signed on.
//! It is the handshake of [`SleepFlag`](crate::SleepFlag), for many sleepers and for tasks:
//!
//! ```text
//! waiting side (`Waiter::poll`)          acting side
//!   attempt fails                          push or pop
//!   sign on, fence(SeqCst)                 fence(SeqCst)              `notify`
//!   attempt again                          anyone signed on? → take one off the list, wake it
//!   nothing → pending
//! ```
//!
//! One action wakes one waiter. So whoever is taken off the list owes something: it looks at the
//! channel, or it passes the wake on to the next ([`Waiter::leave`]). A waiter that is dropped, or
//! whose second look succeeded by itself, would else swallow a wake that was meant for a value still
//! lying in the queue. `waiters/model.rs` has loom try every interleaving of this.
//!
//! The lock guards the list only; it is taken by those who go to sleep and by those who wake them.
//! While nobody sleeps an action costs one fence and one load. The list cannot outgrow the number of
//! the channel's ends: each end has one waiter.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crate::CacheLine;
use crate::sync::{AtomicUsize, Mutex, Ordering, fence, lock};

/// The sleepers of one side.
#[derive(Debug)]
pub(crate) struct Waiters {
    /// Length of `list`, to be read without the lock.
    sleeping: CacheLine<AtomicUsize>,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    next_key: u64,
    sleepers: VecDeque<(u64, Waker)>,
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self {
            sleeping: CacheLine(AtomicUsize::new(0)),
            list: Mutex::new(List::default()),
        }
    }

    /// A waiter for one end.
    pub(crate) fn waiter(&self) -> Waiter {
        let mut list = lock(&self.list);
        list.next_key += 1;
        Waiter {
            key: list.next_key,
            registered: false,
        }
    }

    /// After an action that can help up to `actions` waiters: wakes as many, oldest first.
    #[inline]
    pub(crate) fn notify(&self, actions: usize) {
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) != 0 {
            self.wake(actions);
        }
    }

    /// [`notify`](Self::notify) after an action that was itself a sequentially consistent
    /// read-modify-write of the index that the waiting side looks at after it has fenced: the action, and
    /// this load, are in the one order that the sleeper's store and fence are in too, so that the action
    /// needs no fence of its own. See `ring/shared.rs`.
    #[inline]
    pub(crate) fn notify_in_order(&self, actions: usize) {
        if self.sleeping.load(Ordering::SeqCst) != 0 {
            self.wake(actions);
        }
    }

    #[cold]
    fn wake(&self, actions: usize) {
        for _ in 0..actions {
            let mut list = lock(&self.list);
            let sleeper = list.sleepers.pop_front();
            self.sleeping.store(list.sleepers.len(), Ordering::Relaxed);
            // Whatever a waker does, it does without our lock.
            drop(list);
            match sleeper {
                Some((_, waker)) => waker.wake(),
                None => return,
            }
        }
    }

    fn sign_on(&self, key: u64, waker: &Waker) {
        let mut list = lock(&self.list);
        match list.sleepers.iter_mut().find(|(other, _)| *other == key) {
            Some((_, known)) => known.clone_from(waker),
            None => list.sleepers.push_back((key, waker.clone())),
        }
        self.sleeping.store(list.sleepers.len(), Ordering::SeqCst);
        drop(list);
        fence(Ordering::SeqCst);
    }

    fn is_signed_on(&self, key: u64) -> bool {
        let list = lock(&self.list);
        list.sleepers.iter().any(|(other, _)| *other == key)
    }

    /// Signs off. False if a wake had already taken the sleeper off the list.
    fn sign_off(&self, key: u64) -> bool {
        let mut list = lock(&self.list);
        let place = list.sleepers.iter().position(|(other, _)| *other == key);
        let waker = place.and_then(|place| list.sleepers.remove(place));
        self.sleeping.store(list.sleepers.len(), Ordering::Relaxed);
        drop(list);
        waker.is_some()
    }
}

/// One end's place among the waiters. An end waits for one thing at a time.
#[derive(Debug)]
pub(crate) struct Waiter {
    key: u64,
    /// Signed on, as far as this end knows.
    registered: bool,
}

impl Waiter {
    /// Whether this end has signed on and not yet learnt what came of it.
    pub(crate) fn is_registered(&self) -> bool {
        self.registered
    }

    /// Attempts, and signs on with `cx`'s waker while there is nothing.
    pub(crate) fn poll<R>(
        &mut self,
        waiters: &Waiters,
        cx: &Context<'_>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        // A wake that was delivered before this poll is used up by it.
        self.registered = self.registered && waiters.is_signed_on(self.key);
        if let Some(result) = attempt() {
            self.leave(waiters);
            return Poll::Ready(result);
        }
        waiters.sign_on(self.key, cx.waker());
        self.registered = true;
        match attempt() {
            Some(result) => {
                self.leave(waiters);
                Poll::Ready(result)
            }
            None => Poll::Pending,
        }
    }

    /// Gives the waiter up. If a wake has been spent on it, the wake goes on to the next waiter.
    pub(crate) fn leave(&mut self, waiters: &Waiters) {
        if std::mem::take(&mut self.registered) && !waiters.sign_off(self.key) {
            waiters.notify(1);
        }
    }
}

#[cfg(all(test, loom))]
mod model;
