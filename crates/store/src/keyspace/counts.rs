//! What is counted of a database.

use std::ops::{AddAssign, SubAssign};

/// Keys and memory of a database, or of one partition's share of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keys, those that expired unseen included.
    pub keys: u64,
    /// Keys that have an expiry.
    pub volatile: u64,
    /// Bytes of memory that keys and values take.
    pub entry_bytes: u64,
    /// Bytes of memory that the tables around them take.
    pub table_bytes: u64,
}

impl Counts {
    /// Bytes of memory in all.
    pub fn bytes(&self) -> u64 {
        self.entry_bytes + self.table_bytes
    }
}

impl AddAssign for Counts {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.keys += other.keys;
        self.volatile += other.volatile;
        self.entry_bytes += other.entry_bytes;
        self.table_bytes += other.table_bytes;
    }
}

impl SubAssign for Counts {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        self.keys -= other.keys;
        self.volatile -= other.volatile;
        self.entry_bytes -= other.entry_bytes;
        self.table_bytes -= other.table_bytes;
    }
}
