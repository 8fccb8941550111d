//! What can be wrong with a reply.

/// The bytes are no reply. Nothing tells where the next one begins, so the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the reply: {fault}")]
pub struct DecodeError {
    /// Where, counted from the reply's first byte.
    pub at: usize,
    /// What is wrong there.
    pub fault: DecodeFault,
}

/// What is wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// No type begins with this byte.
    #[error("no RESP type begins with {:?}", char::from(*.0))]
    UnknownType(u8),
    /// A line, or a bulk string, is not followed by CR LF.
    #[error("expected CR LF")]
    NoLineEnd,
    /// A line is longer than any that a server sends.
    #[error("a line of more than {} bytes", super::scan::MAX_LINE_BYTES)]
    LineTooLong,
    /// A length is no number, or negative where nothing can be missing.
    #[error("no valid length")]
    BadLength,
    /// A bulk string or a container is longer than any that a server sends.
    #[error("a length of more than {}", super::scan::MAX_LENGTH)]
    TooLong,
    /// Containers lie in containers deeper than any that a server sends.
    #[error("more than {} containers inside each other", super::scan::MAX_DEPTH)]
    TooDeep,
    /// The content of a number, truth value, null or verbatim string is not of its type.
    #[error("content that does not fit its type")]
    BadContent,
}
