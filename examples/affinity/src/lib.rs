//! The sharded-affinity server: a line protocol, a cache per shard, and connections that move to their data.
//!
//! A client sends a number as a line, `42\n`, and gets the Fibonacci number as a line. Every number belongs to one
//! shard, by its hash, and only that shard computes and keeps it. A request that arrives elsewhere reaches its shard in
//! one of three ways ([`Routing`]): the whole connection *migrates* there, the request *hops* there and back, or the
//! server decides from what the connection has asked for lately.
//!
//! What each file shows of the framework:
//!
//! - `shard`: a [`Service`](corelane::Service): one shard's state, synchronous
//! - `session`: a connection's life: lines in, replies out in their order, backpressure by waiting
//! - `moving`: a live connection handed to another shard with its session, and what happens where that is refused
//! - `policy`: when moving pays: pure, so that it can be tested by itself
//! - `server`: the same on threads and in a simulated world
//! - `client`: the load, its latencies, and a check of every reply

#![forbid(unsafe_code)]

pub mod client;
mod fibonacci;
mod moving;
mod permits;
mod policy;
mod refuse;
mod server;
mod session;
mod shard;
mod stats;

pub use fibonacci::{BadNumber, NUMBER_MAX, fibonacci, parse_number};
pub use policy::{History, Routing, Way};
pub use server::{ServeOptions, Started, serve, simulate};
pub use shard::{FibShard, Reply, Request};
pub use stats::Stats;
