//! The hash of keys.

use std::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

use crate::table::Hash;

/// Hashes keys under a seed. Kept in memory only: what is stored goes by slot.
#[derive(Debug)]
pub(crate) struct Hasher {
    seed: u64,
    shared: SharedSeed,
}

impl Hasher {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            shared: SharedSeed::from_u64(seed),
        }
    }

    #[inline]
    pub(crate) fn hash(&self, name: &[u8]) -> Hash {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        hasher.write(name);
        Hash(hasher.finish())
    }
}
