//! Why a call did not take place or was not answered, and what comes back with it.

use std::fmt;

use super::wiring::{Answer, Body, NoReply};
use crate::Service;
use crate::service::Rejection;

/// Why the mesh did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many messages as the pair of shards may have on their way are on their way: the target is
    /// behind. Trying again after a reply has come makes sense.
    Full,
    /// The node is leaving. Trying again does not make sense.
    Closing,
    /// The shard has no service at this moment: it is restarting after a panic, or a resize has put it to
    /// sleep. Trying again a little later makes sense, for a shard that is to come back.
    Down,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too many messages are on their way to that shard",
            Self::Closing => "the node is leaving",
            Self::Down => "that shard has no service at this moment: it restarts, or sleeps",
        })
    }
}

/// A message that the mesh did not take, and why. It was not handled and the refusal is counted.
#[derive(PartialEq, Eq)]
pub struct Refused<T> {
    /// The message, unchanged.
    pub message: T,
    /// Why it comes back.
    pub reason: Refusal,
}

impl<T> Refused<T> {
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Refused<U> {
        Refused {
            message: map(self.message),
            reason: self.reason,
        }
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<T> std::error::Error for Refused<T> {}

/// Why a call has no reply.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<T> {
    /// The request was not handled and comes back.
    Refused(Refused<T>),
    /// The service says that what was asked for does not live there
    /// ([`Outcome::Moved`](crate::Outcome::Moved)); the request comes back.
    Moved(T),
    /// The service refused, in words.
    Rejected(Rejection),
    /// The deadline passed. Whether the request had an effect is unknown if it was answered
    /// [`Later`](crate::Outcome::Later); else it was not handled.
    Expired,
    /// The request was being answered when its call was given up.
    Cancelled,
    /// The handler panicked. Its state is gone with what it had done.
    Panicked,
    /// The node ended before the reply came. Whether the request was handled is unknown.
    Lost,
}

impl<T> CallError<T> {
    /// The request, if it was not handled and came back.
    pub fn into_request(self) -> Option<T> {
        match self {
            Self::Refused(refused) => Some(refused.message),
            Self::Moved(request) => Some(request),
            _ => None,
        }
    }

    /// The error without its request, for callers that only tell of it.
    pub fn without_request(self) -> CallError<()> {
        match self {
            Self::Refused(refused) => CallError::Refused(refused.map(|_| ())),
            Self::Moved(_) => CallError::Moved(()),
            Self::Rejected(rejection) => CallError::Rejected(rejection),
            Self::Expired => CallError::Expired,
            Self::Cancelled => CallError::Cancelled,
            Self::Panicked => CallError::Panicked,
            Self::Lost => CallError::Lost,
        }
    }
}

impl<T> fmt::Debug for CallError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Moved(_) => f.write_str("Moved"),
            Self::Rejected(rejection) => write!(f, "Rejected({rejection})"),
            Self::Expired => f.write_str("Expired"),
            Self::Cancelled => f.write_str("Cancelled"),
            Self::Panicked => f.write_str("Panicked"),
            Self::Lost => f.write_str("Lost"),
        }
    }
}

impl<T> fmt::Display for CallError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Moved(_) => f.write_str("what was asked for does not live on that shard"),
            Self::Rejected(rejection) => write!(f, "the service refused: {rejection}"),
            Self::Expired => f.write_str("the deadline passed before there was a reply"),
            Self::Cancelled => f.write_str("the call was given up"),
            Self::Panicked => f.write_str("the handler panicked; the shard's log says why"),
            Self::Lost => f.write_str("the node ended before the reply came"),
        }
    }
}

impl<T> std::error::Error for CallError<T> {}

/// The way from an answer to what a caller gets.
impl<S: Service> Answer<S> {
    pub(crate) fn into_reply(self) -> Result<S::Reply, CallError<S::Request>> {
        match self {
            Self::Reply(reply) => Ok(reply),
            Self::Else(why) => Err(why.into_error()),
        }
    }

    /// What a task's sender gets.
    pub(crate) fn into_result<R: 'static>(self) -> Result<R, CallError<()>> {
        match self {
            Self::Reply(_) => unreachable!("a task was answered as a request"),
            Self::Else(why) => why.into_result(),
        }
    }
}

impl<S: Service> NoReply<S> {
    #[cold]
    fn into_error(self) -> CallError<S::Request> {
        match self {
            Self::Moved(Body::Ask(request)) => CallError::Moved(request),
            Self::Down(Body::Ask(message)) => CallError::Refused(Refused {
                message,
                reason: Refusal::Down,
            }),
            Self::Rejected(rejection) => CallError::Rejected(rejection),
            Self::Expired => CallError::Expired,
            Self::Cancelled => CallError::Cancelled,
            Self::Panicked => CallError::Panicked,
            Self::Task(_) | Self::Moved(Body::Task(_)) | Self::Down(Body::Task(_)) => {
                unreachable!("a request was answered as a task")
            }
        }
    }

    fn into_result<R: 'static>(self) -> Result<R, CallError<()>> {
        Err(match self {
            Self::Task(result) => {
                let result = result.downcast();
                return Ok(*result.expect("a task's result has the type that its sender awaits"));
            }
            Self::Moved(_) => CallError::Moved(()),
            Self::Down(_) => CallError::Refused(Refused {
                message: (),
                reason: Refusal::Down,
            }),
            Self::Rejected(rejection) => CallError::Rejected(rejection),
            Self::Expired => CallError::Expired,
            Self::Cancelled => CallError::Cancelled,
            Self::Panicked => CallError::Panicked,
        })
    }
}

impl<T> From<Refused<T>> for CallError<T> {
    fn from(refused: Refused<T>) -> Self {
        Self::Refused(refused)
    }
}
