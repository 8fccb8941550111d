//! The futures of a receiver.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::Receiver;
use crate::error::RecvError;
use crate::ring::Head;

/// A wait for one value; see [`Receiver::recv`].
#[must_use = "nothing is received until the future is awaited"]
pub struct Recv<'a, T, Q: Head<T>> {
    receiver: &'a mut Receiver<T, Q>,
}

impl<'a, T, Q: Head<T>> Recv<'a, T, Q> {
    #[inline]
    pub(super) fn new(receiver: &'a mut Receiver<T, Q>) -> Self {
        Self { receiver }
    }
}

impl<T, Q: Head<T>> Future for Recv<'_, T, Q> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().receiver.poll_recv(cx)
    }
}

impl<T, Q: Head<T>> Drop for Recv<'_, T, Q> {
    #[inline]
    fn drop(&mut self) {
        if self.receiver.waiter.is_registered() {
            self.receiver.leave();
        }
    }
}

/// A wait for some values; see [`Receiver::recv_batch`].
#[must_use = "nothing is received until the future is awaited"]
pub struct RecvBatch<'a, T, Q: Head<T>> {
    receiver: &'a mut Receiver<T, Q>,
    into: &'a mut Vec<T>,
    max: usize,
}

impl<T, Q: Head<T>> Unpin for RecvBatch<'_, T, Q> {}

impl<'a, T, Q: Head<T>> RecvBatch<'a, T, Q> {
    pub(super) fn new(receiver: &'a mut Receiver<T, Q>, into: &'a mut Vec<T>, max: usize) -> Self {
        Self {
            receiver,
            into,
            max,
        }
    }
}

impl<T, Q: Head<T>> Future for RecvBatch<'_, T, Q> {
    type Output = Result<usize, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            receiver,
            into,
            max,
        } = self.get_mut();
        let steps = receiver.port.link.policy.spin_polled;
        receiver.poll_until(cx, steps, |port| port.try_many(into, *max))
    }
}

impl<T, Q: Head<T>> Drop for RecvBatch<'_, T, Q> {
    fn drop(&mut self) {
        if self.receiver.waiter.is_registered() {
            self.receiver.leave();
        }
    }
}

pub(super) async fn recv_or<T, Q: Head<T>>(
    receiver: &mut Receiver<T, Q>,
    timer: impl Future<Output = ()>,
) -> Result<T, RecvError> {
    let mut timer = pin!(timer);
    let mut recv = Recv::new(receiver);
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = Pin::new(&mut recv).poll(cx) {
            return Poll::Ready(outcome);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Err(recv.receiver.give_up()))
    })
    .await
}
