//! Growing and shrinking while requests run.
//!
//! # What a service does for it
//!
//! A node launched with room ([`LaunchOptions::active`](struct@crate::LaunchOptions#structfield.active)) has shards that sleep until
//! [`resize`](crate::Mesh::resize) wakes them. Partitions then move, one after the other, and the service says how by
//! [`Handoff`](crate::Handoff). State that is kept by partition and is `Send` goes over whole:
//!
//! ```
//! use std::collections::HashMap;
//! use corelane::{Cx, Handoff, LaunchOptions, Mesh, Outcome, Service, ShardId, launch};
//! use corelane::{block_on, partition_of};
//!
//! /// Counts by name, partition by partition.
//! #[derive(Default)]
//! struct Counters(HashMap<usize, HashMap<String, u64>>);
//!
//! impl Service for Counters {
//!     type Request = String;
//!     type Reply = u64;
//!     type Control = ();
//!
//!     fn handle(&mut self, name: String, _cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         let partition = self.0.entry(partition_of(name.as_bytes())).or_default();
//!         let count = partition.entry(name).or_default();
//!         *count += 1;
//!         Outcome::Ready(*count)
//!     }
//!
//!     fn control(&mut self, _message: (), _from: ShardId) {}
//! }
//!
//! impl Handoff for Counters {
//!     type Parcel = HashMap<String, u64>;
//!
//!     fn hand_over(&mut self, partition: usize) -> Self::Parcel {
//!         self.0.remove(&partition).unwrap_or_default()
//!     }
//!
//!     fn import(&mut self, partition: usize, parcel: Self::Parcel) {
//!         self.0.insert(partition, parcel);
//!     }
//! }
//!
//! let mut options = LaunchOptions::unpinned(4);
//! options.active = Some(1);
//! let main = async |mesh: Mesh<Counters>| {
//!     mesh.stopping().await;
//!     Ok(())
//! };
//! let node = launch(&options, async |_| Ok(Counters::default()), main)?;
//! let handle = node.handle();
//! let count = |name: &str| handle.call_key(name.as_bytes(), name.to_owned()).wait();
//! assert_eq!(count("apples").map_err(|e| e.to_string())?, 1);
//!
//! let resized = block_on(handle.resize(4))?;
//! assert_eq!((resized.before, resized.shards, resized.moved), (1, 4, 192));
//! assert_eq!(count("apples").map_err(|e| e.to_string())?, 2);
//!
//! block_on(handle.resize(2))?;
//! assert_eq!(count("apples").map_err(|e| e.to_string())?, 3);
//! node.stop();
//! node.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! State that is tied to its shard is exported in slices while it is served, and what has changed since goes last:
//! [`Handoff::export`](crate::Handoff::export).
//!
//! # What happens to requests meanwhile
//!
//! Nothing that a caller would notice, but a pause: calls for the partition that moves are held where they are made, in
//! order, until it has moved, and go to the new owner. None is refused, handled twice or overtaken. The pause is as long
//! as the slowest request for that partition that was there before, and a few hops. If one takes longer than a
//! second the move is given up and says so; ask again later.
//!
//! Requests that are addressed to a *shard* are about the shard. A shard that retires answers what it has, then
//! refuses with [`Refusal::Down`](crate::Refusal::Down).
//!
//! # What asks several shards as one
//!
//! A sum over all shards is wrong if a partition is counted where it was and again where it went. Whoever asks such a
//! question holds the map still meanwhile:
//!
//! ```
//! # use corelane::{Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch};
//! # struct Keys(u64);
//! # impl Service for Keys {
//! #     type Request = ();
//! #     type Reply = u64;
//! #     type Control = ();
//! #     fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> Outcome<Self> {
//! #         Outcome::Ready(self.0)
//! #     }
//! #     fn control(&mut self, (): (), _from: ShardId) {}
//! # }
//! async fn count(mesh: &Mesh<Keys>) -> Option<u64> {
//!     let _hold = mesh.hold_map().await;
//!     mesh.map_reduce(|_| (), 0, |sum, keys| sum + keys).await.ok()
//! }
//! # let main = async |mesh: Mesh<Keys>| {
//! #     assert_eq!(count(&mesh).await, Some(14));
//! #     Ok(())
//! # };
//! # launch(&LaunchOptions::unpinned(2), async |_| Ok(Keys(7)), main)?.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! While a hold lives no partition changes its owner, and all shards have the same map. A hold costs two operations on
//! one shared word. A move that is about to begin waits for the holds that live, and keeps new ones out meanwhile: for
//! two milliseconds at first, then it lets them in and tries for longer. After ten seconds it is given up. So holds
//! are for questions, not for sessions. A hold must not wait for a second one, nor for a move: each would wait for the
//! other.
//!
//! # What happens to main
//!
//! The main of a shard that wakes begins, that of a shard that retires sees [`Mesh::stopping`](crate::Mesh::stopping).
//! So a server's main is the same with and without resizes: listen until it is stopping, hand over or finish the
//! connections, return. Connections are values: [`net::Stream::detach`](crate::net::Stream::detach) takes one off its
//! shard with whatever was read and not used, and
//! [`net::Stream::attach`](crate::net::Stream::attach) takes it up elsewhere.
//!
//! # Who decides
//!
//! An operator, or a program that looks at the load. [`rebalance`](crate::rebalance) decides which partitions to move when
//! some shards have more to do than others, and is careful not to move anything twice.
