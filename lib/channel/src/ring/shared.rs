//! Queues with many senders, many receivers, or both.
//!
//! Both of crossbeam's queues move their index by `compare_exchange(SeqCst)` before they touch the slot,
//! and look at the other side's index after `fence(SeqCst)` when they find nothing (0.3.14, and pinned in
//! the workspace for it: another version has to be read again). A look at who sleeps, sequentially
//! consistent too and after the move, therefore needs no fence in between: if it misses the sleeper, it
//! comes before the sleeper's store in the one order of such operations, the move comes before that, and
//! the sleeper's look after its fence sees the move. The fence would be a second full barrier per value;
//! without it an unbounded `mpsc` went from 0.75 to 0.93 of crossfire's speed. Loom cannot try this: it
//! treats sequentially consistent accesses as weaker than they are.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::{ArrayQueue, SegQueue};

use super::{Head, Shape, Tail, pop_each, push_each};

/// A sender of a growing queue looks at its length once in so many pushes, because the look touches
/// the receivers' cache line. `n` senders can so pass the limit by `n` times this.
const LIMIT_CHECK_EVERY: u32 = 64;

/// A sending half; its clones send into the same queue.
pub struct SharedTail<T> {
    queue: Arc<Queue<T>>,
    /// Pushes left until the next look at the length.
    unchecked: u32,
}

/// A receiving half; its clones receive from the same queue.
pub struct SharedHead<T> {
    queue: Arc<Queue<T>>,
}

/// The one receiving half of a queue with many senders: not cloneable, by type.
pub struct SoleHead<T>(SharedHead<T>);

impl<T> From<SharedHead<T>> for SoleHead<T> {
    fn from(head: SharedHead<T>) -> Self {
        Self(head)
    }
}

enum Queue<T> {
    Array(ArrayQueue<T>),
    List { list: SegQueue<T>, limit: usize },
}

pub(crate) fn shared<T>(shape: Shape) -> (SharedTail<T>, SharedHead<T>) {
    let queue = Arc::new(match shape {
        Shape::Bounded(capacity) | Shape::Overwriting(capacity) => {
            Queue::Array(ArrayQueue::new(capacity))
        }
        Shape::Growing(limit) => Queue::List {
            list: SegQueue::new(),
            limit,
        },
    });
    let tail = SharedTail {
        queue: queue.clone(),
        unchecked: 0,
    };
    (tail, SharedHead { queue })
}

impl<T> Clone for SharedTail<T> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            unchecked: 0,
        }
    }
}

impl<T> Clone for SharedHead<T> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

impl<T> Tail<T> for SharedTail<T> {
    const IN_ORDER: bool = true;

    #[inline]
    fn push(&mut self, value: T) -> Result<(), T> {
        match &*self.queue {
            Queue::Array(array) => array.push(value),
            Queue::List { list, limit } => {
                if self.unchecked == 0 {
                    if list.len() >= *limit {
                        return Err(value);
                    }
                    self.unchecked = LIMIT_CHECK_EVERY;
                }
                self.unchecked -= 1;
                list.push(value);
                Ok(())
            }
        }
    }

    fn push_batch(&mut self, staged: &mut VecDeque<T>) -> usize {
        push_each(staged, |value| self.push(value))
    }

    fn push_over(&mut self, value: T) -> Option<T> {
        match &*self.queue {
            Queue::Array(array) => array.force_push(value),
            Queue::List { .. } => {
                unreachable!("only a queue of the overwriting shape is asked to replace")
            }
        }
    }

    fn len(&self) -> usize {
        match &*self.queue {
            Queue::Array(array) => array.len(),
            Queue::List { list, .. } => list.len(),
        }
    }
}

impl<T> Head<T> for SharedHead<T> {
    const IN_ORDER: bool = true;

    #[inline]
    fn pop(&mut self) -> Option<T> {
        match &*self.queue {
            Queue::Array(array) => array.pop(),
            Queue::List { list, .. } => list.pop(),
        }
    }

    fn pop_batch(&mut self, max: usize, take: impl FnMut(T)) -> usize {
        match &*self.queue {
            Queue::Array(array) => pop_each(max, || array.pop(), take),
            Queue::List { list, .. } => pop_each(max, || list.pop(), take),
        }
    }

    fn is_empty(&self) -> bool {
        match &*self.queue {
            Queue::Array(array) => array.is_empty(),
            Queue::List { list, .. } => list.is_empty(),
        }
    }
}

impl<T> Head<T> for SoleHead<T> {
    const IN_ORDER: bool = true;

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn pop_batch(&mut self, max: usize, take: impl FnMut(T)) -> usize {
        self.0.pop_batch(max, take)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
