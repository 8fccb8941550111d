//! A lane: one bounded single-producer single-consumer ring (`rtrb`) with batches at both ends and
//! counted refusals.
//!
//! Why a wrapper: the mesh needs to move a turn's values with one publication, to know why a value
//! was refused, and to read the counters of both ends from anywhere. The ring itself is rtrb's,
//! unchanged.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::counters::{Counters, ReceiverCounters, SenderCounters};

/// Makes a lane that holds at most `capacity` values.
///
/// # Panics
/// If `capacity` is 0, or so large that the ring does not fit into the address space.
#[must_use]
pub fn lane<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a lane needs room for at least one value");
    let (producer, consumer) = RingBuffer::new(capacity);
    let counters = Arc::new(Counters::default());
    let sender = Sender {
        ring: producer,
        counters: counters.clone(),
    };
    let receiver = Receiver {
        ring: consumer,
        counters,
    };
    (sender, receiver)
}

/// The sending end of a lane. `Send`, one owner.
pub struct Sender<T> {
    ring: Producer<T>,
    counters: Arc<Counters>,
}

/// Why a value was not taken; the value comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushError<T> {
    /// The ring is full: the receiver is behind.
    Full(T),
    /// The receiver is gone: nobody would ever read the value.
    Closed(T),
}

impl<T> PushError<T> {
    /// The value that was refused.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the lane is full; try again after the receiver has caught up",
            Self::Closed(_) => "the lane's receiver is gone",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for PushError<T> {}

impl<T> Sender<T> {
    /// Hands one value over.
    ///
    /// # Errors
    /// [`PushError`] with the value when the ring is full or the receiver is gone; both are counted.
    pub fn push(&mut self, value: T) -> Result<(), PushError<T>> {
        if self.is_closed() {
            self.counters.on_refused_closed(1);
            return Err(PushError::Closed(value));
        }
        match self.ring.push(value) {
            Ok(()) => {
                self.counters.on_sent(1);
                Ok(())
            }
            Err(rtrb::PushError::Full(value)) => {
                self.counters.on_refused_full(1);
                Err(PushError::Full(value))
            }
        }
    }

    /// Moves values from the front of `staged` until it is empty or the ring is full, and publishes
    /// them at once. Returns how many were moved.
    ///
    /// What does not fit stays in `staged`, in order, and is counted as refused: because the ring is
    /// full, or because the receiver is gone ([`is_closed`](Self::is_closed) tells which).
    pub fn push_batch(&mut self, staged: &mut VecDeque<T>) -> usize {
        if staged.is_empty() {
            return 0;
        }
        if self.is_closed() {
            self.counters.on_refused_closed(staged.len());
            return 0;
        }
        let fits = staged.len().min(self.free());
        if fits > 0 {
            let chunk = self.ring.write_chunk_uninit(fits);
            // `free` counted these slots, and only this end takes them.
            let chunk = chunk.expect("slots that were free a moment ago are still free");
            chunk.fill_from_iter(staged.drain(..fits));
            self.counters.on_sent(fits);
        }
        if !staged.is_empty() {
            self.counters.on_refused_full(staged.len());
        }
        fits
    }

    /// Free slots at this moment; the receiver can only add to them.
    #[must_use]
    pub fn free(&self) -> usize {
        self.ring.slots()
    }

    /// Values the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.buffer().capacity()
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// What this end has counted so far.
    #[must_use]
    pub fn counters(&self) -> SenderCounters {
        self.counters.sender()
    }

    /// What the receiving end has counted so far.
    #[must_use]
    pub fn receiver_counters(&self) -> ReceiverCounters {
        self.counters.receiver()
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("capacity", &self.capacity())
            .field("counters", &self.counters())
            .finish()
    }
}

/// The receiving end of a lane. `Send`, one owner.
pub struct Receiver<T> {
    ring: Consumer<T>,
    counters: Arc<Counters>,
}

impl<T> Receiver<T> {
    /// Takes the oldest value, if there is one. Values sent before the sender went away are still
    /// delivered.
    pub fn pop(&mut self) -> Option<T> {
        let value = self.ring.pop().ok()?;
        self.counters.on_received(1);
        Some(value)
    }

    /// Hands up to `max` values, oldest first, to `take` and returns how many there were.
    ///
    /// The slots become free for the sender together, when the last value has been taken. If `take`
    /// panics, the values it has seen are gone and the others stay.
    pub fn pop_batch(&mut self, max: usize, mut take: impl FnMut(T)) -> usize {
        if self.ring.is_empty() {
            return 0;
        }
        let found = self.ring.slots().min(max);
        if found == 0 {
            return 0;
        }
        let chunk = self.ring.read_chunk(found);
        // `slots` counted these values, and only this end takes them.
        let chunk = chunk.expect("values that were there a moment ago are still there");
        self.counters.on_received(found);
        for value in chunk {
            take(value);
        }
        found
    }

    /// Whether there is nothing to take at this moment.
    ///
    /// An acquiring look at the ring itself, not at a cached index, whenever the cached one says
    /// "empty": safe to use as the second look before a sleep ([`SleepFlag`](crate::SleepFlag)).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Whether the sender is gone and everything it sent has been taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // In this order: what was pushed before the sender left is visible once it is seen gone.
        self.ring.is_abandoned() && self.ring.is_empty()
    }

    /// Values the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.buffer().capacity()
    }

    /// What this end has counted so far.
    #[must_use]
    pub fn counters(&self) -> ReceiverCounters {
        self.counters.receiver()
    }

    /// What the sending end has counted so far.
    #[must_use]
    pub fn sender_counters(&self) -> SenderCounters {
        self.counters.sender()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("capacity", &self.capacity())
            .field("counters", &self.counters())
            .finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
