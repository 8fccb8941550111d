//! What carries values between threads, tasks and shards: lanes, channels, and the handshake that wakes
//! a sleeper exactly when it must be woken. Nothing here knows shards, runtimes or messages.
//!
//! # Choosing a channel
//!
//! | kind | ends | for |
//! |---|---|---|
//! | [`spsc`] | one sender, one receiver, by type | a pipeline's stage to the next; the fastest |
//! | [`mpsc`] | senders are cloned, one receiver | an inbox: many ask, one does |
//! | [`mpmc`] | both are cloned; each value goes to one receiver | a queue of work that several share |
//! | [`lane()`] | one sender, one receiver, neither ever waits | a link that somebody else polls, as the mesh does |
//!
//! Every channel is **bounded** unless it says otherwise, because a queue without a bound only moves the
//! trouble from the sender, who could do something about it, to the memory. Where a bound cannot be
//! (a sender that must never wait nor fail, and is known to be slower than its receiver), `unbounded`
//! grows with what is in it, frees what is not, and refuses at [`UNBOUNDED_LIMIT`] or a limit of yours.
//!
//! What becomes of a value that finds the queue full is the policy, [`Full`]:
//!
//! | policy | a full queue | for |
//! |---|---|---|
//! | [`Full::Wait`] | `send` waits for room | whatever must not be lost: the sender slows down to the receiver's pace |
//! | [`Full::Fail`] | gives the value back | a sender that has something better to do, or an answer to give |
//! | [`Full::DropOldest`] | drops the oldest for the new | readings, positions, prices: the latest counts |
//! | [`Full::DropNewest`] | drops the new one | samples, debug logs: any will do |
//! | [`Full::Shed`] | refuses from a high mark down to a low one | requests: an early no is better than a late yes |
//!
//! How to wait, at either end and mixed as you like:
//!
//! | | sending | receiving |
//! |---|---|---|
//! | never | `try_send`, `try_send_batch` | `try_recv`, `try_recv_batch` |
//! | as a task | `send`, `send_batch` | `recv`, `recv_batch`, `Stream` |
//! | as a task, for a time | `send_or(value, timer)` | `recv_or(timer)` |
//! | as a thread | `send_blocking`, `send_batch_blocking` | `recv_blocking`, `recv_batch_blocking` |
//! | as a thread, for a time | `send_timeout` | `recv_timeout` |
//!
//! The timer of `send_or` and `recv_or` is any future, so that no runtime is asked for: `corelane::time::sleep`
//! on a shard, a shutdown signal, a cancellation token. Batches pay for publication and wake once for all
//! their values and are several times faster than single sends.
//!
//! ```
//! use corelane_channel::{Full, Options, SendError, mpsc};
//!
//! let (mut tx, mut rx) = mpsc::with(Options::new(2).full(Full::Fail))?;
//! tx.try_send("one")?;
//! tx.try_send("two")?;
//! assert_eq!(tx.try_send("three"), Err(SendError::Full("three")));
//! assert_eq!(rx.try_recv(), Ok("one"));
//!
//! let stats = tx.gauge().stats();
//! assert_eq!((stats.send.sent, stats.send.refused_full, stats.depth), (2, 1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What all channels promise
//!
//! - **Order**: the values of one sender come out in the order they went in.
//! - **Closing**: when the receivers are gone, a send gives its value back. When the senders are gone,
//!   receivers drain what was sent and then get [`RecvError::Closed`]. (A value sent at the very moment
//!   when the last receiver goes may be dropped with the queue.)
//! - **Giving up**: a receive that is dropped has taken nothing. A `send` that is dropped drops its value,
//!   unsent; [`Send::cancel`](send::Send::cancel) hands it back, and `send_batch` leaves in its queue what
//!   it did not send.
//! - **Waking**: one value wakes one waiter, and a waiter that goes away passes its wake on. No wake is
//!   lost: loom tries every interleaving (`waiters/model.rs`).
//! - **Counting**: every value that is refused or dropped is counted by reason, by the end it happened
//!   at, on cache lines of that end alone. [`Gauge`] reads the figures and the depth from anywhere.
//!
//! What waits spins first, for a bounded number of pauses ([`Options::spin`]), and adapts: a receiver
//! that is fed value by value looks at once, one that is fed a stream lets a little pile up, because
//! looking takes the cache line away from the sender.
//!
//! The queues themselves are rtrb's (`spsc`) and crossbeam-queue's (`mpsc`, `mpmc`); waiting, policies and
//! counters are ours. `benches/channels` measures them beside others.
//!
//! # Lanes and the wake handshake
//!
//! [`SleepFlag`] is "announce sleep, fence, look again" on one side, "push, fence, ring once if asleep" on
//! the other: what the mesh in `corelane` puts on every shard, with one lane on every ordered pair of
//! shards. Proved with loom (`tests/loom.rs`).
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
mod error;
mod lane;
mod link;
pub mod mpmc;
pub mod mpsc;
mod options;
mod park;
mod patience;
pub mod receive;
mod ring;
pub mod send;
mod sleep;
pub mod spsc;
mod stats;
mod sync;
mod waiters;

pub use cache_line::CacheLine;
pub use counters::{ReceiverCounters, SenderCounters};
pub use error::{RecvError, SendError};
pub use lane::{PushError, Receiver, Sender, lane};
pub use link::{Gauge, Stats};
pub use options::{Full, Options, OptionsError, SPIN_STEPS_MAX, UNBOUNDED_LIMIT};
pub use sleep::SleepFlag;
pub use stats::{ReceiveStats, SendStats};
