//! Names of keys, and the small types that say what to do with one.

/// A key's name with its slot and hash, worked out once per command.
#[derive(Debug, Clone, Copy)]
pub struct Key<'k> {
    pub(crate) name: &'k [u8],
    pub(crate) slot: u16,
    pub(crate) hash: u64,
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

/// What was there before a key was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prior {
    /// Nothing.
    Missing,
    /// A key whose time had come; it has been removed and counted.
    Expired,
    /// A key.
    Live,
}
