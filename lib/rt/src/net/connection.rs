//! A live connection as a value, between two shards: it is `Send`, and nothing waits for it.

use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use super::addr::{Addr, Peer};
use crate::real::RealConnection;
use crate::sim::SimConnection;

/// A live connection that belongs to no runtime: made by [`Stream::detach`](super::Stream::detach), and taken up by
/// [`Stream::attach`](super::Stream::attach) on any thread's. Nothing is lost on the way: it carries the bytes that
/// had come and were not read, the rest of a send that had not ended, and whether the stream had ended or failed.
///
/// Dropping it closes the connection; the rest of a send is thrown away then.
pub struct Connection {
    pub(super) kept: Kept,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Real(RealConnection),
    Sim(SimConnection),
}

/// What a reader will be told before anything that comes from the system.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) failed: Option<io::Error>,
}

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.failed.is_none()
    }

    /// The bytes first, then the failure, each once.
    pub(super) fn take(&mut self) -> io::Result<Vec<u8>> {
        if self.bytes.is_empty()
            && let Some(error) = self.failed.take()
        {
            return Err(error);
        }
        Ok(std::mem::take(&mut self.bytes))
    }

    /// Puts bytes before all others.
    pub(super) fn put_back(&mut self, mut bytes: Vec<u8>) {
        bytes.append(&mut self.bytes);
        self.bytes = bytes;
    }
}

impl Connection {
    /// The other end.
    pub fn peer(&self) -> &Peer {
        match &self.kind {
            Kind::Real(connection) => connection.peer(),
            Kind::Sim(connection) => connection.peer(),
        }
    }

    /// This end.
    ///
    /// # Errors
    ///
    /// What the system answers when it is asked.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match &self.kind {
            Kind::Real(connection) => connection.local_addr(),
            Kind::Sim(connection) => Ok(connection.local_addr()),
        }
    }

    /// Bytes that had come and that nobody has read: the first `recv` after
    /// [`Stream::attach`](super::Stream::attach) returns them.
    pub fn unread(&self) -> &[u8] {
        &self.kept.bytes
    }

    /// Puts bytes before those unread: what a parser had taken and not used.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        self.kept.put_back(bytes);
    }
}

impl TryFrom<TcpStream> for Connection {
    type Error = io::Error;

    /// Takes over a connection that other code has made.
    fn try_from(stream: TcpStream) -> io::Result<Self> {
        real(stream.into())
    }
}

impl TryFrom<UnixStream> for Connection {
    type Error = io::Error;

    /// Takes over a connection that other code has made.
    fn try_from(stream: UnixStream) -> io::Result<Self> {
        real(stream.into())
    }
}

fn real(socket: socket2::Socket) -> io::Result<Connection> {
    Ok(Connection {
        kept: Kept::default(),
        kind: Kind::Real(RealConnection::from_socket(socket)?),
    })
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("peer", self.peer())
            .field("unread_bytes", &self.unread().len())
            .finish()
    }
}
