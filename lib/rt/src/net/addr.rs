//! Where a socket listens, and who is at its other end.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use socket2::SockAddr;

/// An address to listen on or to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Addr {
    /// An IP address and a port; port 0 picks a free one.
    Tcp(SocketAddr),
    /// A socket file.
    Unix(PathBuf),
}

impl Addr {
    pub(crate) fn of(addr: &SockAddr) -> io::Result<Self> {
        if let Some(addr) = addr.as_socket() {
            return Ok(Addr::Tcp(addr));
        }
        match addr.is_unix() {
            true => Ok(Addr::Unix(
                addr.as_pathname().map(PathBuf::from).unwrap_or_default(),
            )),
            false => Err(io::Error::other("a socket of an unknown address family")),
        }
    }
}

impl From<SocketAddr> for Addr {
    fn from(addr: SocketAddr) -> Self {
        Addr::Tcp(addr)
    }
}

impl std::fmt::Display for Addr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Addr::Tcp(addr) => addr.fmt(f),
            Addr::Unix(path) => path.display().fmt(f),
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Its IP address and port.
    Tcp(SocketAddr),
    /// A process of this machine.
    Unix,
}

impl Peer {
    pub(crate) fn of(addr: &SockAddr) -> Self {
        addr.as_socket().map_or(Peer::Unix, Peer::Tcp)
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Tcp(addr) => addr.fmt(f),
            Peer::Unix => f.write_str("unix"),
        }
    }
}
