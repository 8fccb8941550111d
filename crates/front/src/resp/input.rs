//! Bytes that have arrived and do not yet make a whole command.

/// Unparsed bytes. Usually empty: whole commands are parsed in the receive buffer itself.
#[derive(Debug, Default)]
pub(crate) struct Input {
    buf: Vec<u8>,
    parsed: usize,
}

/// A buffer above this size is not kept once it is empty.
const KEPT_BYTES: usize = 4 * 1024;

impl Input {
    pub(crate) fn is_empty(&self) -> bool {
        self.parsed == self.buf.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.buf.len() - self.parsed
    }

    pub(crate) fn unparsed(&self) -> &[u8] {
        &self.buf[self.parsed..]
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if self.parsed > 0 {
            self.buf.drain(..self.parsed);
            self.parsed = 0;
        }
        self.buf.extend_from_slice(bytes);
    }

    /// Gives back what is not filled.
    pub(crate) fn rest(&mut self) {
        self.buf.shrink_to_fit();
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.parsed += bytes;
        debug_assert!(self.parsed <= self.buf.len());
        if self.is_empty() {
            self.parsed = 0;
            if self.buf.capacity() > KEPT_BYTES {
                self.buf = Vec::new();
            } else {
                self.buf.clear();
            }
        }
    }
}
