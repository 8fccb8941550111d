//! Clients that wander: their connections are sent from shard to shard while pipelines are under way, and every reply
//! is checked, its value and its order.
//!
//! Each client has keys of its own and knows what is in them, so that one lost, doubled or misplaced command shows in
//! the next reply. Frames are cut anywhere; a part of the next pipeline is often there already when the connection
//! moves. Blocking sockets and threads: nothing here is shared with the server but the protocol's codec.
//!
//! `cargo xtask measure migrations` and a black-box test run them.

#![forbid(unsafe_code)]

mod crowd;
mod model;
mod operator;
mod pipeline;
mod report;
mod tls;
mod wanderer;
mod wire;

pub use crowd::{Options, wander};
pub use report::Report;
pub use tls::Credentials;
pub use wire::{Connect, Wire};
