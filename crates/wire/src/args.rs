//! A command's arguments, borrowed from the bytes they arrived in.
//!
//! Apart from the parser, because commands that come from elsewhere (a log, another shard, a test) are
//! handed to the same handlers in the same form.

use std::fmt;
use std::ops::Index;

/// A range of bytes in a frame's buffer. Frames end below 4 GiB ([`crate::Limits::max_query_bytes`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// How many bytes the range covers.
    #[inline]
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the range covers nothing.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A command's arguments, its name first. Two words, copied freely; the bytes stay where they are.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buf: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Arguments that lie at `spans` of `buf`.
    ///
    /// A span that leaves `buf` makes the access to that argument panic, not this call.
    #[inline]
    pub const fn new(buf: &'a [u8], spans: &'a [Span]) -> Self {
        Self { buf, spans }
    }

    /// Number of arguments, the name included.
    #[inline]
    pub const fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is not even a name.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `i`, if there are that many.
    #[inline]
    pub fn get(&self, i: usize) -> Option<&'a [u8]> {
        self.spans.get(i).map(|span| slice(self.buf, *span))
    }

    /// Argument `i`, living as long as the bytes do (what `args[i]`, bound to `&self`, cannot say).
    ///
    /// # Panics
    /// If there are not that many.
    #[inline]
    pub fn at(&self, i: usize) -> &'a [u8] {
        slice(self.buf, self.spans[i])
    }

    /// The command's name: argument 0, as the client spelled it; empty if there is none.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.get(0).unwrap_or_default()
    }

    /// The arguments from `from` on; empty if there are not that many.
    #[inline]
    pub fn tail(&self, from: usize) -> Args<'a> {
        Args {
            buf: self.buf,
            spans: self.spans.get(from..).unwrap_or_default(),
        }
    }

    /// All arguments in order.
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter {
            buf: self.buf,
            spans: self.spans.iter(),
        }
    }

    /// Where the arguments lie, for a caller that parses on before it is done with them.
    #[inline]
    pub const fn spans(&self) -> &'a [Span] {
        self.spans
    }

    /// Sum of the arguments' lengths in bytes.
    pub fn bytes(&self) -> usize {
        self.spans.iter().map(|span| span.len()).sum()
    }
}

#[inline]
fn slice(buf: &[u8], span: Span) -> &[u8] {
    &buf[span.start as usize..span.end as usize]
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, i: usize) -> &[u8] {
        slice(self.buf, self.spans[i])
    }
}

impl<'a> IntoIterator for Args<'a> {
    type Item = &'a [u8];
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|arg| arg.escape_ascii().to_string()))
            .finish()
    }
}

/// Iterator over [`Args`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    buf: &'a [u8],
    spans: std::slice::Iter<'a, Span>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.spans.next().map(|span| slice(self.buf, *span))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.spans.next_back().map(|span| slice(self.buf, *span))
    }
}

impl ExactSizeIterator for Iter<'_> {}
