//! Corelane: shared-nothing, thread-per-core services in Rust.
//!
//! One pinned thread per core, a **shard**, is the only owner of its part of the state. Shards talk
//! over a **mesh**: one lock-free lane per ordered pair, whose messages leave in one batch and with at
//! most one wake per target and turn. There is nothing to lock and nothing shared; a value that
//! crosses is moved.
//!
//! - [`Service`]: what a shard does with a request. Synchronous, so no borrow lives across an await.
//! - [`Mesh`]: a shard's view of its peers: [`call`](Mesh::call), [`try_call`](Mesh::try_call),
//!   [`broadcast`](Mesh::broadcast), [`control`](Mesh::control), and its own state by
//!   [`with`](Mesh::with).
//! - [`launch`]: one thread per shard, started together or not at all, drained together, ended with
//!   a reason when one of them fails. [`launch_sim`] runs the same code, N shards on one thread,
//!   from a seed.
//! - [`sync`]: gates, semaphores, cancel tokens and pipes for the tasks of a shard; streams between shards, and values
//!   that stay at home.
//! - [`net`], [`fs`], [`time`], [`task`], [`random`], [`blocking`], [`sim`]: the runtime of one
//!   shard, for everything beside the mesh.
//! - [`partitioner`], [`supervision`], [`breaker`], [`rebalance`]: decisions without side effects: where a key goes,
//!   whom to restart, when not to call, what should move.
//! - [`guide`]: how to choose between all of it, and for those who come from actix, tokio or Seastar.
//! - [`worker`], [`pool`]: a service with a mailbox, alone or one per core, whose panics are restarted and whose messages
//!   are all accounted for.
//! - `tls`: TLS streams in the shape of [`net::Stream`], which move between shards as those do. The feature of that name is
//!   on by default.
//! - `http`: HTTP/1 by hyper on that runtime, for any tower service. Behind the feature of that name.
//!
//! # A counter on two shards
//!
//! ```
//! use corelane::{Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch};
//!
//! /// Each shard counts for itself.
//! struct Counter(u64);
//!
//! impl Service for Counter {
//!     type Request = u64;
//!     type Reply = u64;
//!     type Control = ();
//!
//!     fn handle(&mut self, add: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         self.0 += add;
//!         Outcome::Ready(self.0)
//!     }
//!
//!     fn control(&mut self, _msg: (), _from: ShardId) {}
//! }
//!
//! /// Runs on every shard: adds 1 on each of them, ten times.
//! async fn count(mesh: Mesh<Counter>) -> Result<(), String> {
//!     for _ in 0..10 {
//!         for shard in mesh.all_shards() {
//!             mesh.call(shard, 1).await.map_err(|e| e.to_string())?;
//!         }
//!     }
//!     // Whoever comes last brings its shard's count to 20.
//!     assert!(mesh.with(|counter| counter.0) >= 10);
//!     Ok(())
//! }
//!
//! let node = launch(&LaunchOptions::unpinned(2), async |_shard| Ok(Counter(0)), count)?;
//! node.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod breaker;
mod cx;
mod elastic;
mod guarded;
pub mod guide;
mod handle;
#[cfg(feature = "http")]
pub mod http;
mod launch;
mod map;
mod mesh;
pub mod metrics;
mod node;
mod outside;
mod panics;
pub mod partitioner;
pub mod pool;
pub mod rebalance;
mod restart;
mod service;
mod shard;
mod shard_id;
mod signal;
pub mod supervision;
pub mod sync;
#[cfg(feature = "tls")]
pub mod tls;
pub mod worker;

pub use corelane_channel as channel;
pub use corelane_rt::{
    Backend, BufferOptions, IoBackend, Stats as RuntimeStats, backend, blocking, fs, local, net,
    random, sim, stats as runtime_stats, task, time,
};
pub use corelane_topology as topology;
pub use cx::{CallOptions, Cx, Origin, TraceId};
pub use elastic::{Handoff, MapHold, MoveError, Rebalanced, ResizeError, Resized, Resizing};
pub use guarded::{Guard, GuardError, GuardOptions};
pub use handle::{Handle, block_on};
pub use launch::{
    LaunchError, LaunchOptions, MAX_SHARDS, Running, ShardSpec, SimNode, WhileDown, launch,
    launch_sim,
};
pub use map::{PARTITIONS, ShardMap, partition_of};
pub use mesh::{
    Call, CallError, Calls, Mesh, MeshGauge, MeshStats, Refusal, Refused, Submitted, Target,
};
pub use node::{NodeFailure, Stopper};
pub use outside::{Asking, AskingAll, InboxStats};
pub use service::{Later, Outcome, Rejection, Service};
pub use shard_id::ShardId;
