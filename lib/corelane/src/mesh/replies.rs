//! Where replies wait for those who asked: one slab per shard, a slot per call.
//!
//! A slot is reserved before its request is sent, so a reply never needs memory or queue space. A call
//! whose future is dropped, or that learned that the node has ended, leaves its slot **abandoned** until the reply
//! has come: what is on its way stays counted, and a late reply never reaches the slot's next call. The generation is for messages that pass
//! replies by, on the control lane.

use std::cell::RefCell;
use std::task::{Context, Poll, Waker};

use super::wiring::{Answer, Tag};
use crate::Service;

/// Names one call's slot and the partition that it is for; travels with the request and comes back with the
/// reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReplyKey {
    slot: u32,
    generation: u16,
    pub(crate) tag: Tag,
}

const _: () = assert!(size_of::<ReplyKey>() == 8, "it travels with every message");

/// Takes the answer to a call that came from outside the node's mesh.
pub(crate) type Shot<S> = oneshot::Sender<Answer<S>>;

/// Who waits for an answer.
pub(crate) enum Waiter<S: Service> {
    /// A [`Call`](super::call::Call), which may not have been polled yet.
    Call(Option<Waker>),
    /// Whoever holds the other end.
    Shot(Shot<S>),
    /// Nobody, from the start. The request is wanted all the same.
    Nobody,
}

/// The slab. All borrows end before foreign code (a waker, a drop) runs.
pub(crate) struct Replies<S: Service> {
    slab: RefCell<Slab<S>>,
}

struct Slab<S: Service> {
    slots: Vec<Slot<S>>,
    /// Head of the list of free slots.
    free: Option<u32>,
    /// The node has ended: nothing more will come.
    closed: bool,
}

struct Slot<S: Service> {
    generation: u16,
    state: State<S>,
}

enum State<S: Service> {
    Free {
        next: Option<u32>,
    },
    Open(Waiter<S>),
    /// Whoever waited is gone.
    Abandoned,
    Here(Answer<S>),
}

/// What became of an answer that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Taken,
    /// Nobody waited for it any more.
    Late,
}

/// What a dropped call leaves behind.
pub(crate) enum Left {
    /// The reply is still to come.
    Underway,
    /// Nothing.
    Nothing,
}

impl<S: Service> Replies<S> {
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
    pub(crate) fn reserve(&self, tag: Tag, waiter: Waiter<S>) -> ReplyKey {
        self.slab.borrow_mut().reserve(tag, waiter)
    }

    /// Whether the call behind `key` is still wanted.
    pub(crate) fn is_wanted(&self, key: ReplyKey) -> bool {
        let slab = self.slab.borrow();
        !matches!(slab.slot(key).state, State::Abandoned)
    }

    /// Stores an answer and wakes who waits for it, or drops it where nobody does.
    pub(crate) fn fulfil(&self, key: ReplyKey, answer: Answer<S>) -> Settled {
        let mut slab = self.slab.borrow_mut();
        let slot = slab.slot_mut(key);
        match std::mem::replace(&mut slot.state, State::Abandoned) {
            State::Open(Waiter::Call(waker)) => {
                slot.state = State::Here(answer);
                drop(slab);
                if let Some(waker) = waker {
                    waker.wake();
                }
                Settled::Taken
            }
            State::Open(Waiter::Shot(shot)) => {
                slab.release(key);
                drop(slab);
                match shot.send(answer) {
                    Ok(()) => Settled::Taken,
                    Err(_) => Settled::Late,
                }
            }
            State::Open(Waiter::Nobody) => {
                slab.release(key);
                drop(slab);
                drop(answer);
                Settled::Taken
            }
            State::Abandoned => {
                slab.release(key);
                drop(slab);
                drop(answer);
                Settled::Late
            }
            State::Free { .. } | State::Here(_) => unreachable!("a call is answered once"),
        }
    }

    /// Takes the answer, and gives the slot back, or leaves the waker. `None`: the node has ended and the
    /// answer is lost.
    pub(crate) fn poll(&self, key: ReplyKey, cx: &mut Context<'_>) -> Poll<Option<Answer<S>>> {
        let mut slab = self.slab.borrow_mut();
        let closed = slab.closed;
        let state = &mut slab.slot_mut(key).state;
        if let State::Open(Waiter::Call(waker)) = state {
            if closed {
                // The reply may be on its way: the slot is not free yet.
                let before = std::mem::replace(state, State::Abandoned);
                drop(slab);
                drop(before);
                return Poll::Ready(None);
            }
            let old = waker.replace(cx.waker().clone());
            drop(slab);
            drop(old);
            return Poll::Pending;
        }
        match slab.release(key) {
            State::Here(answer) => Poll::Ready(Some(answer)),
            _ => unreachable!("a call that is polled waits for its answer or has it"),
        }
    }

    /// Its call was dropped, or its request was never sent.
    pub(crate) fn forget(&self, key: ReplyKey) -> Left {
        let mut slab = self.slab.borrow_mut();
        let state = &mut slab.slot_mut(key).state;
        if let State::Open(_) = state {
            let before = std::mem::replace(state, State::Abandoned);
            drop(slab);
            drop(before);
            return Left::Underway;
        }
        let before = slab.release(key);
        drop(slab);
        drop(before);
        Left::Nothing
    }

    /// Gives back the slot of a request that was not sent and that nobody wants.
    pub(crate) fn release(&self, key: ReplyKey) {
        let before = self.slab.borrow_mut().release(key);
        drop(before);
    }

    /// The node has ended: whoever waits learns that the reply is lost. Returns how many that concerns beside
    /// the calls that are polled, which learn it by themselves.
    pub(crate) fn close(&self) -> usize {
        let mut slab = self.slab.borrow_mut();
        slab.closed = true;
        let waiters = slab
            .slots
            .iter_mut()
            .filter_map(|slot| match &mut slot.state {
                State::Open(Waiter::Call(waker)) => waker.take().map(|w| Waiter::Call(Some(w))),
                State::Open(Waiter::Shot(_) | Waiter::Nobody) => {
                    match std::mem::replace(&mut slot.state, State::Abandoned) {
                        State::Open(waiter) => Some(waiter),
                        _ => unreachable!("it was open a moment ago"),
                    }
                }
                _ => None,
            });
        let waiters: Vec<Waiter<S>> = waiters.collect();
        drop(slab);
        let mut lost = 0;
        for waiter in waiters {
            match waiter {
                Waiter::Call(waker) => waker.into_iter().for_each(Waker::wake),
                // Dropping the shot tells whoever holds its other end.
                Waiter::Shot(_) | Waiter::Nobody => lost += 1,
            }
        }
        lost
    }
}

impl<S: Service> Slab<S> {
    fn reserve(&mut self, tag: Tag, waiter: Waiter<S>) -> ReplyKey {
        let state = State::Open(waiter);
        let Some(slot) = self.free else {
            let slot = u32::try_from(self.slots.len()).expect("slots are bounded far below 2^32");
            self.slots.push(Slot {
                generation: 0,
                state,
            });
            return ReplyKey {
                slot,
                generation: 0,
                tag,
            };
        };
        let place = &mut self.slots[slot as usize];
        let State::Free { next } = place.state else {
            unreachable!("the free list names free slots only");
        };
        self.free = next;
        place.state = state;
        ReplyKey {
            slot,
            generation: place.generation,
            tag,
        }
    }

    fn slot(&self, key: ReplyKey) -> &Slot<S> {
        let slot = &self.slots[key.slot as usize];
        debug_assert_eq!(slot.generation, key.generation, "a slot outlives its call");
        slot
    }

    fn slot_mut(&mut self, key: ReplyKey) -> &mut Slot<S> {
        let slot = &mut self.slots[key.slot as usize];
        debug_assert_eq!(slot.generation, key.generation, "a slot outlives its call");
        slot
    }

    /// Frees the slot under a new generation and returns what was in it, to be dropped outside.
    fn release(&mut self, key: ReplyKey) -> State<S> {
        let next = self.free;
        let slot = self.slot_mut(key);
        slot.generation = slot.generation.wrapping_add(1);
        let before = std::mem::replace(&mut slot.state, State::Free { next });
        self.free = Some(key.slot);
        before
    }
}

#[cfg(test)]
impl<S: Service> Replies<S> {
    /// Slots ever made: the most calls that were ever open at once.
    pub(crate) fn slots(&self) -> usize {
        self.slab.borrow().slots.len()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::{Answer, Left, Replies, ReplyKey, Settled, Tag, Waiter};
    use crate::{Cx, Outcome, Service, ShardId};

    struct Text;

    impl Service for Text {
        type Request = ();
        type Reply = &'static str;
        type Control = ();

        fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> Outcome<Self> {
            Outcome::Ready("")
        }

        fn control(&mut self, (): (), _from: ShardId) {}
    }

    fn reserve(replies: &Replies<Text>) -> ReplyKey {
        replies.reserve(Tag::of(3), Waiter::Call(None))
    }

    fn poll(replies: &Replies<Text>, key: ReplyKey) -> Poll<Option<&'static str>> {
        let answer = replies.poll(key, &mut Context::from_waker(Waker::noop()));
        answer.map(|answer| {
            answer.map(|answer| match answer {
                Answer::Reply(text) => text,
                _ => "not a reply",
            })
        })
    }

    #[test]
    fn a_reply_reaches_its_call_and_frees_the_slot() {
        let replies = Replies::new();
        let (a, b) = (reserve(&replies), reserve(&replies));
        assert!(poll(&replies, a).is_pending());
        assert_eq!(a.tag, Tag::of(3));
        assert_eq!(replies.fulfil(b, Answer::Reply("b")), Settled::Taken);
        assert_eq!(replies.fulfil(a, Answer::Reply("a")), Settled::Taken);
        assert_eq!(poll(&replies, a), Poll::Ready(Some("a")));
        assert_eq!(poll(&replies, b), Poll::Ready(Some("b")));
        for _ in 0..10 {
            let key = reserve(&replies);
            replies.release(key);
        }
        assert_eq!(replies.slots(), 2);
    }

    #[test]
    fn a_late_reply_does_not_reach_the_slots_next_call() {
        let replies = Replies::new();
        let dropped = reserve(&replies);
        assert!(matches!(replies.forget(dropped), Left::Underway));
        assert!(!replies.is_wanted(dropped));
        let next = reserve(&replies);
        assert_eq!(
            replies.fulfil(dropped, Answer::Reply("late")),
            Settled::Late
        );
        assert!(poll(&replies, next).is_pending());
        assert_eq!(replies.fulfil(next, Answer::Reply("2")), Settled::Taken);
        assert_eq!(poll(&replies, next), Poll::Ready(Some("2")));
        assert_eq!(replies.slots(), 2);
    }

    #[test]
    fn a_reply_that_nobody_took_goes_with_its_call() {
        let replies = Replies::new();
        let key = reserve(&replies);
        assert_eq!(replies.fulfil(key, Answer::Reply("here")), Settled::Taken);
        assert!(matches!(replies.forget(key), Left::Nothing));
        reserve(&replies);
        assert_eq!(replies.slots(), 1);
    }

    #[test]
    fn closing_loses_what_has_not_come() {
        let replies = Replies::new();
        let (open, here) = (reserve(&replies), reserve(&replies));
        let (shot, end) = oneshot::channel();
        replies.reserve(Tag::NONE, Waiter::Shot(shot));
        assert!(poll(&replies, open).is_pending());
        assert_eq!(replies.fulfil(here, Answer::Reply("1")), Settled::Taken);
        let cast = replies.reserve(Tag::NONE, Waiter::Nobody);
        assert_eq!(replies.close(), 2, "the shot and the cast");
        assert_eq!(poll(&replies, here), Poll::Ready(Some("1")));
        assert_eq!(poll(&replies, open), Poll::Ready(None));
        assert!(end.try_recv().is_err());
        // What was on its way may come all the same.
        for key in [open, cast] {
            assert_eq!(replies.fulfil(key, Answer::Reply("late")), Settled::Late);
        }
    }

    #[test]
    fn what_nobody_waits_for_is_wanted() {
        let replies = Replies::<Text>::new();
        let cast = replies.reserve(Tag::NONE, Waiter::Nobody);
        assert!(replies.is_wanted(cast));
        assert_eq!(replies.fulfil(cast, Answer::Reply("")), Settled::Taken);
        assert_eq!(replies.reserve(Tag::NONE, Waiter::Nobody).slot, cast.slot);
    }
}
