//! Sockets: TCP, UDP, Unix, and their simulated twins behind the same types.

mod addr;
mod chunk;
mod connection;
pub mod framing;
mod listener;
mod shared;
mod stream;
mod udp;

pub use addr::{Addr, Peer};
pub use chunk::Chunk;
pub use connection::Connection;
pub use listener::{ListenOptions, Listener};
pub use shared::SharedListener;
pub(crate) use stream::LINGER;
pub use stream::Stream;
pub use udp::{DATAGRAM_BYTES_MAX, Datagram, UdpOptions, UdpSocket};
