//! The futures of a sender.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::Sender;
use crate::error::SendError;
use crate::ring::Tail;

/// A value on its way; see [`Sender::send`].
#[must_use = "nothing is sent until the future is awaited"]
pub struct Send<'a, T, Q: Tail<T>> {
    sender: &'a mut Sender<T, Q>,
    value: Option<T>,
}

// The value is moved out, never pinned.
impl<T, Q: Tail<T>> Unpin for Send<'_, T, Q> {}

impl<'a, T, Q: Tail<T>> Send<'a, T, Q> {
    #[inline]
    pub(super) fn new(sender: &'a mut Sender<T, Q>, value: T) -> Self {
        Self {
            sender,
            value: Some(value),
        }
    }

    /// Gives the send up. The value, unless it has been sent or given back already.
    pub fn cancel(mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T, Q: Tail<T>> Future for Send<'_, T, Q> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { sender, value } = self.get_mut();
        let steps = sender.port.link.policy.spin_polled;
        sender.poll_send(cx, value, steps)
    }
}

impl<T, Q: Tail<T>> Drop for Send<'_, T, Q> {
    #[inline]
    fn drop(&mut self) {
        if self.sender.waiter.is_registered() {
            self.sender.leave();
        }
    }
}

/// Values on their way; see [`Sender::send_batch`].
#[must_use = "nothing is sent until the future is awaited"]
pub struct SendBatch<'a, T, Q: Tail<T>> {
    sender: &'a mut Sender<T, Q>,
    staged: &'a mut VecDeque<T>,
}

impl<T, Q: Tail<T>> Unpin for SendBatch<'_, T, Q> {}

impl<'a, T, Q: Tail<T>> SendBatch<'a, T, Q> {
    pub(super) fn new(sender: &'a mut Sender<T, Q>, staged: &'a mut VecDeque<T>) -> Self {
        Self { sender, staged }
    }
}

impl<T, Q: Tail<T>> Future for SendBatch<'_, T, Q> {
    type Output = Result<(), SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { sender, staged } = self.get_mut();
        let steps = sender.port.link.policy.spin_polled;
        sender.poll_batch(cx, staged, steps)
    }
}

impl<T, Q: Tail<T>> Drop for SendBatch<'_, T, Q> {
    fn drop(&mut self) {
        if self.sender.waiter.is_registered() {
            self.sender.leave();
        }
    }
}

pub(super) async fn send_or<T, Q: Tail<T>>(
    sender: &mut Sender<T, Q>,
    value: T,
    timer: impl Future<Output = ()>,
) -> Result<(), SendError<T>> {
    let mut timer = pin!(timer);
    let mut send = Send::new(sender, value);
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = Pin::new(&mut send).poll(cx) {
            return Poll::Ready(outcome);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let value = send.value.take();
        let value = value.expect("a send that is pending still has its value");
        Poll::Ready(Err(send.sender.give_up(value)))
    })
    .await
}
