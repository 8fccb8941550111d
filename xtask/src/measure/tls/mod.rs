//! TLS beside redis-server: processor time per request and per handshake, in one interleaved run.
//!
//! `contest` runs it; `files` makes certificates, `shaker` shakes hands.

mod contest;
mod files;
mod shaker;

pub(super) use contest::{Options, measure};
