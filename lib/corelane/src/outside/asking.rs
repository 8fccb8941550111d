//! The futures of calls through a [`Handle`](crate::Handle): `Send`, so that they can be awaited anywhere, and
//! waited for by a thread that awaits nothing.

use std::collections::VecDeque;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tracing::Span;

use crate::mesh::Answer;
use crate::{CallError, Refused, Service};

type Outcome<S> = Result<<S as Service>::Reply, CallError<<S as Service>::Request>>;

/// A call through a [`Handle`](crate::Handle). Resolves to the reply, or to why there is none.
///
/// The request is on its way when the call was made, not when this is polled. Dropping this does not cancel it.
#[must_use = "a call that is dropped is not waited for"]
pub struct Asking<S: Service> {
    state: State<S>,
    /// Ends with the call, if anybody watches it.
    span: Option<Span>,
}

enum State<S: Service> {
    Waiting(oneshot::Receiver<Answer<S>>),
    Polled(oneshot::AsyncReceiver<Answer<S>>),
    Refused(Refused<S::Request>),
    Done,
}

impl<S: Service> Asking<S> {
    pub(crate) fn new(
        sent: Result<(), Refused<S::Request>>,
        answer: oneshot::Receiver<Answer<S>>,
    ) -> Self {
        let state = match sent {
            Ok(()) => State::Waiting(answer),
            Err(refused) => State::Refused(refused),
        };
        Self { state, span: None }
    }

    /// The call, with a span that ends with it.
    pub(crate) fn watched(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    /// Blocks this thread until the reply is there.
    ///
    /// # Errors
    /// As the future's.
    ///
    /// # Panics
    /// On a shard, or in a world: it would never be woken. Await the call there. And if it was polled before.
    pub fn wait(self) -> Outcome<S> {
        let _span = self.span;
        match before_blocking(self.state) {
            Ok(answer) => answer
                .recv()
                .map_or(Err(CallError::Lost), Answer::into_reply),
            Err(refused) => Err(CallError::Refused(refused)),
        }
    }

    /// As [`wait`](Self::wait), for no longer than `limit`; then [`CallError::Expired`], and the request may be
    /// handled all the same.
    ///
    /// # Errors
    /// As the future's.
    ///
    /// # Panics
    /// As [`wait`](Self::wait).
    pub fn wait_for(self, limit: Duration) -> Outcome<S> {
        let _span = self.span;
        let answer = match before_blocking(self.state) {
            Ok(answer) => answer.recv_timeout(limit),
            Err(refused) => return Err(CallError::Refused(refused)),
        };
        match answer {
            Ok(answer) => answer.into_reply(),
            Err(oneshot::RecvTimeoutError::Timeout) => Err(CallError::Expired),
            Err(oneshot::RecvTimeoutError::Disconnected) => Err(CallError::Lost),
        }
    }
}

/// What is waited for, or the refusal.
fn before_blocking<S: Service>(
    state: State<S>,
) -> Result<oneshot::Receiver<Answer<S>>, Refused<S::Request>> {
    assert!(
        !corelane_rt::is_inside(),
        "a shard that blocks serves nobody, not even this call: await it instead"
    );
    match state {
        State::Waiting(answer) => Ok(answer),
        State::Refused(refused) => Err(refused),
        State::Polled(_) | State::Done => {
            panic!("a call that was polled before cannot be waited for")
        }
    }
}

/// Never pinned by address.
impl<S: Service> Unpin for Asking<S> {}

impl<S: Service> Future for Asking<S> {
    type Output = Outcome<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Waiting(_) = &self.state {
            let State::Waiting(answer) = std::mem::replace(&mut self.state, State::Done) else {
                unreachable!("it was a moment ago");
            };
            self.state = State::Polled(answer.into_future());
        }
        if let State::Polled(answer) = &mut self.state {
            let answer = ready!(Pin::new(answer).poll(cx));
            (self.state, self.span) = (State::Done, None);
            return Poll::Ready(answer.map_or(Err(CallError::Lost), Answer::into_reply));
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Refused(refused) => Poll::Ready(Err(CallError::Refused(refused))),
            _ => panic!("a call was polled after it was done"),
        }
    }
}

impl<S: Service> fmt::Debug for Asking<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Waiting(_) | State::Polled(_) => "Asking(open)",
            State::Refused(_) => "Asking(refused)",
            State::Done => "Asking(done)",
        })
    }
}

/// Several calls that went out together; resolves to all outcomes, in the order of the calls. One that fails
/// hides none of the others.
#[must_use = "calls that are dropped are not waited for"]
pub struct AskingAll<S: Service> {
    open: VecDeque<Asking<S>>,
    done: Vec<Outcome<S>>,
}

impl<S: Service> AskingAll<S> {
    pub(crate) fn new(open: VecDeque<Asking<S>>) -> Self {
        Self {
            done: Vec::with_capacity(open.len()),
            open,
        }
    }

    /// Blocks this thread until all replies are there.
    ///
    /// # Panics
    /// As [`Asking::wait`].
    pub fn wait(mut self) -> Vec<Outcome<S>> {
        let open = std::mem::take(&mut self.open);
        self.done.extend(open.into_iter().map(Asking::wait));
        self.done
    }
}

/// As for [`Asking`].
impl<S: Service> Unpin for AskingAll<S> {}

impl<S: Service> Future for AskingAll<S> {
    type Output = Vec<Outcome<S>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(call) = self.open.front_mut() {
            let outcome = ready!(Pin::new(call).poll(cx));
            self.open.pop_front();
            self.done.push(outcome);
        }
        Poll::Ready(std::mem::take(&mut self.done))
    }
}

impl<S: Service> fmt::Debug for AskingAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, done) = (self.open.len(), self.done.len());
        write!(f, "AskingAll({done} of {} done)", open + done)
    }
}
