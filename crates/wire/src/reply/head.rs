//! The line that opens a reply or an argument: a type byte, a number, CR LF.

/// Such a line, built on the stack: `$3\r\n`, `*-1\r\n`, `:1234\r\n`.
pub(crate) struct Head {
    bytes: [u8; Self::MAX_BYTES],
    len: u8,
}

impl Head {
    /// A type byte, the 20 characters of `i64::MIN`, CR LF; rounded up.
    const MAX_BYTES: usize = 24;

    /// A line with a length; short lengths, which are most, take the short way.
    #[inline]
    pub(crate) fn of_len(kind: u8, len: usize) -> Self {
        let mut bytes = [0; Self::MAX_BYTES];
        bytes[0] = kind;
        if len < 10 {
            bytes[1] = b'0' + len as u8;
            bytes[2..4].copy_from_slice(b"\r\n");
            return Self { bytes, len: 4 };
        }
        if len < 100 {
            bytes[1] = b'0' + (len / 10) as u8;
            bytes[2] = b'0' + (len % 10) as u8;
            bytes[3..5].copy_from_slice(b"\r\n");
            return Self { bytes, len: 5 };
        }
        Self::of_text(kind, itoa::Buffer::new().format(len))
    }

    /// A line with any number.
    #[inline]
    pub(crate) fn of_int(kind: u8, value: i64) -> Self {
        match usize::try_from(value) {
            Ok(len @ 0..100) => Self::of_len(kind, len),
            _ => Self::of_text(kind, itoa::Buffer::new().format(value)),
        }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn of_text(kind: u8, digits: &str) -> Self {
        let mut bytes = [0; Self::MAX_BYTES];
        let end = 1 + digits.len();
        bytes[0] = kind;
        bytes[1..end].copy_from_slice(digits.as_bytes());
        bytes[end..end + 2].copy_from_slice(b"\r\n");
        Self {
            bytes,
            len: (end + 2) as u8,
        }
    }
}
