//! Shards, partitions, and what crosses between them.
//!
//! # One owner for everything
//!
//! A **node** is one process. It has one **shard** per core: a thread, pinned there, with its own runtime, its own
//! memory, connections and files. Whatever there is belongs to one shard, and only that shard touches it. So there are
//! no locks, because there is nobody to lock out; a cache line is written by one core; and a handler sees its state
//! as it left it.
//!
//! The price is that what lives elsewhere must be asked for. A message to another shard that is awake takes a few hundred
//! nanoseconds there and back; to one that sleeps, the time of a wake-up (20 to 40 µs on a virtual machine).
//! That is worth it when most of the work stays at home or can be asked for in batches, and it is the
//! wrong trade for a program whose every step needs all the data.
//!
//! # The words
//!
//! | | |
//! |---|---|
//! | shard | a pinned thread and what it owns ([`ShardId`](crate::ShardId)) |
//! | partition | a 256th of the key space; lives whole on one shard, and is what moves ([`PARTITIONS`](crate::PARTITIONS)) |
//! | shard map | which shard owns which partition; immutable, replaced under a new epoch ([`ShardMap`](crate::ShardMap)) |
//! | service | one shard's state, and how it answers ([`Service`](crate::Service)) |
//! | mesh | the lanes between all pairs of shards, as one shard sees them ([`Mesh`](crate::Mesh)) |
//! | handle | the way to the service for everybody else ([`Handle`](crate::Handle)) |
//! | hop | a message to another shard, and its reply |
//!
//! Keys hash to partitions, always in the same way ([`partition_of`](crate::partition_of)), whatever the number of
//! cores; the map says where each lives today. Growing the node, shrinking it, and moving what is hot are all
//! the same thing: partitions change their owner ([resizing](super::resizing)).
//!
//! # What a turn is
//!
//! A shard's thread goes round a loop. In each turn it takes what other shards have sent, runs the tasks that are
//! ready, publishes what they have to say (one batch per target, one wake per target that sleeps), and enters the
//! kernel once, to hand in its I/O and to fetch results. Under load a turn does much at once and the costs per message
//! fall; without load it sleeps and costs nothing.
//!
//! From this follow the rules for code on a shard:
//!
//! - **Never block.** A lock that somebody holds, `std::thread::sleep`, a read from a file by `std::fs`: the whole shard
//!   stands. There are [`fs`](crate::fs), [`time`](crate::time), and a [pool](crate::blocking) for what only
//!   exists in a blocking form.
//! - **Never take long.** Ten microseconds is nothing, a millisecond is noticed by every client of the shard. Cut loops
//!   into slices ([`task::maybe_yield`](crate::task::maybe_yield)); the stall detector names what did not.
//! - **Hold no borrow across an `await`.** [`Mesh::with`](crate::Mesh::with) takes a closure so that you cannot.
//!
//! # Who decides where work runs
//!
//! You do, by the key. [`call_key`](crate::Mesh::call_key) sends a request to the owner of its key, and what one caller
//! sends for one key is handled in that order, also while the partition moves. Work without a key goes to a
//! shard by number, to all ([`broadcast`](crate::Mesh::broadcast), [`map_reduce`](crate::Mesh::map_reduce)), or
//! stays where it is. Nothing is stolen and nothing migrates behind your back.
