//! A shard's keys: partitions of slots, each with its databases, each with a table per slot.
//!
//! The partition comes first, because it is the unit that moves: handing it to another shard is
//! handing over one box. Within a partition a database is made at its first key. This module is the
//! one place that counts keys and bytes, so that DBSIZE and the memory limit cost a comparison.

mod counts;
mod cursor;
mod db;
mod hasher;
mod key;
mod lazy_free;
mod moving;
mod ops;
mod space;
mod sweep;
mod value;
mod walk;

#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use cursor::{cursor_of_slot, slot_of_cursor};
pub use db::Partition;
pub use key::{Expire, Key, Prior};
pub use space::Keyspace;
pub use value::{Detached, Str, Value};

pub(crate) use db::Db;
pub(crate) use hasher::Hasher;
pub(crate) use ops::Found;

use corelane_wire::slot::SLOTS;

/// Slots of one partition.
pub const SLOTS_PER_PARTITION: usize = 64;

/// Partitions of a keyspace, on all shards together.
pub const PARTITIONS: usize = SLOTS as usize / SLOTS_PER_PARTITION;
