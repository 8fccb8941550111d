//! Pools: one worker per core, and every way to reach them.
//!
//! A [`WorkerPool`] is a node of its own whose service has a mailbox in front of a
//! [`Worker`](crate::worker::Worker). Its [`PoolHandle`] is `Clone`, `Send` and `Sync`: it sends to one worker, to the
//! worker of a key, or to all; it waits for room or does not; it calls and waits for the reply.
//!
//! - `config`, `builder`: what a pool is asked to be
//! - `running`: a pool on threads, and one in a simulated world
//! - `handle`, `sending`, `many`, `calling`: the way to its workers
//! - `placement`: which worker a key belongs to
//! - `gauge`, `stats`: how full each mailbox is, and what has been counted
//! - `host`, `mailbox`: a worker as a service; what waits for it, which outlives its state
//! - `moving`: growing and shrinking
//! - `errors`: what is refused
//!
//! ```
//! use corelane::pool::{To, WorkerPool};
//! use corelane::worker::{Envelope, Handled, Worker, WorkerCx};
//!
//! /// Counts words, each on the worker that it belongs to.
//! struct Words;
//!
//! impl Worker for Words {
//!     type State = std::collections::HashMap<String, u64>;
//!     type Message = String;
//!     type Reply = u64;
//!
//!     async fn init(&self, _cx: WorkerCx<Self>) -> Result<Self::State, String> {
//!         Ok(Self::State::new())
//!     }
//!
//!     fn handle_message(&self, words: &mut Self::State, word: Envelope<String>) -> Handled<Self> {
//!         let count = words.entry(word.into_inner()).or_default();
//!         *count += 1;
//!         Ok(*count)
//!     }
//! }
//!
//! let pool = WorkerPool::auto(|_worker| Words)?;
//! for word in ["to", "be", "or", "not", "to"] {
//!     pool.send_blocking(To::Key(word.as_bytes()), word.to_owned())?;
//! }
//! assert_eq!(pool.call_blocking(To::Key(b"to"), "to".to_owned())?, 3);
//! pool.stop_all()?; // when every message has been handled
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocking;
mod builder;
mod calling;
mod config;
mod errors;
mod gauge;
mod handle;
mod host;
mod mailbox;
mod many;
mod moving;
mod placement;
mod running;
mod sending;
mod stats;

pub use builder::PoolBuilder;
pub use config::{MAX_QUEUE, PoolConfig};
pub use corelane_topology::{Plan, Profile};
pub use errors::{CallFault, Fault, PoolError, SendRefusal, Unsent, UnsentMany};
pub use handle::{PoolHandle, Soon, To, WorkerCx};
pub use running::{SimPool, WorkerPool};
pub use stats::{PoolStats, WorkerStats, WorkerStatus};
