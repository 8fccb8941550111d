//! One shard's data: keyspace, types, expiry, data commands.
//!
//! Pure and synchronous: bytes, time and randomness come in as arguments, replies, effects and
//! touched keys go out as values. Nothing here awaits, reads a clock or does I/O.
//!
//! From the bottom up:
//!
//! - `entry`: one key with its value as one block of memory behind one thin word. The only module
//!   of this crate with unsafe code.
//! - `table`: one slot's keys; grows by segments, so that no insert ever moves more than one of them.
//! - [`keyspace`]: the partitions of a shard, their databases, their slots' tables; the one place
//!   that counts keys and bytes.
//! - [`exec`]: what a command sees while it runs, and what it leaves behind.
//! - [`commands`]: the commands themselves.

#![deny(unsafe_code)]

pub mod commands;
mod entry;
pub mod exec;
pub mod expiry;
pub mod keyspace;
mod table;

pub use commands::COMMANDS;
pub use exec::{
    Command, Continuation, Data, Effect, Effects, Event, Exec, Fold, Limits, Outcome, Split,
    Touched,
};
pub use expiry::{ExpireSlice, expire_slice};
pub use keyspace::{Counts, Detached, Expire, Key, Keyspace, Partition, Prior, Str, Value};
