//! One connection's parser: finds where the arguments of the next command lie, however the bytes were split.
//!
//! Headers of few digits that are there in full, which is what clients send, are read by a few comparisons. All
//! others take the long way, which keeps Redis's rules in full and remembers how far it looked. Between calls the
//! parser keeps the arguments found so far and never looks at a byte of them again, so a frame that arrives byte by
//! byte costs as much as one that arrives whole.

use super::error::ProtocolError;
use super::inline;
use super::limits::Limits;
use crate::args::{Args, Span};
use crate::number::parse_i64;

/// Spans and bytes of inline words that a parser keeps between commands; more is given back.
const KEPT_SPANS: usize = 256;
const KEPT_TEXT_BYTES: usize = 4096;

/// Spans that are reserved on an array's word alone. More come as the arguments themselves arrive.
const RESERVED_SPANS: u32 = 16;

/// Digits that the short way reads: lengths below a million.
const SHORT_DIGITS: usize = 6;

/// What follows an argument: CR LF. As in Redis, their place is skipped, not read.
const TRAILER: usize = 2;

/// The parser of one connection.
#[derive(Debug)]
pub struct Parser {
    /// Arguments found so far, in the frame's bytes or (inline commands) in `text`.
    spans: Vec<Span>,
    /// The words of an inline command, unescaped.
    text: Vec<u8>,
    stage: Stage,
    /// Arguments of the array that are not found yet.
    missing: u32,
    /// Where in the frame the next header, or the argument behind the header just read, begins.
    at: u32,
    /// Where the search for the end of the line at `at` goes on, if that is further.
    searched: u32,
}

/// What [`Parser::parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A command. [`Parser::args`] gives its arguments, of which there is at least one.
    Command {
        /// Bytes it took; the next call's buffer begins behind them.
        consumed: usize,
    },
    /// Empty lines or empty arrays, which are no commands and get no reply.
    Empty {
        /// Bytes they took; the next call's buffer begins behind them.
        consumed: usize,
    },
    /// The command is not here in full.
    Incomplete {
        /// Bytes, from the frame's first, without which the next call will find no more: above the buffer's length.
        need: usize,
    },
}

/// Where in a frame the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// At a frame's first byte.
    Start,
    /// At the header of an array's next argument.
    Header,
    /// At an argument of known length.
    Argument { len: u32 },
    /// Behind a whole command: the next call begins a new frame.
    Done,
}

/// What the search for a line's end found.
enum Line {
    /// The line end's offset in the buffer.
    End(usize),
    /// None so far.
    Open,
    /// None within the limit.
    TooLong,
}

impl Parser {
    /// A parser at the beginning of a connection.
    pub const fn new() -> Self {
        Self {
            spans: Vec::new(),
            text: Vec::new(),
            stage: Stage::Start,
            missing: 0,
            at: 0,
            searched: 0,
        }
    }

    /// Looks for the end of the command that begins at `buf[0]`.
    ///
    /// After [`Parsed::Incomplete`] the next call must give the same bytes again, with more behind them.
    ///
    /// # Errors
    /// The frame breaks the protocol or a limit. The connection is to be closed; the parser is of no further use.
    #[inline]
    pub fn parse(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        if self.stage == Stage::Done {
            self.begin_frame();
        }
        if self.stage != Stage::Start {
            return self.parse_arguments(buf, limits);
        }
        match short_header(buf, 0, b'*') {
            Some((count @ 1.., next)) if count <= limits.max_args => {
                self.begin_array(count, next);
                self.parse_arguments(buf, limits)
            }
            _ => self.parse_start(buf, limits),
        }
    }

    /// The arguments of the command just found in `buf`, the buffer that [`parse`](Self::parse) was given.
    #[inline]
    pub fn args<'a>(&'a self, buf: &'a [u8]) -> Args<'a> {
        // Only inline commands leave text, and one without text (`""`) has nothing but empty words.
        let bytes = if self.text.is_empty() {
            buf
        } else {
            &self.text
        };
        Args::new(bytes, &self.spans)
    }

    /// Forgets a half-read command: the next call begins a frame. For a caller that looked ahead and then did not
    /// use what it saw.
    pub fn restart(&mut self) {
        self.begin_frame();
    }

    /// Gives back memory that an unusually large command left behind; for when a connection goes quiet. The last
    /// command's arguments are gone then; a half-read command is kept.
    pub fn trim(&mut self) {
        if self.stage == Stage::Done {
            self.begin_frame();
        }
        self.spans.shrink_to(KEPT_SPANS);
        self.text.shrink_to(KEPT_TEXT_BYTES);
    }

    /// Gives back all memory that the frame under way does not need: no bytes are expected soon.
    pub fn rest(&mut self) {
        self.trim();
        self.spans.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    /// Memory the parser holds beside itself, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>() + self.text.capacity()
    }

    #[inline]
    fn begin_frame(&mut self) {
        self.stage = Stage::Start;
        self.at = 0;
        self.searched = 0;
        self.spans.clear();
        self.text.clear();
        if self.spans.capacity() > KEPT_SPANS {
            self.spans.shrink_to(KEPT_SPANS);
        }
        if self.text.capacity() > KEPT_TEXT_BYTES {
            self.text.shrink_to(KEPT_TEXT_BYTES);
        }
    }

    #[inline]
    fn begin_array(&mut self, count: u32, next: usize) {
        self.spans.reserve(count.min(RESERVED_SPANS) as usize);
        self.stage = Stage::Header;
        self.missing = count;
        self.at = next as u32;
    }

    /// Reads arguments until the array is whole or the bytes are used up.
    #[inline]
    fn parse_arguments(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        let max_query = limits.query_bytes();
        let mut at = self.at as usize;
        let mut known = if let Stage::Argument { len } = self.stage {
            Some(len)
        } else {
            None
        };
        for missing in (0..self.missing).rev() {
            let len = if let Some(len) = known.take() {
                len
            } else if let Some((len, next)) = short_header(buf, at, b'$') {
                at = next;
                len
            } else {
                self.at = at as u32;
                self.missing = missing + 1;
                match self.long_header(buf, at, limits)? {
                    Some((len, next)) => {
                        at = next;
                        len
                    }
                    None => return Ok(incomplete(buf)),
                }
            };
            if u64::from(len) > limits.max_bulk_bytes {
                return Err(ProtocolError::InvalidBulkLength);
            }
            let end = at + len as usize;
            if end + TRAILER > max_query {
                return Err(ProtocolError::QueryTooLong);
            }
            if buf.len() < end + TRAILER {
                self.at = at as u32;
                self.missing = missing + 1;
                self.stage = Stage::Argument { len };
                return Ok(Parsed::Incomplete {
                    need: end + TRAILER,
                });
            }
            self.spans.push(Span {
                start: at as u32,
                end: end as u32,
            });
            at = end + TRAILER;
        }
        self.missing = 0;
        self.stage = Stage::Done;
        Ok(Parsed::Command { consumed: at })
    }

    /// An argument's header in any form: its length, and where the argument begins; none if it is not whole.
    #[cold]
    fn long_header(
        &mut self,
        buf: &[u8],
        at: usize,
        limits: &Limits,
    ) -> Result<Option<(u32, usize)>, ProtocolError> {
        self.stage = Stage::Header;
        let end = match self.find_line_end(buf, at, b'\r', limits) {
            Line::End(end) => end,
            Line::Open => return Ok(None),
            Line::TooLong => return Err(ProtocolError::BulkHeaderTooLong),
        };
        if buf.len() < end + TRAILER {
            return Ok(None);
        }
        if buf[at] != b'$' {
            return Err(ProtocolError::ExpectedBulk(buf[at]));
        }
        let len = parse_i64(&buf[at + 1..end]).and_then(|len| u64::try_from(len).ok());
        let len = len
            .filter(|len| *len <= limits.max_bulk_bytes)
            .ok_or(ProtocolError::InvalidBulkLength)?;
        // Longer arguments than a frame can hold are refused where frames' lengths are.
        let len = u32::try_from(len).map_err(|_| ProtocolError::QueryTooLong)?;
        Ok(Some((len, end + TRAILER)))
    }

    /// A frame that does not begin with an array's short header.
    #[cold]
    fn parse_start(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        match buf.first() {
            None => Ok(Parsed::Incomplete { need: 1 }),
            Some(b'*') => self.parse_array(buf, limits),
            Some(_) => self.parse_inline(buf, limits),
        }
    }

    /// A frame that begins with an array's header in any form.
    fn parse_array(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        let end = match self.find_line_end(buf, 0, b'\r', limits) {
            Line::End(end) if buf.len() >= end + TRAILER => end,
            Line::End(_) | Line::Open => return Ok(incomplete(buf)),
            Line::TooLong => return Err(ProtocolError::ArrayHeaderTooLong),
        };
        let count = parse_i64(&buf[1..end]).ok_or(ProtocolError::InvalidArrayLength)?;
        if count <= 0 {
            self.begin_frame();
            return Ok(Parsed::Empty {
                consumed: end + TRAILER,
            });
        }
        let count = u32::try_from(count)
            .ok()
            .filter(|count| *count <= limits.max_args);
        self.begin_array(
            count.ok_or(ProtocolError::InvalidArrayLength)?,
            end + TRAILER,
        );
        self.parse_arguments(buf, limits)
    }

    /// A frame that is a line of words.
    fn parse_inline(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        let newline = match self.find_line_end(buf, 0, b'\n', limits) {
            Line::End(newline) => newline,
            Line::Open => return Ok(incomplete(buf)),
            Line::TooLong => return Err(ProtocolError::InlineTooLong),
        };
        let line = buf[..newline]
            .strip_suffix(b"\r")
            .unwrap_or(&buf[..newline]);
        inline::split(line, &mut self.text, &mut self.spans)?;
        let consumed = newline + 1;
        if self.spans.is_empty() {
            self.begin_frame();
            return Ok(Parsed::Empty { consumed });
        }
        self.stage = Stage::Done;
        Ok(Parsed::Command { consumed })
    }

    /// Looks for `end` in the line that begins at `at`, from where the last look stopped.
    fn find_line_end(&mut self, buf: &[u8], at: usize, end: u8, limits: &Limits) -> Line {
        // A line may be as long as the limit; its end stands behind that.
        let limit = at + limits.line_bytes() + 1;
        let seen = &buf[..buf.len().min(limit)];
        let from = at.max(self.searched as usize).min(seen.len());
        if let Some(offset) = memchr::memchr(end, &seen[from..]) {
            return Line::End(from + offset);
        }
        self.searched = seen.len() as u32;
        if seen.len() == limit {
            Line::TooLong
        } else {
            Line::Open
        }
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

/// A header that stands at `at` in full and has at most [`SHORT_DIGITS`] digits and no leading zero: its number, and
/// the offset behind its line. None for every other, the malformed ones included.
#[inline(always)]
fn short_header(buf: &[u8], at: usize, kind: u8) -> Option<(u32, usize)> {
    let rest = buf.get(at..)?;
    let [first, digit, third, _] = *rest.first_chunk::<4>()?;
    let digit = digit.wrapping_sub(b'0');
    if first != kind || digit > 9 {
        return None;
    }
    if third == b'\r' {
        return Some((digit.into(), at + 4));
    }
    let mut value = u32::from(digit);
    for (i, byte) in rest.iter().enumerate().take(SHORT_DIGITS + 2).skip(2) {
        if *byte == b'\r' {
            return (digit != 0 && rest.len() > i + 1).then_some((value, at + i + TRAILER));
        }
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    None
}

/// A line is not whole: any further byte may end it.
fn incomplete(buf: &[u8]) -> Parsed {
    Parsed::Incomplete {
        need: buf.len() + 1,
    }
}
