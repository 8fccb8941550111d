//! Permits of one shard, given out in the order of asking: who asks for many is not overtaken for ever by who asks
//! for few.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use corelane_rt::time;

/// So many permits. Clones are the same semaphore.
///
/// Waiting takes one entry per waiting future, which is gone with the future: what bounds the tasks bounds the queue.
///
/// ```
/// use corelane::sync::Semaphore;
/// use corelane::sim::{World, WorldOptions};
///
/// let world = World::new(1, WorldOptions::default());
/// let shard = world.shard(0, "shard");
/// world.block_on(shard, async {
///     let reads = Semaphore::new(2);
///     let one = reads.acquire(1).await.expect("open");
///     let two = reads.try_acquire(1).expect("one is left");
///     assert!(reads.try_acquire(1).is_err());
///     drop((one, two));
///     assert_eq!(reads.available(), 2);
/// })?;
/// # Ok::<(), corelane::sim::Stuck>(())
/// ```
#[derive(Clone)]
pub struct Semaphore(Rc<RefCell<State>>);

struct State {
    available: usize,
    /// Available and given out.
    total: usize,
    closed: bool,
    next: u64,
    /// By the order of asking. Those that were given their permits stand there until they look.
    queue: BTreeMap<u64, Waiter>,
    stats: SemaphoreStats,
}

struct Waiter {
    want: usize,
    given: bool,
    waker: Option<Waker>,
}

/// What a semaphore has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SemaphoreStats {
    /// Times that permits were given.
    pub acquired: u64,
    /// Of these, those that had to wait.
    pub waited: u64,
    /// [`Semaphore::try_acquire`] that found too few.
    pub refused: u64,
    /// Waits that reached their time limit.
    pub timed_out: u64,
    /// Asked for while or until it was closed.
    pub closed: u64,
    /// Asked for more than there are.
    pub too_many: u64,
}

/// Why permits are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// [`Semaphore::close`].
    #[error("the semaphore is closed")]
    Closed,
    /// It would wait for ever.
    #[error("asked for {asked} permits of a semaphore that has {total} in all")]
    TooMany {
        /// Permits asked for.
        asked: usize,
        /// Permits there are, given out or not.
        total: usize,
    },
    /// The time limit passed.
    #[error("no permits within the time limit")]
    TimedOut,
}

/// Why permits are not given at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryAcquireError {
    /// There are too few now, or somebody waits for them.
    #[error("no permits now; wait for them with acquire")]
    Busy,
    /// [`Semaphore::close`].
    #[error("the semaphore is closed")]
    Closed,
}

impl Semaphore {
    /// A semaphore of `permits`.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self(Rc::new(RefCell::new(State {
            available: permits,
            total: permits,
            closed: false,
            next: 0,
            queue: BTreeMap::new(),
            stats: SemaphoreStats::default(),
        })))
    }

    /// Waits for `permits`, behind all who asked before. Dropping the future gives the place up.
    ///
    /// # Errors
    /// [`AcquireError::Closed`], also while it waits, and [`AcquireError::TooMany`] for more than there are in all.
    pub fn acquire(&self, permits: usize) -> Acquire {
        Acquire {
            semaphore: self.clone(),
            permits,
            ticket: None,
        }
    }

    /// As [`acquire`](Self::acquire), for at most `limit`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), and [`AcquireError::TimedOut`].
    ///
    /// # Panics
    /// Outside a runtime.
    pub async fn acquire_within(
        &self,
        permits: usize,
        limit: Duration,
    ) -> Result<Permit, AcquireError> {
        match time::timeout(limit, self.acquire(permits)).await {
            Ok(acquired) => acquired,
            Err(time::Elapsed) => {
                self.0.borrow_mut().stats.timed_out += 1;
                Err(AcquireError::TimedOut)
            }
        }
    }

    /// Takes `permits` if they are free and nobody waits.
    ///
    /// # Errors
    /// [`TryAcquireError`], counted.
    pub fn try_acquire(&self, permits: usize) -> Result<Permit, TryAcquireError> {
        let mut state = self.0.borrow_mut();
        if state.closed {
            state.stats.closed += 1;
            return Err(TryAcquireError::Closed);
        }
        if !state.take(permits) {
            state.stats.refused += 1;
            return Err(TryAcquireError::Busy);
        }
        drop(state);
        Ok(self.permit(permits))
    }

    /// Adds permits.
    ///
    /// # Panics
    /// If there are more than `usize::MAX` in all.
    pub fn add(&self, permits: usize) {
        let total = self.0.borrow().total.checked_add(permits);
        self.0.borrow_mut().total = total.expect("a semaphore of more permits than can be counted");
        self.give_back(permits);
    }

    /// Ends it: who waits, and who asks later, is refused. Permits that are out stay good.
    pub fn close(&self) {
        let mut state = self.0.borrow_mut();
        state.closed = true;
        let wakers: Vec<_> = state
            .queue
            .values_mut()
            .filter_map(|w| w.waker.take())
            .collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Permits that are free.
    #[must_use]
    pub fn available(&self) -> usize {
        self.0.borrow().available
    }

    /// Futures that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0
            .borrow()
            .queue
            .values()
            .filter(|waiter| !waiter.given)
            .count()
    }

    /// What it has counted.
    #[must_use]
    pub fn stats(&self) -> SemaphoreStats {
        self.0.borrow().stats
    }

    fn permit(&self, count: usize) -> Permit {
        Permit {
            semaphore: self.clone(),
            count,
        }
    }

    fn give_back(&self, permits: usize) {
        let mut state = self.0.borrow_mut();
        state.available += permits;
        let wakers = state.serve();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// Takes permits that are free and that nobody waits for.
    fn take(&mut self, permits: usize) -> bool {
        // Permits are given in order, so that whoever was given them stands before all who wait.
        let last = self.queue.last_key_value();
        let somebody_waits = last.is_some_and(|(_, waiter)| !waiter.given);
        if somebody_waits || permits > self.available {
            return false;
        }
        self.available -= permits;
        self.stats.acquired += 1;
        true
    }

    /// Gives what is free to who waits, in order, until it does not suffice for the next.
    fn serve(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        for waiter in self.queue.values_mut().filter(|waiter| !waiter.given) {
            if waiter.want > self.available {
                break;
            }
            self.available -= waiter.want;
            waiter.given = true;
            wakers.extend(waiter.waker.take());
        }
        wakers
    }
}

impl std::fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

/// The future of [`Semaphore::acquire`].
#[must_use = "a future asks only where it is awaited"]
#[derive(Debug)]
pub struct Acquire {
    semaphore: Semaphore,
    permits: usize,
    ticket: Option<u64>,
}

impl Acquire {
    fn ask(&mut self, cx: &Context<'_>) -> Poll<Result<Permit, AcquireError>> {
        let mut state = self.semaphore.0.borrow_mut();
        if state.closed {
            state.stats.closed += 1;
            return Poll::Ready(Err(AcquireError::Closed));
        }
        if self.permits > state.total {
            state.stats.too_many += 1;
            return Poll::Ready(Err(AcquireError::TooMany {
                asked: self.permits,
                total: state.total,
            }));
        }
        if state.take(self.permits) {
            return Poll::Ready(Ok(self.semaphore.permit(self.permits)));
        }
        let ticket = state.next;
        state.next += 1;
        let waiter = Waiter {
            want: self.permits,
            given: false,
            waker: Some(cx.waker().clone()),
        };
        state.queue.insert(ticket, waiter);
        self.ticket = Some(ticket);
        Poll::Pending
    }

    fn look(&mut self, ticket: u64, cx: &Context<'_>) -> Poll<Result<Permit, AcquireError>> {
        let mut state = self.semaphore.0.borrow_mut();
        let closed = state.closed;
        let waiter = state.queue.get_mut(&ticket);
        let waiter = waiter.expect("a future that waits has its place in the queue");
        if waiter.given {
            state.queue.remove(&ticket);
            state.stats.acquired += 1;
            state.stats.waited += 1;
            self.ticket = None;
            return Poll::Ready(Ok(self.semaphore.permit(self.permits)));
        }
        if closed {
            state.queue.remove(&ticket);
            state.stats.closed += 1;
            self.ticket = None;
            return Poll::Ready(Err(AcquireError::Closed));
        }
        let old = waiter.waker.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Future for Acquire {
    type Output = Result<Permit, AcquireError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.ticket {
            None => self.ask(cx),
            Some(ticket) => self.look(ticket, cx),
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let waiter = self.semaphore.0.borrow_mut().queue.remove(&ticket);
        let given = waiter.as_ref().is_some_and(|waiter| waiter.given);
        drop(waiter);
        // Also where nothing was given: who asked for less behind it may be served now.
        self.semaphore
            .give_back(if given { self.permits } else { 0 });
    }
}

/// Permits that were given; they go back when it is dropped.
#[must_use = "dropped at once, the permits go back at once"]
#[derive(Debug)]
pub struct Permit {
    semaphore: Semaphore,
    count: usize,
}

impl Permit {
    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes `count` of them out as a permit of its own; `None` where there are not as many.
    pub fn split(&mut self, count: usize) -> Option<Permit> {
        self.count = self.count.checked_sub(count)?;
        Some(self.semaphore.permit(count))
    }

    /// Takes the permits out of the semaphore for good.
    pub fn forget(mut self) {
        let count = mem::take(&mut self.count);
        self.semaphore.0.borrow_mut().total -= count;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.give_back(self.count);
        }
    }
}

#[cfg(test)]
mod tests;
