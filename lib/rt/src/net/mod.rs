//! Sockets: TCP, Unix, and their simulated twins behind the same types.

mod addr;
mod chunk;
mod connection;
mod listener;
mod stream;

pub use addr::{Addr, Peer};
pub use chunk::Chunk;
pub use connection::Connection;
pub use listener::{ListenOptions, Listener};
pub use stream::Stream;
