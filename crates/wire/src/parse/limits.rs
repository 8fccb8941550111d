//! How much a client may send.
//!
//! Apart from the parser because the values are settings: one set per server, handed in at each call, so that a
//! change takes hold at once.

/// What the setting of the longest line is kept between: every valid header fits, and offsets stay in 32 bits.
const MIN_LINE_BYTES: u32 = 32;
const MAX_LINE_BYTES: u32 = 1024 * 1024;

/// The longest command that any setting allows: offsets are 32 bits wide, and the line that finds out that a command
/// is too long must still fit.
const MAX_QUERY_BYTES: u64 = (u32::MAX - 2 * MAX_LINE_BYTES) as u64;

// The parser adds two such offsets.
const _: () = assert!(usize::BITS >= 64, "frames of 4 GiB need 64-bit addresses");

/// What a client may send in one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest argument in bytes: `proto-max-bulk-len`.
    pub max_bulk_bytes: u64,
    /// The most arguments in one command.
    pub max_args: u32,
    /// The longest line in bytes: an inline command, or a header. Below 32 bytes and above
    /// 1 MiB it has no effect.
    pub max_inline_bytes: u32,
    /// The longest command in bytes, framing included: `client-query-buffer-limit`. Lines are limited on their own.
    /// Above 4 GiB - 2 MiB it has no effect.
    pub max_query_bytes: u64,
}

impl Limits {
    /// The default limits, which are Redis's (and for `max_args` those of Redis before 7.0, which has none).
    pub const DEFAULT: Self = Self {
        max_bulk_bytes: 512 * 1024 * 1024,
        max_args: 1024 * 1024,
        max_inline_bytes: 64 * 1024,
        max_query_bytes: 1024 * 1024 * 1024,
    };

    pub(super) fn line_bytes(&self) -> usize {
        self.max_inline_bytes.clamp(MIN_LINE_BYTES, MAX_LINE_BYTES) as usize
    }

    #[inline]
    pub(super) fn query_bytes(&self) -> usize {
        self.max_query_bytes.min(MAX_QUERY_BYTES) as usize
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
