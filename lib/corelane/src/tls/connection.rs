//! A live TLS connection as a value, between two shards.

use std::io;

use super::live::State;
use crate::net::{self, Addr, Peer};

/// A live TLS connection that belongs to no runtime: made by [`TlsStream::detach`](super::TlsStream::detach), and taken
/// up by [`TlsStream::attach`](super::TlsStream::attach) on any thread's. It carries the socket with all that a
/// [`net::Connection`] carries, the keys and the handshake as far as it has come, and plaintext that nobody has read.
///
/// Dropping it closes the connection without a word; the rest of a send is thrown away then.
pub struct Connection {
    socket: net::Connection,
    state: Box<State>,
}

impl Connection {
    pub(super) fn new(socket: net::Connection, state: Box<State>) -> Self {
        Self { socket, state }
    }

    pub(super) fn into_parts(self) -> (net::Connection, Box<State>) {
        (self.socket, self.state)
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        self.socket.peer()
    }

    /// This end.
    ///
    /// # Errors
    /// What the system answers when it is asked.
    pub fn local_addr(&self) -> io::Result<Addr> {
        self.socket.local_addr()
    }

    /// Plaintext that nobody has read: the first `recv` after [`TlsStream::attach`](super::TlsStream::attach) returns
    /// it. More may have come, and not be decrypted.
    #[must_use]
    pub fn unread(&self) -> &[u8] {
        &self.state.session.plain
    }

    /// Puts plaintext before what is unread: what a parser had taken and not used.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        self.state.session.put_back(bytes);
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("socket", &self.socket)
            .field("unread_bytes", &self.unread().len())
            .finish_non_exhaustive()
    }
}
