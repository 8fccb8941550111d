//! An unbounded queue for one sender and one receiver: a chain of rtrb rings.
//!
//! The sender fills one ring; when it is full it makes the next, twice as large, puts its receiving
//! half on a list and leaves the full ring behind. The receiver empties its ring, sees that it was
//! left, and takes the next from the list. So the list's lock is taken once per ring, by each side,
//! and a receiver that keeps up stays in one ring for ever.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rtrb::{Consumer, Producer, RingBuffer};

use super::single::{drain, fill};

/// Values in the first ring.
const FIRST_RING: usize = 64;

/// Values in the largest ring: larger ones save nothing and are slow to allocate.
const LARGEST_RING: usize = 16 * 1024;

pub(crate) fn chain<T>(limit: usize) -> (Tail<T>, Head<T>) {
    let size = FIRST_RING.min(limit);
    let (producer, consumer) = RingBuffer::new(size);
    let links = Arc::new(Links {
        rings: Mutex::new(VecDeque::new()),
        room: AtomicUsize::new(size),
    });
    let tail = Tail {
        ring: producer,
        links: links.clone(),
        limit,
    };
    let head = Head {
        ring: consumer,
        links,
    };
    (tail, head)
}

/// What joins the two ends.
struct Links<T> {
    /// Rings the receiver has yet to come to. Bounded by the limit on `room`.
    rings: Mutex<VecDeque<Consumer<T>>>,
    /// Slots of all rings that exist.
    room: AtomicUsize,
}

/// The sending half.
pub struct Tail<T> {
    ring: Producer<T>,
    links: Arc<Links<T>>,
    limit: usize,
}

/// The receiving half.
pub struct Head<T> {
    ring: Consumer<T>,
    links: Arc<Links<T>>,
}

impl<T> Tail<T> {
    #[inline]
    pub(super) fn push(&mut self, value: T) -> Result<(), T> {
        match self.ring.push(value) {
            Ok(()) => Ok(()),
            Err(rtrb::PushError::Full(value)) => {
                if !self.grow() {
                    return Err(value);
                }
                self.ring
                    .push(value)
                    .map_err(|rtrb::PushError::Full(value)| value)
            }
        }
    }

    pub(super) fn push_batch(&mut self, staged: &mut VecDeque<T>) -> usize {
        let mut pushed = 0;
        loop {
            pushed += fill(&mut self.ring, staged);
            if staged.is_empty() || !self.grow() {
                return pushed;
            }
        }
    }

    /// Moves on to a new ring. False at the limit.
    #[cold]
    fn grow(&mut self) -> bool {
        let room = self.links.room.load(Ordering::Relaxed);
        let wanted = (self.ring.buffer().capacity() * 2).min(LARGEST_RING);
        let size = wanted.min(self.limit.saturating_sub(room));
        if size == 0 {
            return false;
        }
        let (producer, consumer) = RingBuffer::new(size);
        self.links.room.fetch_add(size, Ordering::Relaxed);
        let mut rings = self
            .links
            .rings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        rings.push_back(consumer);
        drop(rings);
        // Only now: a receiver that sees the old ring left must find the new one on the list.
        self.ring = producer;
        true
    }

    /// At most how many values there are: all of the rings but the free slots of the last.
    pub(super) fn len(&self) -> usize {
        let room = self.links.room.load(Ordering::Relaxed);
        room.saturating_sub(self.ring.slots())
    }
}

impl<T> Head<T> {
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        match self.ring.pop() {
            Ok(value) => Some(value),
            Err(_) => {
                while self.advance() {
                    if let Ok(value) = self.ring.pop() {
                        return Some(value);
                    }
                }
                None
            }
        }
    }

    pub(super) fn pop_batch(&mut self, max: usize, mut take: impl FnMut(T)) -> usize {
        let mut popped = 0;
        while popped < max {
            popped += drain(&mut self.ring, max - popped, &mut take);
            if popped < max && !self.advance() {
                break;
            }
        }
        popped
    }

    pub(super) fn is_empty(&self) -> bool {
        // A ring that was left has a successor, and that was made for a value.
        self.ring.is_empty() && !self.is_left()
    }

    /// Whether the sender has gone on to another ring (or away).
    fn is_left(&self) -> bool {
        let rings = self
            .links
            .rings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        !rings.is_empty()
    }

    /// Whether there is more: in this ring, after a second look, or in the next one.
    #[cold]
    fn advance(&mut self) -> bool {
        if !self.ring.is_abandoned() {
            return false;
        }
        // Seen left: everything that was ever pushed into this ring is visible now.
        if !self.ring.is_empty() {
            return true;
        }
        let mut rings = self
            .links
            .rings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(next) = rings.pop_front() else {
            return false;
        };
        drop(rings);
        let left = std::mem::replace(&mut self.ring, next);
        let freed = left.buffer().capacity();
        self.links.room.fetch_sub(freed, Ordering::Relaxed);
        true
    }
}
