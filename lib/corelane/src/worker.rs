//! Workers: a state of one's own, a queue in front of it, and nothing else shared.
//!
//! A [`Worker`] is a [`Service`](crate::Service) with a mailbox: messages are queued, handled one by one or in
//! batches, and what becomes of each is known. [`spawn`] runs a single one; a
//! [`WorkerPool`](crate::pool::WorkerPool) runs one per core.
//!
//! - `job`: the trait
//! - `envelope`: a message and what is known of it; batches of them
//! - `failure`: what becomes of a message that fails
//! - `single`: one worker on a thread of its own
//!
//! ```
//! use corelane::worker::{self, Envelope, Handled, Worker, WorkerConfig, WorkerCx};
//!
//! #[derive(Clone)]
//! struct Sum;
//!
//! impl Worker for Sum {
//!     type State = u64;
//!     type Message = u64;
//!     type Reply = u64;
//!
//!     async fn init(&self, _cx: WorkerCx<Self>) -> Result<u64, String> {
//!         Ok(0)
//!     }
//!
//!     fn handle_message(&self, sum: &mut u64, message: Envelope<u64>) -> Handled<Self> {
//!         *sum += message.into_inner();
//!         Ok(*sum)
//!     }
//! }
//!
//! let worker = worker::spawn(Sum, WorkerConfig::default())?;
//! worker.send_blocking(40)?;
//! assert_eq!(worker.call_blocking(2)?, 42);
//! worker.stop()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod envelope;
mod failure;
mod job;
mod single;

pub use crate::pool::{Fault, PoolError, Unsent, WorkerCx, WorkerStats, WorkerStatus};
pub use envelope::{Batch, Envelope};
pub(crate) use envelope::{Item, Results, Taken};
pub(crate) use failure::Policy;
pub use failure::{DeadLetter, Failed, MAX_RETRIES, OnFailure};
pub use job::{Handled, Movable, Worker};
pub use single::{WorkerConfig, WorkerHandle, spawn};
