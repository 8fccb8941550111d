//! Received bytes.

use std::ops::Deref;

use crate::real::RealChunk;

/// What one receive brought: a slice of bytes, empty at the end of the stream. It lies in a buffer of the
/// runtime's pool, which dropping it gives back: copy out what is to be kept, and do not hold many.
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

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({} bytes)", self.len())
    }
}
