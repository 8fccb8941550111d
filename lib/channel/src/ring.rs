//! The queues beneath the channels, behind two small traits, so that waiting, policies and counters
//! are written once.
//!
//! | queue | for | whose |
//! |---|---|---|
//! | ring | `spsc`, bounded | rtrb |
//! | chain of rings | `spsc`, unbounded | rtrb, linked by [`chain`] |
//! | array | `mpsc`, `mpmc`, bounded; `spsc` that drops its oldest, because there the sender takes out too | crossbeam-queue |
//! | list | `mpsc`, `mpmc`, unbounded | crossbeam-queue |

use std::collections::VecDeque;

mod chain;
mod shared;
mod single;

pub(crate) use shared::shared;
pub(crate) use shared::{SharedHead, SharedTail, SoleHead};
pub(crate) use single::single;
pub(crate) use single::{SingleHead, SingleTail};

/// Where values go in. Sealed: the module is private.
pub trait Tail<T> {
    /// Whether every push is a sequentially consistent read-modify-write of the index that an empty
    /// queue's receiver looks at, so that no fence is needed between it and a look at who sleeps.
    const IN_ORDER: bool;

    /// Appends, or gives the value back because there is no room.
    fn push(&mut self, value: T) -> Result<(), T>;

    /// Appends from the front of `staged` while there is room; how many.
    fn push_batch(&mut self, staged: &mut VecDeque<T>) -> usize;

    /// Appends; where there is no room, in the place of the oldest value, which comes back.
    /// Only for queues made with [`Shape::Overwriting`].
    fn push_over(&mut self, value: T) -> Option<T>;

    /// Values in the queue at this moment, as far as this side can tell.
    fn len(&self) -> usize;
}

/// Where values come out. Sealed: the module is private.
pub trait Head<T> {
    /// Whether every pop is a sequentially consistent read-modify-write of the index that a full queue's
    /// sender looks at.
    const IN_ORDER: bool;

    /// Takes the oldest.
    fn pop(&mut self) -> Option<T>;

    /// Hands up to `max` values, oldest first, to `take`; how many.
    fn pop_batch(&mut self, max: usize, take: impl FnMut(T)) -> usize;

    /// Whether there is nothing to take.
    fn is_empty(&self) -> bool;
}

/// What a queue must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Refuses above this many values.
    Bounded(usize),
    /// The same, and lets the sender replace the oldest.
    Overwriting(usize),
    /// Grows; refuses somewhere near this many values, as a net under a runaway sender.
    Growing(usize),
}

/// Pushes one by one, for queues that know no batches.
fn push_each<T>(staged: &mut VecDeque<T>, mut push: impl FnMut(T) -> Result<(), T>) -> usize {
    let mut pushed = 0;
    while let Some(value) = staged.pop_front() {
        if let Err(value) = push(value) {
            staged.push_front(value);
            break;
        }
        pushed += 1;
    }
    pushed
}

/// Pops one by one, for queues that know no batches.
fn pop_each<T>(max: usize, mut pop: impl FnMut() -> Option<T>, mut take: impl FnMut(T)) -> usize {
    let mut popped = 0;
    while popped < max {
        let Some(value) = pop() else { break };
        popped += 1;
        take(value);
    }
    popped
}
