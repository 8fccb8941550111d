//! Received bytes.

use std::ops::{Deref, DerefMut};

use crate::real::RealChunk;

/// What one receive brought: a slice of bytes, empty at the end of the stream. It lies in a buffer of the
/// runtime's pool, which dropping it gives back: copy out what is to be kept, and do not hold many. It belongs to
/// who received it, who may change the bytes where they lie, as decryption does.
pub struct Chunk(Kind);

enum Kind {
    Real(RealChunk),
    Owned(Vec<u8>),
    End,
}

impl Chunk {
    pub(crate) fn real(chunk: Option<RealChunk>) -> Self {
        Chunk(chunk.map_or(Kind::End, Kind::Real))
    }

    pub(crate) fn sim(bytes: Option<Vec<u8>>) -> Self {
        Chunk(bytes.map_or(Kind::End, Kind::Owned))
    }

    /// Bytes that were received before and kept.
    pub(crate) fn kept(bytes: Vec<u8>) -> Self {
        Chunk(Kind::Owned(bytes))
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Real(chunk) => chunk.bytes(),
            Kind::Owned(bytes) => bytes,
            Kind::End => &[],
        }
    }
}

impl DerefMut for Chunk {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Kind::Real(chunk) => chunk.bytes_mut(),
            Kind::Owned(bytes) => bytes,
            Kind::End => &mut [],
        }
    }
}

/// Bytes in a buffer of their own: what a layer above the connection makes of those that were received. An empty one
/// is the end of the stream.
impl From<Vec<u8>> for Chunk {
    fn from(bytes: Vec<u8>) -> Self {
        match bytes.is_empty() {
            true => Chunk(Kind::End),
            false => Chunk(Kind::Owned(bytes)),
        }
    }
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({} bytes)", self.len())
    }
}
