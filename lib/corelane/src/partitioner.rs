//! Which target a key goes to: one trait, and the placements that a sharded service needs.
//!
//! A *target* is a number below [`Partitioner::targets`]: a worker of a pool, a shard, a partition. A
//! partitioner knows nothing else of it, reads no clock and no random number, and is shared by all who
//! send.
//!
//! | | one key, one target | weights | keys that move from N to N+1 targets | cost of a placement |
//! |---|---|---|---|---|
//! | [`Hash`](struct@Hash) | yes | | about half | a hash of the key |
//! | [`Ring`] | yes | yes | about 1/(N+1), all of them to the new one | a hash and a binary search |
//! | [`Rendezvous`] | yes | yes | about 1/(N+1), all of them to the new one | a hash and a step per target |
//! | [`Range`] | yes, in key order | by its boundaries | none, until a range is split or assigned | a binary search of byte strings |
//! | [`Slots`] | yes, as Redis Cluster has them | | about half | a checksum of the key's hash tag |
//! | [`RoundRobin`] | no | | | one counter |
//! | [`Custom`] | as its closure does | | as its closure does | |
//!
//! What moves cheaply needs none of these to be clever: a service of the mesh places its keys on
//! [`PARTITIONS`](crate::PARTITIONS) fixed partitions ([`Hash`](struct@Hash) with 256 targets is
//! [`partition_of`](crate::partition_of)), and only whole partitions move. [`Ring`] and [`Rendezvous`]
//! are for pools without such a table between.
//!
//! **Placements are stored**, in logs, files and other programs' expectations. Each kind has a
//! [`name`](Partitioner::name) with a version in it; the same name and the same construction place the
//! same key on the same target for ever, on every machine. Another placement would be another version.
//!
//! Keys are bytes. For numbers take `to_be_bytes`, which also keeps their order for [`Range`].
//!
//! ```
//! use corelane::partitioner::{Partitioner, Ring};
//!
//! let ring = Ring::new(4)?;
//! let home = ring.place(b"user:1000");
//! assert!(home < ring.targets());
//!
//! // A fifth target takes its share, and nothing else moves.
//! let grown = ring.resized(5)?;
//! let now = grown.place(b"user:1000");
//! assert!(now == home || now == 4);
//! # Ok::<(), corelane::partitioner::PartitionError>(())
//! ```

mod custom;
mod error;
mod hash;
mod member;
mod place;
mod range;
mod rendezvous;
mod ring;
mod round_robin;
mod slots;
#[cfg(test)]
mod tests;

pub use custom::Custom;
pub use error::PartitionError;
pub use hash::Hash;
pub use member::{MAX_MEMBERS, MAX_WEIGHT, Member};
pub use place::{MAX_TARGETS, Partitioner};
pub use range::{KeyRange, MAX_RANGES, Range};
pub use rendezvous::Rendezvous;
pub use ring::{MAX_POINTS, Ring, VIRTUAL_NODES};
pub use round_robin::RoundRobin;
pub use slots::{SLOTS, Slots, hash_tag, slot_of};
