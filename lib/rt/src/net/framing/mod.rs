//! Frames in a stream of bytes: lines, and frames that begin with their length.
//!
//! A [`Decoder`] is pure: bytes in, frames out, however they were cut. A [`FrameReader`] is one over a
//! [`Stream`](super::Stream). Both are bounded: a frame that is too long is refused by its announced length, or when
//! its end has not come within the bound, and memory is taken for bytes that came, never for lengths that were
//! announced.
//!
//! ```
//! use corelane_rt::net::framing::{Decoder, FrameError, Lines};
//!
//! let mut decoder = Decoder::new(Lines { max_bytes: 8 });
//! decoder.push(b"one\r\ntwo\nth");
//! assert_eq!(decoder.next_frame(), Ok(Some(&b"one"[..])));
//! assert_eq!(decoder.next_frame(), Ok(Some(&b"two"[..])));
//! assert_eq!(decoder.next_frame(), Ok(None));
//! decoder.push(b"is line is long\nfour\n");
//! assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { max_bytes: 8 }));
//! assert_eq!(decoder.next_frame(), Ok(Some(&b"four"[..])));
//! ```

mod decoder;
mod error;
mod length;
mod lines;
mod reader;

pub use decoder::{Decoder, Find, Framing};
pub use error::FrameError;
pub use length::{LENGTH_BYTES, Lengths, put_frame};
pub use lines::Lines;
pub use reader::FrameReader;

#[cfg(test)]
mod tests;
