//! The reply writer: RESP3 where the client asked for it, the RESP2 forms that Redis falls back to otherwise.

use super::allowance::Allowance;
use super::head::{push_bulk, push_int, push_len};
use crate::number::{format_f64, format_i64};

/// The protocol version a connection speaks, chosen by `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proto {
    /// RESP2, what every connection starts with.
    #[default]
    Resp2,
    /// RESP3.
    Resp3,
}

impl Proto {
    /// The number that `HELLO` and `CLIENT LIST` use: 2 or 3.
    pub const fn number(self) -> i64 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }
}

/// Writes one reply, or the parts of one, behind what `out` holds.
///
/// A container ([`array`](Self::array), [`map`](Self::map), …) writes its head alone; the elements follow by
/// further calls, and their number is the caller's promise.
///
/// A writer may be [`bounded`](Self::bounded). Then a bulk string that would make the reply too long is not written, and
/// the reply [is cut](Self::is_cut): nobody may send it. All else that a reply is made of is small beside the request that
/// asks for it, and is not looked at.
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    proto: Proto,
    is_cut: bool,
    /// The position at which the room that is taken ends.
    end: usize,
    /// Where more comes from.
    allowance: Option<&'a Allowance>,
}

impl<'a> Reply<'a> {
    /// A writer that appends to `out`, as much as there is.
    #[inline]
    pub const fn new(out: &'a mut Vec<u8>, proto: Proto) -> Self {
        Self::bounded(out, proto, usize::MAX, None)
    }

    /// A writer that appends to `out` until that is `end` bytes long, and takes what goes beyond from `allowance`.
    #[inline]
    pub const fn bounded(
        out: &'a mut Vec<u8>,
        proto: Proto,
        end: usize,
        allowance: Option<&'a Allowance>,
    ) -> Self {
        Self {
            out,
            proto,
            is_cut: false,
            end,
            allowance,
        }
    }

    /// Whether the reply would be longer than it may be: it is not whole, and nobody may send it.
    #[inline]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Makes sure that the reply may grow by `more` bytes which are kept elsewhere for it, beside `aside` bytes of
    /// which this was made sure before. If it may not, it is cut.
    pub fn may_grow(&mut self, aside: usize, more: usize) -> bool {
        let here = self.out.len() + aside;
        self.takes((here + more).saturating_sub(self.end.max(here)))
    }

    /// Whether so much more room is to be had; if not, the reply is cut.
    fn takes(&mut self, bytes: usize) -> bool {
        let takes = |allowance: &Allowance| allowance.take(bytes);
        let takes = !self.is_cut && (bytes == 0 || self.allowance.is_some_and(takes));
        if !takes {
            self.is_cut = true;
            self.end = 0;
        }
        takes
    }

    /// The protocol version it writes.
    #[inline]
    pub const fn proto(&self) -> Proto {
        self.proto
    }

    /// Goes on in another version: `HELLO` answers in the one it has just chosen.
    pub const fn set_proto(&mut self, proto: Proto) {
        self.proto = proto;
    }

    /// Whether it writes RESP3.
    #[inline]
    pub const fn is_resp3(&self) -> bool {
        matches!(self.proto, Proto::Resp3)
    }

    /// Bytes written to the underlying buffer so far, those before this writer included.
    #[inline]
    pub const fn position(&self) -> usize {
        self.out.len()
    }

    /// Takes back what was written since `position` said `to`: a handler found an error midway.
    #[inline]
    pub fn rewind(&mut self, to: usize) {
        self.out.truncate(to);
    }

    /// Makes room for `bytes` more, for a reply that is known to be long: a buffer that grows by doubling copies
    /// what it holds each time.
    pub fn reserve(&mut self, bytes: usize) {
        self.out.reserve_exact(bytes);
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// `+PONG`.
    #[inline]
    pub fn pong(&mut self) {
        self.raw(b"+PONG\r\n");
    }

    /// `+QUEUED`.
    #[inline]
    pub fn queued(&mut self) {
        self.raw(b"+QUEUED\r\n");
    }

    /// A simple string. Line breaks, which it cannot hold, become spaces.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error; `text` is the whole of it, the code first: `ERR no such key`. Line breaks become spaces, those at
    /// the end go, as Redis has it.
    #[cold]
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// An error that quotes what the client sent, which may be no UTF-8.
    #[cold]
    pub fn error_bytes(&mut self, text: &[u8]) {
        let end = text
            .iter()
            .rposition(|byte| !is_break(*byte))
            .map_or(0, |last| last + 1);
        self.line(b'-', &text[..end]);
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        push_int(self.out, b':', value);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        // Neither is above `isize::MAX`.
        if self.out.len() + bytes.len() < self.end || self.extends(bytes.len()) {
            push_bulk(self.out, bytes);
        }
    }

    /// The same question where the room that is taken does not suffice. What is around a bulk string is taken with the
    /// next one.
    #[cold]
    fn extends(&mut self, bytes: usize) -> bool {
        let end = self.out.len() + bytes;
        let takes = self.takes(end.saturating_sub(self.end));
        if takes {
            self.end = self.end.max(end);
        }
        takes
    }

    /// A bulk string from text.
    #[inline]
    pub fn bulk_str(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// An integer as a bulk string.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(format_i64(&mut itoa::Buffer::new(), value));
    }

    /// A double: `,` in RESP3, a bulk string in RESP2; digits as [`format_f64`] gives them.
    pub fn double(&mut self, value: f64) {
        let text = format_f64(value);
        self.double_text(text.as_bytes());
    }

    /// A double whose digits stand already, such as those of [`crate::number::LongDouble`].
    pub fn double_text(&mut self, digits: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(digits),
            Proto::Resp3 => self.line(b',', digits),
        }
    }

    /// Nothing, where a single value would stand: `$-1`, `_` in RESP3.
    #[inline]
    pub fn null(&mut self) {
        self.raw(match self.proto {
            Proto::Resp2 => b"$-1\r\n",
            Proto::Resp3 => b"_\r\n",
        });
    }

    /// Nothing, where an array would stand: `*-1`, `_` in RESP3.
    pub fn null_array(&mut self) {
        self.raw(match self.proto {
            Proto::Resp2 => b"*-1\r\n",
            Proto::Resp3 => b"_\r\n",
        });
    }

    /// A truth value: `#t` or `#f`, in RESP2 the integers 1 and 0.
    pub fn bool(&mut self, value: bool) {
        self.raw(match (self.proto, value) {
            (Proto::Resp2, true) => b":1\r\n",
            (Proto::Resp2, false) => b":0\r\n",
            (Proto::Resp3, true) => b"#t\r\n",
            (Proto::Resp3, false) => b"#f\r\n",
        });
    }

    /// The head of an array of `len` elements.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.head(b'*', len);
    }

    /// An array without elements.
    #[inline]
    pub fn empty_array(&mut self) {
        self.raw(b"*0\r\n");
    }

    /// The head of a map of `pairs` pairs, each a key and a value; a flat array in RESP2.
    pub fn map(&mut self, pairs: usize) {
        match self.proto {
            Proto::Resp2 => self.head(b'*', 2 * pairs),
            Proto::Resp3 => self.head(b'%', pairs),
        }
    }

    /// The head of a set of `len` elements; an array in RESP2.
    pub fn set(&mut self, len: usize) {
        match self.proto {
            Proto::Resp2 => self.head(b'*', len),
            Proto::Resp3 => self.head(b'~', len),
        }
    }

    /// The head of a message nobody asked for, of `len` elements; an array in RESP2.
    pub fn push(&mut self, len: usize) {
        match self.proto {
            Proto::Resp2 => self.head(b'*', len),
            Proto::Resp3 => self.head(b'>', len),
        }
    }

    /// The head of an attribute of `pairs` pairs, which goes before the reply it belongs to.
    ///
    /// RESP2 has no form for it, and Redis leaves it out. Returns whether the pairs are to be written.
    #[must_use = "in RESP2 the pairs must not be written either"]
    pub fn attribute(&mut self, pairs: usize) -> bool {
        if self.is_resp3() {
            self.head(b'|', pairs);
        }
        self.is_resp3()
    }

    /// Text with its kind, three characters such as `txt` or `mkd`; a bulk string in RESP2.
    ///
    /// # Panics
    /// If `kind` is not three bytes long, in RESP3.
    pub fn verbatim(&mut self, kind: &str, text: &[u8]) {
        if !self.is_resp3() {
            return self.bulk(text);
        }
        assert_eq!(
            kind.len(),
            3,
            "a verbatim string's kind has three characters, not {kind:?}"
        );
        self.head(b'=', text.len() + 4);
        self.raw(kind.as_bytes());
        self.raw(b":");
        self.raw(text);
        self.raw(b"\r\n");
    }

    /// An integer of any size, as its decimal digits; a bulk string in RESP2.
    pub fn big_number(&mut self, digits: &str) {
        match self.proto {
            Proto::Resp2 => self.bulk(digits.as_bytes()),
            Proto::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// Bytes that are a reply, or part of one, already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    fn head(&mut self, kind: u8, len: usize) {
        push_len(self.out, kind, len);
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(kind);
        let start = self.out.len();
        self.out.extend_from_slice(text);
        for byte in &mut self.out[start..] {
            if is_break(*byte) {
                *byte = b' ';
            }
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}
