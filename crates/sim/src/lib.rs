//! The whole node under one seed: shards, sessions, mesh and store as they are shipped, in a simulated world,
//! with clients that pipeline, dawdle, hang up in the middle of a frame and kill each other; and a judge that knows
//! nothing but what the clients saw.
//!
//! ```text
//! seed ─▶ plan: Scenario ─▶ run: World + node + drive: clients ─▶ histories ─▶ check + model ─▶ Passed | Failure
//! ```
//!
//! What a run asks of the node:
//!
//! - every command has exactly one reply, in the order of the commands, also while the node stops;
//! - what was done to each group of keys is **linearizable**: some order of all commands, in keeping with when they
//!   were called and answered and with the order of each connection, explains every reply; commands of broken
//!   connections may or may not have happened, but never out of order;
//! - once all is quiet every shard has the same settings, and those are explained in the same way;
//! - nobody waits for ever, nor longer than delays explain: a shard that misses a wake-up goes on with its next
//!   timer, so a lost wake-up shows as a reply that is late;
//! - a connection that goes to another shard takes along its unread bytes, the rest of its replies, its database,
//!   protocol, name, number and routing, and is listed once;
//! - shards come and go under all of this, and no key, connection or reply is lost by it; in the end as many serve as
//!   were asked for;
//! - the node drains and ends when asked, and leaves no connection, listening socket, task or call behind;
//! - the same seed does the same again, to the last step.
//!
//! What is deliberately not asked: that commands over several groups are atomic (they promise it once there are
//! transactions), and expiry at its moment (all expiries are far away).
//!
//! `cargo xtask sim --seeds 1000` runs it; `cargo xtask sim --seed 7` runs one seed again.

#![forbid(unsafe_code)]

mod batch;
pub mod check;
mod drive;
mod failure;
pub mod model;
pub mod plan;
mod run;
mod story;

pub use batch::{Batch, Summary, run_batch};
pub use failure::{Failure, Fault};
pub use run::{Passed, run};
