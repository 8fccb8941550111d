//! The receiving end of every channel.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use crate::error::RecvError;
use crate::link::{Gauge, Link};
use crate::park::{Deadline, block_on};
use crate::patience::Patience;
use crate::ring::{Head, SharedHead};
use crate::waiters::Waiter;

mod future;
mod port;

pub use future::{Recv, RecvBatch};
use port::Port;

/// The receiving end of a channel: [`spsc::Receiver`](crate::spsc::Receiver),
/// [`mpsc::Receiver`](crate::mpsc::Receiver) or [`mpmc::Receiver`](crate::mpmc::Receiver).
///
/// An end belongs to one thread or task at a time, so its methods take `&mut self`; where the kind of
/// channel allows several receivers, clone it: each value goes to one of them. Dropping the last
/// receiver drops what is in the queue, and every later send gives its value back.
///
/// A receiver is a [`Stream`] that ends when the channel is closed.
///
/// The blocking methods are for threads of their own. On a shard they stop everything that runs there:
/// use the asynchronous ones.
pub struct Receiver<T, Q: Head<T>> {
    port: Port<T, Q>,
    waiter: Waiter,
    patience: Patience,
}

impl<T, Q: Head<T>> Receiver<T, Q> {
    pub(crate) fn new(head: Q, link: Arc<Link>) -> Self {
        let waiter = link.receivers.waiters.waiter();
        Self {
            port: Port::new(head, link),
            waiter,
            patience: Patience::default(),
        }
    }

    /// Takes the oldest value, if there is one at this moment.
    ///
    /// # Errors
    /// [`RecvError::Empty`]; [`RecvError::Closed`] if there can be none any more.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, RecvError> {
        match self.port.try_one() {
            Some(outcome) => outcome,
            None => Err(RecvError::Empty),
        }
    }

    /// Takes the oldest value; waits for one. Dropped, the future has taken nothing.
    ///
    /// # Errors
    /// [`RecvError::Closed`].
    #[inline]
    pub fn recv(&mut self) -> Recv<'_, T, Q> {
        Recv::new(self)
    }

    /// [`recv`](Self::recv), given up when `timer` is done first.
    ///
    /// The timer is any future, so that this needs no runtime: on a shard
    /// `rx.recv_or(corelane::time::sleep(Duration::from_millis(5)))`.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`] if the timer was first; [`RecvError::Closed`].
    pub async fn recv_or(&mut self, timer: impl Future<Output = ()>) -> Result<T, RecvError> {
        future::recv_or(self, timer).await
    }

    /// [`recv`](Self::recv) for a thread: blocks while it waits.
    ///
    /// # Errors
    /// [`RecvError::Closed`].
    #[inline]
    pub fn recv_blocking(&mut self) -> Result<T, RecvError> {
        match self.port.try_one() {
            Some(outcome) => outcome,
            None => self.recv_until(Deadline::NEVER),
        }
    }

    /// [`recv_blocking`](Self::recv_blocking), for `timeout` at most.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`] if nothing came in time; [`RecvError::Closed`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvError> {
        match self.port.try_one() {
            Some(outcome) => outcome,
            None => self.recv_until(Deadline::after(timeout)),
        }
    }

    /// Appends up to `max` values to `into`, oldest first, and wakes senders once. How many there were:
    /// at least one, unless `max` is 0.
    ///
    /// # Errors
    /// [`RecvError::Empty`]; [`RecvError::Closed`].
    pub fn try_recv_batch(&mut self, into: &mut Vec<T>, max: usize) -> Result<usize, RecvError> {
        self.port
            .try_many(into, max)
            .unwrap_or(Err(RecvError::Empty))
    }

    /// The same, and waits for the first value. Dropped, the future has taken nothing.
    ///
    /// # Errors
    /// [`RecvError::Closed`].
    pub fn recv_batch<'a>(&'a mut self, into: &'a mut Vec<T>, max: usize) -> RecvBatch<'a, T, Q> {
        RecvBatch::new(self, into, max)
    }

    /// [`recv_batch`](Self::recv_batch) for a thread: blocks while it waits.
    ///
    /// # Errors
    /// [`RecvError::Closed`].
    pub fn recv_batch_blocking(
        &mut self,
        into: &mut Vec<T>,
        max: usize,
    ) -> Result<usize, RecvError> {
        let steps = self.port.link.policy.spin_blocking;
        block_on(Deadline::NEVER, |cx| {
            self.poll_until(cx, steps, |port| port.try_many(into, max))
        })
        .expect("a wait without a deadline ends with a result")
    }

    /// The next value for a task that polls by hand.
    ///
    /// # Errors
    /// [`RecvError::Closed`].
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let steps = self.port.link.policy.spin_polled;
        self.poll_until(cx, steps, Port::try_one)
    }

    /// Whether nothing is in the queue at this moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.port.head.is_empty()
    }

    /// Whether all senders are gone and everything they sent has been taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // In this order: what was sent before the last sender left is visible once it is seen gone.
        self.port.link.senders.is_gone() && self.port.head.is_empty()
    }

    /// Values the channel holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.port.link.policy.capacity
    }

    /// Reads the channel's counters from anywhere.
    #[must_use]
    pub fn gauge(&self) -> Gauge {
        Gauge {
            link: self.port.link.clone(),
        }
    }

    #[cold]
    fn recv_until(&mut self, deadline: Deadline) -> Result<T, RecvError> {
        let steps = self.port.link.policy.spin_blocking;
        let outcome = block_on(deadline, |cx| self.poll_until(cx, steps, Port::try_one));
        outcome.unwrap_or_else(|| Err(self.give_up()))
    }

    /// The time is over: signs off.
    fn give_up(&mut self) -> RecvError {
        self.leave();
        self.port.block.timed_out.add(1);
        RecvError::TimedOut
    }

    /// Signs off from waiting for values.
    fn leave(&mut self) {
        self.waiter.leave(&self.port.link.receivers.waiters);
    }

    #[inline]
    fn poll_until<R>(
        &mut self,
        cx: &Context<'_>,
        steps: u32,
        mut attempt: impl FnMut(&mut Port<T, Q>) -> Option<R>,
    ) -> Poll<R> {
        if self.waiter.is_registered() {
            return self.sleep(cx, attempt);
        }
        if let Some(result) = attempt(&mut self.port) {
            return Poll::Ready(result);
        }
        let moved = self.port.block.received.get();
        let Self { port, patience, .. } = self;
        if let Some(result) = patience.spin(steps, moved, || attempt(port)) {
            return Poll::Ready(result);
        }
        let polled = self.sleep(cx, attempt);
        if polled.is_pending() {
            self.port.block.waits.add(1);
        }
        polled
    }

    #[cold]
    fn sleep<R>(
        &mut self,
        cx: &Context<'_>,
        mut attempt: impl FnMut(&mut Port<T, Q>) -> Option<R>,
    ) -> Poll<R> {
        let Self { port, waiter, .. } = self;
        let link = port.link.clone();
        waiter.poll(&link.receivers.waiters, cx, || attempt(port))
    }
}

impl<T> Clone for Receiver<T, SharedHead<T>> {
    fn clone(&self) -> Self {
        Self::new(self.port.head.clone(), self.port.link.clone())
    }
}

// Nothing of a receiver is ever pinned; values are moved out.
impl<T, Q: Head<T>> Unpin for Receiver<T, Q> {}

impl<T, Q: Head<T>> Stream for Receiver<T, Q> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().poll_recv(cx).map(Result::ok)
    }
}

impl<T, Q: Head<T>> Drop for Receiver<T, Q> {
    fn drop(&mut self) {
        self.leave();
        self.port.close();
    }
}

impl<T, Q: Head<T>> fmt::Debug for Receiver<T, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("full", &self.port.link.policy.full)
            .field("channel", &self.gauge())
            .finish()
    }
}
