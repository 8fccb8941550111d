//! Queues with one sender and one receiver.

use std::collections::VecDeque;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{Head, Shape, SharedHead, SharedTail, Tail, chain, shared};

/// The sending half.
pub enum SingleTail<T> {
    Ring(Producer<T>),
    Chain(chain::Tail<T>),
    Overwriting(SharedTail<T>),
}

/// The receiving half.
pub enum SingleHead<T> {
    Ring(Consumer<T>),
    Chain(chain::Head<T>),
    Overwriting(SharedHead<T>),
}

pub(crate) fn single<T>(shape: Shape) -> (SingleTail<T>, SingleHead<T>) {
    match shape {
        Shape::Bounded(capacity) => {
            let (tail, head) = RingBuffer::new(capacity);
            (SingleTail::Ring(tail), SingleHead::Ring(head))
        }
        Shape::Overwriting(_) => {
            let (tail, head) = shared::shared(shape);
            (SingleTail::Overwriting(tail), SingleHead::Overwriting(head))
        }
        Shape::Growing(limit) => {
            let (tail, head) = chain::chain(limit);
            (SingleTail::Chain(tail), SingleHead::Chain(head))
        }
    }
}

impl<T> Tail<T> for SingleTail<T> {
    const IN_ORDER: bool = false;

    #[inline]
    fn push(&mut self, value: T) -> Result<(), T> {
        match self {
            Self::Ring(ring) => ring
                .push(value)
                .map_err(|rtrb::PushError::Full(value)| value),
            Self::Chain(chain) => chain.push(value),
            Self::Overwriting(array) => array.push(value),
        }
    }

    fn push_batch(&mut self, staged: &mut VecDeque<T>) -> usize {
        match self {
            Self::Ring(ring) => fill(ring, staged),
            Self::Chain(chain) => chain.push_batch(staged),
            Self::Overwriting(array) => array.push_batch(staged),
        }
    }

    fn push_over(&mut self, value: T) -> Option<T> {
        match self {
            Self::Overwriting(array) => array.push_over(value),
            Self::Ring(_) | Self::Chain(_) => {
                unreachable!("only a queue of the overwriting shape is asked to replace")
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Ring(ring) => ring.buffer().capacity() - ring.slots(),
            Self::Chain(chain) => chain.len(),
            Self::Overwriting(array) => array.len(),
        }
    }
}

impl<T> Head<T> for SingleHead<T> {
    const IN_ORDER: bool = false;

    #[inline]
    fn pop(&mut self) -> Option<T> {
        match self {
            Self::Ring(ring) => ring.pop().ok(),
            Self::Chain(chain) => chain.pop(),
            Self::Overwriting(array) => array.pop(),
        }
    }

    fn pop_batch(&mut self, max: usize, take: impl FnMut(T)) -> usize {
        match self {
            Self::Ring(ring) => drain(ring, max, take),
            Self::Chain(chain) => chain.pop_batch(max, take),
            Self::Overwriting(array) => array.pop_batch(max, take),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Ring(ring) => ring.is_empty(),
            Self::Chain(chain) => chain.is_empty(),
            Self::Overwriting(array) => array.is_empty(),
        }
    }
}

/// Moves what fits from the front of `staged`, published at once.
pub(super) fn fill<T>(ring: &mut Producer<T>, staged: &mut VecDeque<T>) -> usize {
    let fits = staged.len().min(ring.slots());
    if fits == 0 {
        return 0;
    }
    let chunk = ring.write_chunk_uninit(fits);
    // Only this end takes free slots.
    let chunk = chunk.expect("slots that were free a moment ago are still free");
    chunk.fill_from_iter(staged.drain(..fits))
}

/// Takes up to `max`; their slots become free together. If `take` panics, what it has not seen stays.
pub(super) fn drain<T>(ring: &mut Consumer<T>, max: usize, mut take: impl FnMut(T)) -> usize {
    if ring.is_empty() {
        return 0;
    }
    let found = ring.slots().min(max);
    let chunk = ring.read_chunk(found);
    // Only this end takes values.
    let chunk = chunk.expect("values that were there a moment ago are still there");
    for value in chunk {
        take(value);
    }
    found
}
