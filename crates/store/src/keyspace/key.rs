//! Names of keys, and the small types that say what to do with one.

use crate::table::Hash;

use super::SLOTS_PER_PARTITION;

/// A key's name with its slot and hash, worked out once per command.
#[derive(Debug, Clone, Copy)]
pub struct Key<'k> {
    pub(super) name: &'k [u8],
    pub(super) slot: u16,
    pub(super) hash: Hash,
}

impl<'k> Key<'k> {
    /// The name.
    #[inline]
    pub fn name(&self) -> &'k [u8] {
        self.name
    }

    /// The slot.
    #[inline]
    pub fn slot(&self) -> u16 {
        self.slot
    }

    /// The partition of the slot.
    #[inline]
    pub fn partition(&self) -> usize {
        usize::from((self.slot as usize / SLOTS_PER_PARTITION) as u8)
    }

    /// The slot's table within its partition.
    #[inline]
    pub(super) fn table(&self) -> usize {
        self.slot as usize % SLOTS_PER_PARTITION
    }
}

/// What happens to a key's expiry when it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expire {
    /// The key has none from now on.
    Clear,
    /// It stays as it is (`KEEPTTL`).
    Keep,
    /// The key expires at this unix time in milliseconds.
    At(u64),
}

/// What was there before a key was set or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prior {
    /// Nothing.
    Missing,
    /// A key whose time had come; it has been removed and counted as expired.
    Expired,
    /// A key.
    Live,
}
