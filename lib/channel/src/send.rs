//! The sending end of every channel.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::SendError;
use crate::link::{Gauge, Link};
use crate::park::{Deadline, block_on};
use crate::patience::Patience;
use crate::ring::{SharedTail, Tail};
use crate::waiters::Waiter;

mod future;
mod port;

pub use future::{Send, SendBatch};
use port::Port;

/// The sending end of a channel: [`spsc::Sender`](crate::spsc::Sender),
/// [`mpsc::Sender`](crate::mpsc::Sender) or [`mpmc::Sender`](crate::mpmc::Sender).
///
/// An end belongs to one thread or task at a time, so its methods take `&mut self`; where the kind of
/// channel allows several senders, clone it. Dropping the last sender closes the channel once what
/// was sent has been received.
///
/// The blocking methods are for threads of their own. On a shard they stop everything that runs there:
/// use the asynchronous ones.
pub struct Sender<T, Q: Tail<T>> {
    port: Port<T, Q>,
    waiter: Waiter,
    patience: Patience,
}

impl<T, Q: Tail<T>> Sender<T, Q> {
    pub(crate) fn new(tail: Q, link: Arc<Link>) -> Self {
        let waiter = link.senders.waiters.waiter();
        Self {
            port: Port::new(tail, link),
            waiter,
            patience: Patience::default(),
        }
    }

    /// Sends if that is possible at this moment; never waits.
    ///
    /// ```
    /// let (mut tx, mut rx) = corelane_channel::spsc::bounded(1);
    /// tx.try_send("first")?;
    /// assert_eq!(tx.try_send("second").unwrap_err().into_inner(), "second");
    /// assert_eq!(rx.try_recv(), Ok("first"));
    /// # Ok::<(), corelane_channel::SendError<&str>>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError`] with the value: the queue is full and its [policy](crate::Full) gives the value back
    /// or would wait, or all receivers are gone.
    #[inline]
    pub fn try_send(&mut self, value: T) -> Result<(), SendError<T>> {
        let outcome = self.port.offer(value);
        if let Err(error) = &outcome {
            self.port.refused(error, 1);
        }
        outcome
    }

    /// Sends; while the queue is full, does what its [policy](crate::Full) says, and waits only if that
    /// is [`Full::Wait`](crate::Full::Wait).
    ///
    /// The future holds the value until it is sent. Dropped before, it drops the value, which then was
    /// not sent; [`Send::cancel`] hands it back instead.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    #[inline]
    pub fn send(&mut self, value: T) -> Send<'_, T, Q> {
        Send::new(self, value)
    }

    /// [`send`](Self::send), given up when `timer` is done first.
    ///
    /// The timer is any future, so that this needs no runtime: on a shard
    /// `tx.send_or(value, corelane::time::sleep(Duration::from_millis(5)))`, and a cancellation token or
    /// a shutdown signal serve as well.
    ///
    /// # Errors
    /// [`SendError`] with the value; [`SendError::TimedOut`] if the timer was first.
    pub async fn send_or(
        &mut self,
        value: T,
        timer: impl Future<Output = ()>,
    ) -> Result<(), SendError<T>> {
        future::send_or(self, value, timer).await
    }

    /// [`send`](Self::send) for a thread: blocks while it waits.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    #[inline]
    pub fn send_blocking(&mut self, value: T) -> Result<(), SendError<T>> {
        match self.port.offer(value) {
            Err(SendError::Full(value)) if self.port.waits() => {
                self.send_until(value, Deadline::NEVER)
            }
            outcome => self.counted(outcome),
        }
    }

    /// [`send_blocking`](Self::send_blocking), for `timeout` at most.
    ///
    /// # Errors
    /// [`SendError`] with the value; [`SendError::TimedOut`] if no room came in time.
    pub fn send_timeout(&mut self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        match self.port.offer(value) {
            Err(SendError::Full(value)) if self.port.waits() => {
                self.send_until(value, Deadline::after(timeout))
            }
            outcome => self.counted(outcome),
        }
    }

    /// Sends from the front of `staged` what can be sent at this moment, and wakes receivers once.
    /// `Ok` if that was all of it; what was not taken stays, in order.
    ///
    /// # Errors
    /// [`SendError`] without a value: why there is something left in `staged`.
    pub fn try_send_batch(&mut self, staged: &mut VecDeque<T>) -> Result<(), SendError<()>> {
        let outcome = self.port.offer_batch(staged);
        if let Err(error) = &outcome {
            self.port.refused(error, staged.len());
        }
        outcome
    }

    /// Sends all of `staged`, in order, and waits for room as [`send`](Self::send) does. Nothing is
    /// lost when the future is dropped: what was not sent is still in `staged`.
    ///
    /// # Errors
    /// [`SendError`] without a value: why there is something left in `staged`.
    pub fn send_batch<'a>(&'a mut self, staged: &'a mut VecDeque<T>) -> SendBatch<'a, T, Q> {
        SendBatch::new(self, staged)
    }

    /// [`send_batch`](Self::send_batch) for a thread: blocks while it waits.
    ///
    /// # Errors
    /// [`SendError`] without a value: why there is something left in `staged`.
    pub fn send_batch_blocking(&mut self, staged: &mut VecDeque<T>) -> Result<(), SendError<()>> {
        let steps = self.port.link.policy.spin_blocking;
        block_on(Deadline::NEVER, |cx| self.poll_batch(cx, staged, steps))
            .expect("a wait without a deadline ends with a result")
    }

    /// Whether all receivers are gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.port.link.receivers.is_gone()
    }

    /// Values in the queue at this moment.
    #[must_use]
    pub fn len(&self) -> usize {
        self.port.tail.len()
    }

    /// Whether nothing is in the queue at this moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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

    fn counted(&self, outcome: Result<(), SendError<T>>) -> Result<(), SendError<T>> {
        if let Err(error) = &outcome {
            self.port.refused(error, 1);
        }
        outcome
    }

    #[cold]
    fn send_until(&mut self, value: T, deadline: Deadline) -> Result<(), SendError<T>> {
        let steps = self.port.link.policy.spin_blocking;
        let mut slot = Some(value);
        let outcome = block_on(deadline, |cx| self.poll_send(cx, &mut slot, steps));
        match (outcome, slot) {
            (Some(outcome), _) => outcome,
            (None, Some(value)) => Err(self.give_up(value)),
            (None, None) => {
                unreachable!("a value that was neither sent nor refused is still there")
            }
        }
    }

    /// The time is over: signs off and gives the value back.
    fn give_up(&mut self, value: T) -> SendError<T> {
        self.leave();
        let error = SendError::TimedOut(value);
        self.port.refused(&error, 1);
        error
    }

    /// Signs off from waiting for room.
    fn leave(&mut self) {
        self.waiter.leave(&self.port.link.senders.waiters);
    }

    /// Sends what is in `slot`, or waits. The value stays in `slot` while this is pending.
    fn poll_send(
        &mut self,
        cx: &Context<'_>,
        slot: &mut Option<T>,
        steps: u32,
    ) -> Poll<Result<(), SendError<T>>> {
        self.poll_until(cx, steps, |port| port.try_slot(slot))
    }

    /// Sends all of `staged`, or waits.
    fn poll_batch(
        &mut self,
        cx: &Context<'_>,
        staged: &mut VecDeque<T>,
        steps: u32,
    ) -> Poll<Result<(), SendError<()>>> {
        self.poll_until(cx, steps, |port| port.try_staged(staged))
    }

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
        let moved = self.port.block.sent.get();
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
        waiter.poll(&link.senders.waiters, cx, || attempt(port))
    }
}

impl<T> Clone for Sender<T, SharedTail<T>> {
    fn clone(&self) -> Self {
        Self::new(self.port.tail.clone(), self.port.link.clone())
    }
}

impl<T, Q: Tail<T>> Drop for Sender<T, Q> {
    fn drop(&mut self) {
        self.leave();
        self.port.close();
    }
}

impl<T, Q: Tail<T>> fmt::Debug for Sender<T, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("full", &self.port.link.policy.full)
            .field("channel", &self.gauge())
            .finish()
    }
}
