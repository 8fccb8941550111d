//! Lines.

use super::decoder::{Find, Framing};
use super::error::FrameError;

/// Frames that end with a newline, which does not belong to them; nor does a carriage return before it.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// The longest line, without its end. A longer one is refused once, and skipped.
    pub max_bytes: usize,
}

impl Framing for Lines {
    fn find(&self, bytes: &[u8], seen: usize) -> Find {
        let too_long = || {
            let max_bytes = self.max_bytes;
            Find::SkipLine(FrameError::TooLong { max_bytes })
        };
        let Some(newline) = bytes[seen..].iter().position(|&byte| byte == b'\n') else {
            // One more than allowed may be a carriage return.
            return match bytes.len() > self.max_bytes + 1 {
                true => too_long(),
                false => Find::More,
            };
        };
        let end = seen + newline;
        let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
        if line.len() > self.max_bytes {
            return too_long();
        }
        Find::Frame {
            frame: 0..line.len(),
            end: end + 1,
        }
    }
}
