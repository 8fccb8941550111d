//! Frames of a stream.

use std::io;

use super::decoder::{Decoder, Framing};
use super::error::FrameError;
use crate::net::Stream;

/// Reads the frames of a [`Stream`], which stays the caller's, for replies. Like its decoder it is a plain value that
/// moves with its connection.
pub struct FrameReader<F> {
    decoder: Decoder<F>,
}

impl<F: Framing> FrameReader<F> {
    /// A reader that has read nothing.
    pub fn new(framing: F) -> Self {
        FrameReader {
            decoder: Decoder::new(framing),
        }
    }

    /// The next frame; `None` at the end of the stream. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The stream's own, and a [`FrameError`] as the inner error of one of kind `InvalidData` (a frame beyond the
    /// bound; see [`Decoder::next_frame`] for what follows it) or `UnexpectedEof` (the stream ended within a frame).
    pub async fn next(&mut self, stream: &mut Stream) -> io::Result<Option<&[u8]>> {
        // Twice, because a loop that returns what it borrows is refused by the borrow checker of today.
        while !self.has_frame()? {
            let chunk = stream.recv().await?;
            if chunk.is_empty() {
                return self.end().map(|()| None);
            }
            self.decoder.push(&chunk);
        }
        Ok(self.decoder.next_frame()?)
    }

    fn has_frame(&mut self) -> io::Result<bool> {
        Ok(self.decoder.has_frame()?)
    }

    fn end(&self) -> io::Result<()> {
        if self.decoder.is_between_frames() {
            return Ok(());
        }
        let have_bytes = self.decoder.rest().len();
        Err(FrameError::Cut { have_bytes }.into())
    }
}
