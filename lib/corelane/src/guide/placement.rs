//! Which keys live where.
//!
//! # Two steps, or one
//!
//! A service of the mesh places a key in two steps. The key hashes to one of
//! [`PARTITIONS`](crate::PARTITIONS) partitions, by [`partition_of`](crate::partition_of), for ever. The
//! [`ShardMap`](crate::ShardMap) says which shard owns each partition, for now. Everything that may change
//! (cores, load, a resize) changes the second step, and only whole partitions ever move. This is what
//! [`call_key`](crate::Mesh::call_key) does, and if you store anything, it is what you want: with it
//! there is no partitioner to choose.
//!
//! A [`Partitioner`](crate::partitioner::Partitioner) does it in one step, key to target. It is for pools
//! of workers whose state can be made anew (caches, batches, connections to something behind them), and
//! for services that place keys in their own way and name the partition themselves
//! ([`call_partition`](crate::Mesh::call_partition)).
//!
//! # Choosing a partitioner
//!
//! Ask in this order:
//!
//! 1. **Does order between keys matter?** Scans from one key to another want neighbours together:
//!    [`Range`](crate::partitioner::Range). Its price: load follows the keys. Keys that begin with a time
//!    all go to the last range, and you must split and move ranges as they grow.
//! 2. **Must several keys stay together?** Hash what they share. Either pass only that part as the key, or
//!    mark it as `{tag}` and take [`Slots`](crate::partitioner::Slots), which also agrees with every Redis
//!    Cluster client about where a key is.
//! 3. **Does nothing belong to a key?** Stateless work goes
//!    [round](crate::partitioner::RoundRobin). Nothing stays in order then.
//! 4. **Will the number of targets change while their state is worth keeping?** If not,
//!    [`Hash`](struct@crate::partitioner::Hash): the cheapest, and even. If so, take one that moves few
//!    keys: [`Rendezvous`](crate::partitioner::Rendezvous) up to some tens of targets, as it is the most
//!    even; [`Ring`](crate::partitioner::Ring) beyond.
//! 5. **Are targets of different strength?** Ring and rendezvous take weights.
//!
//! Whatever you choose, a key that is hot by itself stays hot: no placement splits one key. Look at the
//! load per partition before you look for another hash.
//!
//! # Changing a placement
//!
//! Partitioners do not change under their users. A changed one is another value, which replaces the old
//! one where all senders look it up, so that no sender sees half a change:
//!
//! ```
//! use std::sync::Arc;
//! use corelane::partitioner::{Partitioner, Range};
//!
//! let mut next = Range::new(&["h", "p"])?; // three ranges on three targets
//! let current: Arc<dyn Partitioner> = Arc::new(next.clone());
//!
//! // The middle range has grown too large: its upper half goes to the first target.
//! next.split(b"l", 0)?;
//! let changed: Arc<dyn Partitioner> = Arc::new(next);
//!
//! assert_eq!((current.place(b"melon"), changed.place(b"melon")), (1, 0));
//! assert_eq!((current.place(b"kiwi"), changed.place(b"kiwi")), (1, 1));
//! # Ok::<(), corelane::partitioner::PartitionError>(())
//! ```
//!
//! A partitioner does not move what its targets hold. Between the old value and the new one a target may still
//! have work for a key that now goes elsewhere; whoever needs order per key across the change drains the
//! target first. The mesh does exactly this for partitions, which is why state that matters belongs there.
//!
//! # What is stored stays
//!
//! A placement that decides where bytes are stored must not change with a library's next version. All of
//! them are fixed here by their [`name`](crate::partitioner::Partitioner::name), which carries a version:
//! store it beside the data, and compare it when you open them. Do not place stored data with
//! [`std::hash`]: its `DefaultHasher` promises nothing between releases, and `RandomState` not even
//! between two runs.
