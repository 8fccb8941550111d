//! Where replies wait for those who asked: one slab per shard, a slot per call.
//!
//! A slot is reserved before its request is sent, so a reply never needs memory or queue space. Slots
//! carry a generation: a call whose future is dropped gives its slot back at once, and the
//! reply that comes later finds another generation and is dropped.

use std::cell::RefCell;
use std::task::{Context, Poll, Waker};

use super::errors::Lost;

/// Names one call's slot; travels with the request and comes back with the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReplyKey {
    slot: u32,
    generation: u32,
}

/// The slab. All borrows end before foreign code (a waker, a drop) runs.
pub(crate) struct Replies<R> {
    slab: RefCell<Slab<R>>,
}

struct Slab<R> {
    slots: Vec<Slot<R>>,
    /// Head of the list of free slots.
    free: Option<u32>,
    /// The node has ended: nothing more will come.
    closed: bool,
}

struct Slot<R> {
    generation: u32,
    state: State<R>,
}

enum State<R> {
    Free { next: Option<u32> },
    Waiting(Option<Waker>),
    Here(R),
}

impl<R> Replies<R> {
    pub(crate) fn new() -> Self {
        let slab = Slab {
            slots: Vec::new(),
            free: None,
            closed: false,
        };
        Self {
            slab: RefCell::new(slab),
        }
    }

    /// Takes a free slot, or one more. The mesh bounds them: per pair, requests outstanding and
    /// requests waiting.
    pub(crate) fn reserve(&self) -> ReplyKey {
        self.slab.borrow_mut().reserve()
    }

    /// Whether the call behind `key` is still wanted.
    pub(crate) fn is_wanted(&self, key: ReplyKey) -> bool {
        self.slab.borrow_mut().find(key).is_some()
    }

    /// Stores a reply and wakes who waits for it. False: nobody does any more, and it was dropped.
    pub(crate) fn fulfil(&self, key: ReplyKey, reply: R) -> bool {
        let mut slab = self.slab.borrow_mut();
        let Some(state) = slab.find(key) else {
            return false;
        };
        let before = std::mem::replace(state, State::Here(reply));
        drop(slab);
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
        true
    }

    /// Takes the reply, and gives the slot back, or leaves the waker.
    pub(crate) fn poll(&self, key: ReplyKey, cx: &mut Context<'_>) -> Poll<Result<R, Lost>> {
        let mut slab = self.slab.borrow_mut();
        let closed = slab.closed;
        let state = slab
            .find(key)
            .expect("a call keeps its slot until it is done");
        if let State::Waiting(waker) = state {
            if closed {
                slab.release(key);
                return Poll::Ready(Err(Lost));
            }
            let old = waker.replace(cx.waker().clone());
            drop(slab);
            drop(old);
            return Poll::Pending;
        }
        match slab.release(key) {
            Some(State::Here(reply)) => Poll::Ready(Ok(reply)),
            _ => unreachable!("a slot in use holds a reply if it does not wait for one"),
        }
    }

    /// Gives a slot back before its reply was taken.
    pub(crate) fn forget(&self, key: ReplyKey) {
        let state = self.slab.borrow_mut().release(key);
        drop(state);
    }

    /// The node has ended: whoever waits learns that the reply is lost.
    pub(crate) fn close(&self) {
        let mut slab = self.slab.borrow_mut();
        slab.closed = true;
        let waiting = slab
            .slots
            .iter_mut()
            .filter_map(|slot| match &mut slot.state {
                State::Waiting(waker) => waker.take(),
                _ => None,
            });
        let wakers: Vec<Waker> = waiting.collect();
        drop(slab);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<R> Slab<R> {
    fn reserve(&mut self) -> ReplyKey {
        let Some(slot) = self.free else {
            let slot = u32::try_from(self.slots.len()).expect("slots are bounded far below 2^32");
            self.slots.push(Slot {
                generation: 0,
                state: State::Waiting(None),
            });
            return ReplyKey {
                slot,
                generation: 0,
            };
        };
        let place = &mut self.slots[slot as usize];
        let State::Free { next } = place.state else {
            unreachable!("the free list names free slots only");
        };
        self.free = next;
        place.state = State::Waiting(None);
        ReplyKey {
            slot,
            generation: place.generation,
        }
    }

    fn find(&mut self, key: ReplyKey) -> Option<&mut State<R>> {
        let slot = &mut self.slots[key.slot as usize];
        (slot.generation == key.generation).then_some(&mut slot.state)
    }

    /// Frees the slot under a new generation and returns what was in it, to be dropped outside.
    fn release(&mut self, key: ReplyKey) -> Option<State<R>> {
        let slot = &mut self.slots[key.slot as usize];
        if slot.generation != key.generation {
            return None;
        }
        slot.generation = slot.generation.wrapping_add(1);
        let free = State::Free { next: self.free };
        self.free = Some(key.slot);
        Some(std::mem::replace(&mut slot.state, free))
    }
}

#[cfg(test)]
impl<R> Replies<R> {
    /// Slots ever made: the most calls that were ever open at once.
    pub(crate) fn slots(&self) -> usize {
        self.slab.borrow().slots.len()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::{Lost, Replies};

    fn poll<R>(replies: &Replies<R>, key: super::ReplyKey) -> Poll<Result<R, Lost>> {
        replies.poll(key, &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_reply_reaches_its_call_and_frees_the_slot() {
        let replies = Replies::new();
        let (a, b) = (replies.reserve(), replies.reserve());
        assert!(poll(&replies, a).is_pending());
        assert!(replies.fulfil(b, "b"));
        assert!(replies.fulfil(a, "a"));
        assert_eq!(poll(&replies, a), Poll::Ready(Ok("a")));
        assert_eq!(poll(&replies, b), Poll::Ready(Ok("b")));
        (0..10).for_each(|_| replies.forget(replies.reserve()));
        assert_eq!(replies.slots(), 2);
    }

    #[test]
    fn a_late_reply_does_not_reach_the_slots_next_call() {
        let replies = Replies::new();
        let dropped = replies.reserve();
        replies.forget(dropped);
        assert!(!replies.is_wanted(dropped));
        let next = replies.reserve();
        assert!(!replies.fulfil(dropped, 1), "late");
        assert!(poll(&replies, next).is_pending());
        assert!(replies.fulfil(next, 2));
        assert_eq!(poll(&replies, next), Poll::Ready(Ok(2)));
    }

    #[test]
    fn closing_loses_what_has_not_come() {
        let replies = Replies::new();
        let (open, here) = (replies.reserve(), replies.reserve());
        assert!(poll(&replies, open).is_pending());
        assert!(replies.fulfil(here, 1));
        replies.close();
        assert_eq!(poll(&replies, here), Poll::Ready(Ok(1)));
        assert_eq!(poll(&replies, open), Poll::Ready(Err(Lost)));
    }
}
