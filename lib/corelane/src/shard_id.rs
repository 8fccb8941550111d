//! The name of a shard: a number, and nothing that could be mistaken for a partition or a CPU.

use std::fmt;

/// One shard of a node: 0 up to the number of shards, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(u16);

impl ShardId {
    /// The shard with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The shard's number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The shard's number as an index into a table with one entry per shard.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The shard at `index` of such a table; tables never exceed the launch's bound on shards.
    pub(crate) fn at(index: usize) -> Self {
        Self(u16::try_from(index).expect("a node has at most 256 shards"))
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
