//! Why a frame is refused.

use std::fmt;
use std::io;

/// Why a frame is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// No end came within the bound.
    TooLong {
        /// The bound.
        max_bytes: usize,
    },
    /// The announced length is beyond the bound.
    LengthTooLong {
        /// What was announced.
        len: u64,
        /// The bound.
        max_bytes: usize,
    },
    /// The stream has ended within a frame.
    Cut {
        /// Bytes of the frame that had come.
        have_bytes: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::TooLong { max_bytes } => {
                write!(f, "a line is longer than the {max_bytes} bytes allowed")
            }
            FrameError::LengthTooLong { len, max_bytes } => {
                write!(f, "a frame announces {len} bytes, {max_bytes} are allowed")
            }
            FrameError::Cut { have_bytes } => {
                write!(
                    f,
                    "the stream ended within a frame, after {have_bytes} bytes of it"
                )
            }
        }
    }
}

impl std::error::Error for FrameError {}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        let kind = match error {
            FrameError::Cut { .. } => io::ErrorKind::UnexpectedEof,
            FrameError::TooLong { .. } | FrameError::LengthTooLong { .. } => {
                io::ErrorKind::InvalidData
            }
        };
        io::Error::new(kind, error)
    }
}
