//! The futures that a shard's code holds. All can be dropped at any time and are `Unpin`, so they can stand
//! in a queue and be polled in place.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::core::Core;
use super::errors::{CallError, Refused};
use super::replies::{Left, ReplyKey};
use super::wiring::{Answer, Body};
use crate::{Service, ShardId};

/// A request, whatever it asks.
pub(crate) enum Open<S: Service> {
    /// Answered at once, by the own shard.
    Here(Answer<S>),
    /// Waits for its answer.
    Underway(Underway<S>),
    Done,
}

impl<S: Service> Open<S> {
    /// The answer; `None` when it is lost with the node.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer<S>>> {
        if let Self::Underway(underway) = self {
            let answer = ready!(underway.poll(cx));
            *self = Self::Done;
            return Poll::Ready(answer);
        }
        match std::mem::replace(self, Self::Done) {
            Self::Here(answer) => Poll::Ready(Some(answer)),
            _ => panic!("a call was polled after it was done"),
        }
    }
}

/// A request on its way. Dropping it gives it up.
pub(crate) struct Underway<S: Service> {
    /// Taken away with the answer.
    core: Option<Rc<Core<S>>>,
    key: ReplyKey,
    /// Where it went, to be told if nobody waits any more; `None` while it was held back.
    to: Option<ShardId>,
}

impl<S: Service> Underway<S> {
    pub(crate) fn new(core: Rc<Core<S>>, key: ReplyKey, to: Option<ShardId>) -> Self {
        Self {
            core: Some(core),
            key,
            to,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer<S>>> {
        let core = self.core.as_ref().expect("it has no answer yet");
        let answer = ready!(core.replies.poll(self.key, cx));
        if answer.is_none() {
            core.tally.lost.inc();
        }
        self.core = None;
        Poll::Ready(answer)
    }
}

impl<S: Service> Drop for Underway<S> {
    fn drop(&mut self) {
        if let Some(core) = &self.core
            && let Left::Underway = core.replies.forget(self.key)
        {
            core.spans.close(self.key);
            core.give_up(self.key, self.to);
        }
    }
}

/// What [`Mesh::call`](crate::Mesh::call) returns: resolves to the reply, or to why there is none.
///
/// Dropping it gives the call up. A request that still waits for its turn is then not sent; one that is
/// being answered [`Later`](crate::Outcome::Later) is cancelled; one that has been sent and is not handled yet is
/// handled all the same, and its late reply dropped and counted.
#[must_use = "a call that is dropped is not waited for, and may not even be sent"]
pub struct Call<S: Service>(Result<Open<S>, Option<Refused<S::Request>>>);

impl<S: Service> Call<S> {
    pub(crate) fn new(started: Result<Open<S>, Refused<S::Request>>) -> Self {
        Self(started.map_err(Some))
    }
}

/// Never pinned by address: the reply is moved out, not polled.
impl<S: Service> Unpin for Call<S> {}

impl<S: Service> Future for Call<S> {
    type Output = Result<S::Reply, CallError<S::Request>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(open) => {
                let answer = ready!(open.poll(cx));
                Poll::Ready(answer.map_or(Err(CallError::Lost), Answer::into_reply))
            }
            Err(refused) => {
                let refused = refused.take().expect("a call was polled after it was done");
                Poll::Ready(Err(CallError::Refused(refused)))
            }
        }
    }
}

impl<S: Service> fmt::Debug for Call<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Ok(Open::Here(_)) => "Call(answered)",
            Ok(Open::Underway { .. }) => "Call(open)",
            Ok(Open::Done) => "Call(done)",
            Err(_) => "Call(refused)",
        })
    }
}

/// What [`Mesh::submit`](crate::Mesh::submit) returns: resolves to what the task returned.
#[must_use = "a task that is dropped is cancelled"]
pub struct Submitted<S: Service, R> {
    state: Result<Open<S>, Option<Refused<()>>>,
    result: PhantomData<fn() -> R>,
}

impl<S: Service, R> Submitted<S, R> {
    pub(crate) fn new(started: Result<Open<S>, Refused<Body<S>>>) -> Self {
        Self {
            state: started.map_err(|refused| Some(refused.map(drop))),
            result: PhantomData,
        }
    }
}

/// As for [`Call`].
impl<S: Service, R> Unpin for Submitted<S, R> {}

impl<S: Service, R: 'static> Future for Submitted<S, R> {
    type Output = Result<R, CallError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            Ok(open) => {
                let answer = ready!(open.poll(cx));
                Poll::Ready(answer.map_or(Err(CallError::Lost), Answer::into_result))
            }
            Err(refused) => {
                let refused = refused.take().expect("a task was polled after it was done");
                Poll::Ready(Err(CallError::Refused(refused)))
            }
        }
    }
}

impl<S: Service, R> fmt::Debug for Submitted<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submitted")
    }
}

/// Several calls that went out together, each to one shard; resolves to all outcomes, in the order of the
/// calls. One that fails hides none of the others.
#[must_use = "calls that are dropped are not waited for, and may not even be sent"]
pub struct Calls<S: Service> {
    open: VecDeque<Call<S>>,
    done: Vec<Result<S::Reply, CallError<S::Request>>>,
}

impl<S: Service> Calls<S> {
    pub(crate) fn new(calls: impl Iterator<Item = Call<S>>) -> Self {
        let open: VecDeque<_> = calls.collect();
        Self {
            done: Vec::with_capacity(open.len()),
            open,
        }
    }
}

/// As for [`Call`].
impl<S: Service> Unpin for Calls<S> {}

impl<S: Service> Future for Calls<S> {
    type Output = Vec<Result<S::Reply, CallError<S::Request>>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(call) = self.open.front_mut() {
            let outcome = ready!(Pin::new(call).poll(cx));
            self.open.pop_front();
            self.done.push(outcome);
        }
        Poll::Ready(std::mem::take(&mut self.done))
    }
}

impl<S: Service> fmt::Debug for Calls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, done) = (self.open.len(), self.done.len());
        write!(f, "Calls({done} of {} done)", open + done)
    }
}
