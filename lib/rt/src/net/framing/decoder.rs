//! The buffer between bytes as they come and frames as they are asked for.

use std::ops::Range;

use super::error::FrameError;

/// How frames lie in a stream of bytes.
pub trait Framing {
    /// Looks for the first frame in `bytes`, of which the first `seen` were looked at before without finding its end.
    fn find(&self, bytes: &[u8], seen: usize) -> Find;
}

/// What a [`Framing`] has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
    /// More bytes are needed; as many as are there were looked at.
    More,
    /// A frame lies at `frame`, and the bytes up to `end` belong to it.
    Frame {
        /// Its contents.
        frame: Range<usize>,
        /// Where the next one begins.
        end: usize,
    },
    /// The frame is refused, and skipped up to the next newline.
    SkipLine(FrameError),
    /// The frame is refused, and nothing behind it can be understood.
    Fatal(FrameError),
}

/// Cuts a stream of bytes into frames. It is a plain value: where a connection moves to another shard, its decoder goes
/// along with what it holds.
pub struct Decoder<F> {
    framing: F,
    bytes: Vec<u8>,
    /// Where the first frame not yet given out begins.
    start: usize,
    /// How much of it was looked at.
    seen: usize,
    skipping: bool,
    failed: Option<FrameError>,
}

/// Memory that an empty decoder keeps for the next frames.
const KEPT_BYTES: usize = 4096;

impl<F: Framing> Decoder<F> {
    /// A decoder that has seen nothing.
    pub fn new(framing: F) -> Self {
        Decoder {
            framing,
            bytes: Vec::new(),
            start: 0,
            seen: 0,
            skipping: false,
            failed: None,
        }
    }

    /// Adds bytes as they came. Take the frames out with [`Decoder::next_frame`] before the next bytes are added:
    /// what is held is then never more than the longest frame and one push.
    pub fn push(&mut self, bytes: &[u8]) {
        let bytes = match self.skipping {
            true => self.skip(bytes),
            false => bytes,
        };
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
        } else if self.start > 0 {
            self.bytes.drain(..self.start);
        }
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// A frame beyond the bound, once each. Behind a line that is too long the next line follows; after a frame
    /// with a length that is too long, the same error is returned for ever, since nothing behind it can be found.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.framing.find(&self.bytes[self.start..], self.seen) {
            Find::More => {
                self.seen = self.bytes.len() - self.start;
                Ok(None)
            }
            Find::Frame { frame, end } => {
                let begun = self.start;
                self.advance(end);
                Ok(Some(&self.bytes[begun + frame.start..begun + frame.end]))
            }
            Find::SkipLine(error) => {
                let rest = self.bytes.split_off(self.start);
                self.bytes.clear();
                (self.start, self.seen, self.skipping) = (0, 0, true);
                let rest = self.skip(&rest).to_vec();
                self.bytes = rest;
                Err(error)
            }
            Find::Fatal(error) => {
                self.failed = Some(error.clone());
                self.bytes = Vec::new();
                (self.start, self.seen) = (0, 0);
                Err(error)
            }
        }
    }

    /// Bytes that came and belong to no frame given out yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Whether the stream may end here: no frame has begun.
    pub fn is_between_frames(&self) -> bool {
        self.rest().is_empty() && !self.skipping
    }

    /// Whether [`Decoder::next_frame`] would return one.
    pub(super) fn has_frame(&mut self) -> Result<bool, FrameError> {
        let found = self.framing.find(&self.bytes[self.start..], self.seen);
        if let Find::Frame { .. } = found {
            return Ok(true);
        }
        self.next_frame().map(|frame| frame.is_some())
    }

    fn advance(&mut self, count: usize) {
        self.start += count;
        self.seen = 0;
    }

    /// What lies behind the newline that ends the line being skipped; nothing until that comes.
    fn skip<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        match bytes.iter().position(|&byte| byte == b'\n') {
            Some(newline) => {
                self.skipping = false;
                &bytes[newline + 1..]
            }
            None => &[],
        }
    }
}
