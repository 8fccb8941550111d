//! Chat rooms over TCP lines, on a node that grows and shrinks while its clients talk.
//!
//! A **room** lives on the shard that owns its partition and numbers its messages. A **session** is a client's
//! connection, on any shard; it knows the number of the last message that its client has seen and reads on from
//! there. The room sends no message to anybody: it tells the shards that have readers that there is something new,
//! and sessions fetch it. So what a client sees has no gap and no double, whatever moves meanwhile:
//!
//! - a room moves with its partition ([`Handoff`](corelane::Handoff)), whole; calls to it are held until it has moved
//! - a session moves when its shard goes to sleep: its connection travels as a value, with all that was read and not
//!   yet understood, to the shard where its room is
//!
//! News that is lost on the way (a control lane is full, a room has moved) costs time and no message: sessions also
//! look once a second.
//!
//! - [`room`]: a room, pure
//! - [`state`]: a shard's rooms and what can be asked of them
//! - [`session`]: a client, from its first line to its last
//! - [`command`]: what a line means
//! - [`node`]: the node put together
#![forbid(unsafe_code)]

pub mod command;
pub mod node;
pub mod room;
pub mod session;
pub mod state;
