//! A short number's digits, held on the stack.

use std::fmt;
use std::ops::Deref;

/// The digits of one number; derefs to `str`.
#[derive(Clone, Copy)]
pub struct NumberText {
    bytes: [u8; Self::MAX_BYTES],
    len: u8,
}

impl NumberText {
    /// Room for the longest: sign, 17 digits, point, `e-308`, or a sign, `0.0000` and 17 digits.
    pub(super) const MAX_BYTES: usize = 32;

    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; Self::MAX_BYTES],
            len: 0,
        }
    }

    pub(super) fn push(&mut self, text: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + text.len()].copy_from_slice(text);
        self.len += text.len() as u8;
    }
}

impl Deref for NumberText {
    type Target = str;

    fn deref(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("digits are ASCII")
    }
}

impl fmt::Display for NumberText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for NumberText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
