//! What a client can do wrong, in Redis's words.

use std::fmt;

/// The request cannot be understood. The connection is to be closed after the error is sent, for nothing tells
/// where the next command begins.
///
/// `Display` gives the text after `-ERR `.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// An array's length is no number, or above [`crate::Limits::max_args`].
    #[error("Protocol error: invalid multibulk length")]
    InvalidArrayLength,
    /// A bulk string's length is no number, negative, or above [`crate::Limits::max_bulk_bytes`].
    #[error("Protocol error: invalid bulk length")]
    InvalidBulkLength,
    /// Another byte stands where a bulk string's `$` must.
    #[error("Protocol error: expected '$', got '{}'", Shown(*.0))]
    ExpectedBulk(u8),
    /// An array's header does not end within [`crate::Limits::max_inline_bytes`].
    #[error("Protocol error: too big mbulk count string")]
    ArrayHeaderTooLong,
    /// A bulk string's header does not end within [`crate::Limits::max_inline_bytes`].
    #[error("Protocol error: too big bulk count string")]
    BulkHeaderTooLong,
    /// An inline command does not end within [`crate::Limits::max_inline_bytes`].
    #[error("Protocol error: too big inline request")]
    InlineTooLong,
    /// An inline command's quotes do not close, or a closing quote is not followed by a space.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// The command is, or announces to become, longer than [`crate::Limits::max_query_bytes`].
    #[error("Protocol error: too big query, the limit is client-query-buffer-limit")]
    QueryTooLong,
}

/// A byte as an error line can carry it: as it is where it is printable, a space for a line break (as Redis
/// replaces them in errors), an escape otherwise.
struct Shown(u8);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\r' | b'\n' => f.write_str(" "),
            b' '..=b'~' => write!(f, "{}", char::from(self.0)),
            other => write!(f, "\\x{other:02x}"),
        }
    }
}
