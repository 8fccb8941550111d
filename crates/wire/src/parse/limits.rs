//! How much a client may send.
//!
//! Apart from the parser because the values are settings: one set per server, handed in at each call, so that a
//! change takes hold at once.

/// The longest line: an inline command, or the header of an array or a bulk string
/// (Redis's `PROTO_INLINE_MAX_SIZE`).
pub(crate) const MAX_LINE_BYTES: u32 = 64 * 1024;

/// What a client may send in one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest argument in bytes: `proto-max-bulk-len`.
    pub max_bulk_bytes: u64,
    /// The most arguments in one command.
    pub max_args: u32,
    /// The longest line in bytes: an inline command, or a header.
    pub max_inline_bytes: u32,
    /// The longest command in bytes, framing included: `client-query-buffer-limit`. Above 4 GiB - 1 it has no
    /// effect, for a frame ends below 4 GiB whatever is set.
    pub max_query_bytes: u64,
}

impl Limits {
    /// The default limits, which are Redis's (and for `max_args` those of Redis before 7.0, which has none).
    pub const DEFAULT: Self = Self {
        max_bulk_bytes: 512 * 1024 * 1024,
        max_args: 1024 * 1024,
        max_inline_bytes: MAX_LINE_BYTES,
        max_query_bytes: 1024 * 1024 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
