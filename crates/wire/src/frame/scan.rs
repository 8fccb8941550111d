//! Finding where a reply ends, without looking inside more than its framing needs.
//!
//! The scan keeps its place between calls: a container of a million elements that arrives in small reads is
//! gone through once. It takes no memory; how deep containers may lie in each other is bounded by an array.

use super::error::{DecodeError, DecodeFault};
use crate::number::parse_i64;

/// The deepest nesting of containers.
pub(super) const MAX_DEPTH: usize = 128;

/// The longest line: simple strings, errors, numbers.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// The longest bulk string in bytes and the longest container in elements (pairs count as two).
pub(super) const MAX_LENGTH: usize = u32::MAX as usize / 2;

/// A place in a reply that is being scanned.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// Everything before this is gone through.
    at: usize,
    /// Bytes from `at` on that hold no line end.
    scanned: usize,
    /// Containers around this place.
    depth: usize,
    /// Values that each of them still lacks.
    missing: [u32; MAX_DEPTH],
}

/// What begins at a place.
pub(super) enum Item {
    /// A line that is a value by itself.
    Line {
        /// Where its content ends; it begins one behind the type byte.
        end: usize,
    },
    /// A string of known length.
    Bulk {
        /// Where its bytes begin.
        start: usize,
        /// Where they end; CR LF follows.
        end: usize,
    },
    /// Nothing, in the forms of RESP2.
    Null {
        /// Where it ends.
        next: usize,
    },
    /// A container.
    Container {
        /// Values in it: for maps and attributes two a pair, and for an attribute also the one it belongs to.
        values: usize,
        /// Where its first value begins.
        next: usize,
    },
}

impl Scan {
    pub(super) const fn new() -> Self {
        Self {
            at: 0,
            scanned: 0,
            depth: 0,
            missing: [0; MAX_DEPTH],
        }
    }

    /// Goes on through `buf`, which begins at the reply's first byte. The reply's length, once it is there in full.
    pub(super) fn advance(&mut self, buf: &[u8]) -> Result<Option<usize>, DecodeError> {
        loop {
            let Some(item) = next_item(buf, self.at, &mut self.scanned)? else {
                return Ok(None);
            };
            self.scanned = 0;
            match item {
                Item::Container { values: 0, next } | Item::Null { next } => self.at = next,
                Item::Line { end } | Item::Bulk { end, .. } => self.at = end + 2,
                Item::Container { values, next } => {
                    if self.depth == MAX_DEPTH {
                        return Err(DecodeError {
                            at: self.at,
                            fault: DecodeFault::TooDeep,
                        });
                    }
                    self.missing[self.depth] = values as u32;
                    self.depth += 1;
                    self.at = next;
                    continue;
                }
            }
            if self.close() {
                return Ok(Some(self.at));
            }
        }
    }

    /// Counts a value that is whole. Whether it was the outermost one.
    fn close(&mut self) -> bool {
        while self.depth > 0 {
            let missing = &mut self.missing[self.depth - 1];
            *missing -= 1;
            if *missing > 0 {
                return false;
            }
            self.depth -= 1;
        }
        true
    }
}

/// What begins at `at`, if it is there in full (of a container, its head). `scanned` bytes from there on are known to
/// hold no line end; more, on return without an item.
#[inline]
pub(super) fn next_item(
    buf: &[u8],
    at: usize,
    scanned: &mut usize,
) -> Result<Option<Item>, DecodeError> {
    let Some(kind) = buf.get(at) else {
        return Ok(None);
    };
    let fail = |fault| Err(DecodeError { at, fault });
    if !matches!(
        kind,
        b'+' | b'-'
            | b':'
            | b'$'
            | b'*'
            | b'_'
            | b'#'
            | b','
            | b'('
            | b'!'
            | b'='
            | b'%'
            | b'~'
            | b'>'
            | b'|'
    ) {
        return fail(DecodeFault::UnknownType(*kind));
    }
    let Some(end) = line_end(buf, at, scanned)? else {
        return Ok(None);
    };
    let next = end + 2;
    if matches!(kind, b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(') {
        return Ok(Some(Item::Line { end }));
    }
    let Some(len) = parse_i64(&buf[at + 1..end]) else {
        return fail(DecodeFault::BadLength);
    };
    let len = match usize::try_from(len) {
        Ok(len) => len,
        Err(_) if len == -1 && matches!(kind, b'$' | b'*') => return Ok(Some(Item::Null { next })),
        Err(_) => return fail(DecodeFault::BadLength),
    };
    if len > MAX_LENGTH {
        return fail(DecodeFault::TooLong);
    }
    match kind {
        b'$' | b'!' | b'=' => bulk(buf, next, next + len),
        b'%' => Ok(Some(Item::Container {
            values: 2 * len,
            next,
        })),
        b'|' => Ok(Some(Item::Container {
            values: 2 * len + 1,
            next,
        })),
        _ => Ok(Some(Item::Container { values: len, next })),
    }
}

fn bulk(buf: &[u8], start: usize, end: usize) -> Result<Option<Item>, DecodeError> {
    match buf.get(end..end + 2) {
        None => Ok(None),
        Some(b"\r\n") => Ok(Some(Item::Bulk { start, end })),
        Some(_) => Err(DecodeError {
            at: end,
            fault: DecodeFault::NoLineEnd,
        }),
    }
}

/// Where the content of the line at `at` ends, if the line end is there.
#[inline]
fn line_end(buf: &[u8], at: usize, scanned: &mut usize) -> Result<Option<usize>, DecodeError> {
    let line = &buf[at..];
    let seen = &line[..line.len().min(MAX_LINE_BYTES)];
    let Some(newline) = memchr::memchr(b'\n', &seen[(*scanned).min(seen.len())..]) else {
        *scanned = seen.len();
        if seen.len() == MAX_LINE_BYTES {
            return Err(DecodeError {
                at,
                fault: DecodeFault::LineTooLong,
            });
        }
        return Ok(None);
    };
    let newline = at + *scanned + newline;
    if buf[newline - 1] != b'\r' {
        return Err(DecodeError {
            at: newline,
            fault: DecodeFault::NoLineEnd,
        });
    }
    Ok(Some(newline - 1))
}
