//! Why a value was not taken, and why there is none.

use std::fmt;

/// Why a value was not taken. The value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<T> {
    /// The queue is full: the receivers are behind.
    Full(T),
    /// The channel sheds load: more values wait than its high mark allows.
    Shed(T),
    /// No room came in time.
    TimedOut(T),
    /// All receivers are gone: nobody would ever read the value.
    Closed(T),
}

impl<T> SendError<T> {
    /// The value that was not taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Shed(value) | Self::TimedOut(value) | Self::Closed(value) => {
                value
            }
        }
    }

    /// Whether no later attempt can succeed either.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => {
                "the channel is full: send slower, receive faster, or wait for room with `send`"
            }
            Self::Shed(_) => {
                "the channel sheds load until its receivers have caught up: try again later, or give \
                 up the request"
            }
            Self::TimedOut(_) => {
                "the channel stayed full for the whole time: its receivers are stuck or too slow"
            }
            Self::Closed(_) => "all receivers of the channel are gone: stop sending",
        })
    }
}

impl<T> fmt::Debug for SendError<T> {
    /// Without the value, which need not be printable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Shed(_) => "Shed(..)",
            Self::TimedOut(_) => "TimedOut(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> std::error::Error for SendError<T> {}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// There is none at this moment.
    Empty,
    /// None came in time.
    TimedOut,
    /// All senders are gone and everything they sent has been received.
    Closed,
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the channel is empty: wait with `recv`, or try again later",
            Self::TimedOut => "nothing came through the channel in time",
            Self::Closed => {
                "all senders of the channel are gone and nothing is left in it: stop receiving"
            }
        })
    }
}

impl std::error::Error for RecvError {}
