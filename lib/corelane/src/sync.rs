//! What the tasks of a shard hold each other by, and what two shards pass pieces through.
//!
//! Of one shard (not `Send`, no atomics):
//! - [`Gate`]: lets work in until it is closed, and tells when the last has left.
//! - [`Semaphore`]: permits, in the order of asking.
//! - [`Event`]: something is so, until it no longer is.
//! - [`pipe`]: a bounded queue from one task to another.
//!
//! Between shards:
//! - [`CancelToken`]: a tree of "stop what you do for me", with the reason.
//! - [`stream`]: pieces of an answer from one shard to another, as many ahead as there are credits.
//! - [`Foreign`]: a value that stays at home while what stands for it travels, and is dropped at home.

mod cancel;
mod event;
mod foreign;
mod gate;
mod pipe;
mod semaphore;
mod stream;
#[cfg(test)]
mod testing;
mod wait_list;

pub use cancel::{CancelToken, Cancelled, WaitCancelled};
pub use event::{Event, WaitEvent};
pub use foreign::{Foreign, NotHome};
pub use gate::{Closing, Gate, GateClosed, GateStats, Hold};
pub use pipe::{PipeReader, PipeWriter, ReaderGone, pipe};
pub use semaphore::{Acquire, AcquireError, Permit, Semaphore, SemaphoreStats, TryAcquireError};
pub use stream::{Sink, SinkError, Source, StreamStats, Truncated, stream};
