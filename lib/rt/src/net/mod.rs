//! Sockets: TCP, Unix, and their simulated twins behind the same types.

mod addr;
mod chunk;
mod listener;
mod stream;

pub use addr::{Addr, Peer};
pub use chunk::Chunk;
pub use listener::{ListenOptions, Listener};
pub use stream::Stream;
