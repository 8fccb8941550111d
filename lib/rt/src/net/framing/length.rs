//! Frames that begin with their length.

use super::decoder::{Find, Framing};
use super::error::FrameError;

/// Bytes of a length.
pub const LENGTH_BYTES: usize = 4;

/// Frames that begin with their length: four bytes, big-endian, not counted in it.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// The longest frame. A longer one is refused by its announced length, before any of it has come.
    pub max_bytes: usize,
}

impl Framing for Lengths {
    fn find(&self, bytes: &[u8], _seen: usize) -> Find {
        let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
            return Find::More;
        };
        let len = u32::from_be_bytes(*length);
        let max_bytes = self.max_bytes;
        match usize::try_from(len) {
            Ok(len) if len <= max_bytes && rest.len() < len => Find::More,
            Ok(len) if len <= max_bytes => Find::Frame {
                frame: LENGTH_BYTES..LENGTH_BYTES + len,
                end: LENGTH_BYTES + len,
            },
            _ => Find::Fatal(FrameError::LengthTooLong {
                len: len.into(),
                max_bytes,
            }),
        }
    }
}

/// Appends a frame with its length to `out`.
///
/// # Errors
///
/// Where the frame is longer than `max_bytes`, or than a length can say; `out` is as before then.
pub fn put_frame(out: &mut Vec<u8>, frame: &[u8], max_bytes: usize) -> Result<(), FrameError> {
    let length = u32::try_from(frame.len()).ok();
    let Some(length) = length.filter(|_| frame.len() <= max_bytes) else {
        return Err(FrameError::LengthTooLong {
            len: frame.len() as u64,
            max_bytes,
        });
    };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(frame);
    Ok(())
}
