//! What carries values between the shards of one node: bounded lock-free lanes and the handshake
//! that wakes a sleeping receiver exactly when it must be woken.
//!
//! - [`lane()`]: one single-producer single-consumer ring with batches, refusals counted by reason,
//!   and counters of each end on a cache line of their own.
//! - [`SleepFlag`]: "announce sleep, fence, look again" on one side, "push, fence, ring once if
//!   asleep" on the other. Proved with loom (`tests/loom.rs`).
//!
//! Nothing here knows shards, runtimes or messages: the mesh in `corelane` puts one lane on every
//! ordered pair of shards and one flag on every shard.
//!
//! ```
//! use corelane_channel::{SleepFlag, lane};
//!
//! let (mut tx, mut rx) = lane::<u32>(8);
//! let asleep = SleepFlag::new();
//!
//! // The receiver finds nothing, announces its sleep and looks once more before it sleeps.
//! asleep.announce();
//! assert!(rx.is_empty());
//!
//! // The sender pushes and rings the receiver's doorbell, once.
//! tx.push(7).unwrap();
//! assert!(asleep.claim_wake());
//! assert!(!asleep.claim_wake());
//! assert_eq!(rx.pop(), Some(7));
//! ```
#![forbid(unsafe_code)]

mod cache_line;
mod counters;
mod lane;
mod sleep;
mod sync;

pub use cache_line::CacheLine;
pub use counters::{ReceiverCounters, SenderCounters};
pub use lane::{PushError, Receiver, Sender, lane};
pub use sleep::SleepFlag;
