//! The futures that a caller holds. All can be dropped at any time and are `Unpin`, so they can stand
//! in a queue and be polled in place.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::errors::{CallError, Lost, Refused};
use super::replies::{Replies, ReplyKey};

/// A call on its way; resolves to its reply.
///
/// Dropping it gives its reply slot back. A request that has left is handled all the same and its
/// late reply dropped and counted; one that still waits for its turn is not sent.
#[must_use = "a call that is dropped is not waited for, and may not even be sent"]
pub struct Call<R>(State<R>);

enum State<R> {
    /// Answered at once, by the own shard.
    Here(R),
    Open {
        replies: Rc<Replies<R>>,
        key: ReplyKey,
    },
    Done,
}

impl<R> Call<R> {
    pub(crate) fn answered(reply: R) -> Self {
        Self(State::Here(reply))
    }

    pub(crate) fn open(replies: Rc<Replies<R>>, key: ReplyKey) -> Self {
        Self(State::Open { replies, key })
    }
}

/// Never pinned by address: the reply is moved out, not polled.
impl<R> Unpin for Call<R> {}

impl<R> Future for Call<R> {
    type Output = Result<R, Lost>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Open { replies, key } = &self.0 {
            let outcome = ready!(replies.poll(*key, cx));
            self.0 = State::Done;
            return Poll::Ready(outcome);
        }
        match std::mem::replace(&mut self.0, State::Done) {
            State::Here(reply) => Poll::Ready(Ok(reply)),
            _ => panic!("a call was polled after it was done"),
        }
    }
}

impl<R> Drop for Call<R> {
    fn drop(&mut self) {
        if let State::Open { replies, key } = &self.0 {
            replies.forget(*key);
        }
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Here(_) => "Call(answered)",
            State::Open { .. } => "Call(open)",
            State::Done => "Call(done)",
        })
    }
}

/// What [`Mesh::call`](crate::Mesh::call) returns: a [`Call`], or a refusal that resolves at once.
#[must_use = "a call that is dropped is not waited for, and may not even be sent"]
pub struct Calling<Q, R>(Result<Call<R>, Option<Refused<Q>>>);

impl<Q, R> Calling<Q, R> {
    pub(crate) fn new(started: Result<Call<R>, Refused<Q>>) -> Self {
        Self(started.map_err(Some))
    }
}

/// As for [`Call`].
impl<Q, R> Unpin for Calling<Q, R> {}

impl<Q, R> Future for Calling<Q, R> {
    type Output = Result<R, CallError<Q>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(call) => Pin::new(call).poll(cx).map_err(|Lost| CallError::Lost),
            Err(refused) => {
                let refused = refused.take().expect("a call was polled after it was done");
                Poll::Ready(Err(CallError::Refused(refused)))
            }
        }
    }
}

impl<Q, R> fmt::Debug for Calling<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(call) => call.fmt(f),
            Err(_) => f.write_str("Calling(refused)"),
        }
    }
}

/// What [`Mesh::broadcast`](crate::Mesh::broadcast) returns: resolves to every shard's reply, in the
/// order of the shards.
#[must_use = "calls that are dropped are not waited for, and may not even be sent"]
pub struct Broadcast<Q, R> {
    open: VecDeque<Calling<Q, R>>,
    done: Vec<Result<R, CallError<Q>>>,
}

impl<Q, R> Broadcast<Q, R> {
    pub(crate) fn new(calls: impl ExactSizeIterator<Item = Calling<Q, R>>) -> Self {
        Self {
            done: Vec::with_capacity(calls.len()),
            open: calls.collect(),
        }
    }
}

/// As for [`Call`].
impl<Q, R> Unpin for Broadcast<Q, R> {}

impl<Q, R> Future for Broadcast<Q, R> {
    type Output = Vec<Result<R, CallError<Q>>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(call) = self.open.front_mut() {
            let outcome = ready!(Pin::new(call).poll(cx));
            self.open.pop_front();
            self.done.push(outcome);
        }
        Poll::Ready(std::mem::take(&mut self.done))
    }
}

impl<Q, R> fmt::Debug for Broadcast<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, done) = (self.open.len(), self.done.len());
        write!(f, "Broadcast({done} of {} done)", open + done)
    }
}
