//! Why a call did not take place or was not answered, and what comes back with it.

use std::fmt;

/// Why the mesh did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many messages as the pair of shards may have on their way are on their way: the target is
    /// behind. Trying again after a reply has come makes sense.
    Full,
    /// The node is leaving. Trying again does not make sense.
    Closing,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too many messages are on their way to that shard",
            Self::Closing => "the node is leaving",
        })
    }
}

/// A message that the mesh did not take, and why. It was not sent and the refusal is counted.
#[derive(PartialEq, Eq)]
pub struct Refused<T> {
    /// The message, unchanged.
    pub message: T,
    /// Why it comes back.
    pub reason: Refusal,
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

/// A request was sent, and the node ended before the reply came. Whether it was handled is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node ended before the reply came")
    }
}

impl std::error::Error for Lost {}

/// Why a [`call`](crate::Mesh::call) has no reply.
#[derive(PartialEq, Eq)]
pub enum CallError<T> {
    /// The request was not sent and comes back.
    Refused(Refused<T>),
    /// The request was sent; see [`Lost`].
    Lost,
}

impl<T> fmt::Debug for CallError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Lost => f.write_str("Lost"),
        }
    }
}

impl<T> fmt::Display for CallError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Lost => Lost.fmt(f),
        }
    }
}

impl<T> std::error::Error for CallError<T> {}
