//! A connection that may be encrypted or not.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use super::connection::Connection;
use super::failure::Failure;
use super::stream::TlsStream;
use crate::net::{self, Addr, Chunk, Peer, Stream};

/// A connection, plain or TLS: for code that is written once for both. Its methods are those of [`Stream`], and
/// [`TlsStream`] says what TLS adds to them.
#[derive(Debug)]
pub enum Transport {
    /// As the socket has it.
    Plain(Stream),
    /// Encrypted.
    Tls(TlsStream),
}

/// A live [`Transport`] as a value, between two shards.
#[derive(Debug)]
pub enum TransportConnection {
    /// As the socket has it.
    Plain(net::Connection),
    /// Encrypted, with its keys.
    Tls(Connection),
}

/// The same on either.
macro_rules! either {
    ($self:expr, $stream:ident => $do:expr) => {
        match $self {
            Transport::Plain($stream) => $do,
            Transport::Tls($stream) => $do,
        }
    };
}

impl Transport {
    /// Waits for the end of the handshake, within its time; at once where there is none.
    ///
    /// # Errors
    /// As [`TlsStream::handshake`].
    pub async fn handshake(&mut self) -> Result<(), Failure> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.handshake().await,
        }
    }

    /// The TLS end, where it is one.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsStream> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => Some(stream),
        }
    }

    /// As [`TlsStream::undecrypted_bytes`]; 0 where nothing is encrypted.
    #[inline]
    #[must_use]
    pub fn undecrypted_bytes(&self) -> usize {
        self.tls().map_or(0, TlsStream::undecrypted_bytes)
    }

    /// As [`Stream::recv`].
    ///
    /// # Errors
    /// As [`Stream::recv`] and [`TlsStream::recv`].
    pub async fn recv(&mut self) -> io::Result<Chunk> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`Stream::poll_recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        either!(self, stream => stream.poll_recv(cx))
    }

    /// As [`Stream::start_send`].
    ///
    /// # Panics
    ///
    /// If a send is in flight.
    pub fn start_send(&mut self, buffer: Vec<u8>) {
        either!(self, stream => stream.start_send(buffer));
    }

    /// As [`Stream::send_in_flight`].
    #[must_use]
    pub fn send_in_flight(&self) -> bool {
        either!(self, stream => stream.send_in_flight())
    }

    /// As [`Stream::try_sent`].
    pub fn try_sent(&mut self) -> Option<io::Result<Vec<u8>>> {
        either!(self, stream => stream.try_sent())
    }

    /// As [`Stream::sent`].
    ///
    /// # Errors
    /// As [`Stream::sent`] and [`TlsStream::sent`].
    pub async fn sent(&mut self) -> io::Result<Vec<u8>> {
        std::future::poll_fn(|cx| self.poll_sent(cx)).await
    }

    /// As [`Stream::poll_sent`].
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        either!(self, stream => stream.poll_sent(cx))
    }

    /// As [`Stream::send_all`].
    ///
    /// # Errors
    /// As [`Stream::sent`] and [`TlsStream::sent`].
    pub async fn send_all(&mut self, buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        either!(self, stream => stream.send_all(buffer).await)
    }

    /// As [`Stream::shutdown_write`] and [`TlsStream::shutdown_write`].
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        either!(self, stream => stream.shutdown_write())
    }

    /// As [`Stream::set_nodelay`].
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        either!(self, stream => stream.set_nodelay(on))
    }

    /// As [`Stream::set_keepalive`].
    ///
    /// # Errors
    /// What the system says.
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        either!(self, stream => stream.set_keepalive(idle))
    }

    /// As [`Stream::put_back`].
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        either!(self, stream => stream.put_back(bytes));
    }

    /// As [`Stream::detach`].
    pub async fn detach(self) -> TransportConnection {
        match self {
            Self::Plain(stream) => TransportConnection::Plain(stream.detach().await),
            Self::Tls(stream) => TransportConnection::Tls(stream.detach().await),
        }
    }

    /// As [`Stream::quiet`].
    pub async fn quiet(&mut self) {
        either!(self, stream => stream.quiet().await);
    }

    /// As [`Stream::attach`].
    ///
    /// # Errors
    ///
    /// As [`Stream::attach`].
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn attach(connection: TransportConnection) -> io::Result<Self> {
        match connection {
            TransportConnection::Plain(connection) => Stream::attach(connection).map(Self::Plain),
            TransportConnection::Tls(connection) => TlsStream::attach(connection).map(Self::Tls),
        }
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        either!(self, stream => stream.peer())
    }

    /// This end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<Addr> {
        either!(self, stream => stream.local_addr())
    }

    /// As [`Stream::abort`].
    pub fn abort(self) {
        either!(self, stream => stream.abort());
    }
}

impl TransportConnection {
    /// The other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        match self {
            Self::Plain(connection) => connection.peer(),
            Self::Tls(connection) => connection.peer(),
        }
    }

    /// This end.
    ///
    /// # Errors
    /// What the system answers when it is asked.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match self {
            Self::Plain(connection) => connection.local_addr(),
            Self::Tls(connection) => connection.local_addr(),
        }
    }

    /// Bytes that nobody has read: the first `recv` after [`Transport::attach`] returns them.
    #[must_use]
    pub fn unread(&self) -> &[u8] {
        match self {
            Self::Plain(connection) => connection.unread(),
            Self::Tls(connection) => connection.unread(),
        }
    }

    /// Puts bytes before those unread: what a parser had taken and not used.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        match self {
            Self::Plain(connection) => connection.put_back(bytes),
            Self::Tls(connection) => connection.put_back(bytes),
        }
    }
}

impl From<Stream> for Transport {
    fn from(stream: Stream) -> Self {
        Self::Plain(stream)
    }
}

impl From<TlsStream> for Transport {
    fn from(stream: TlsStream) -> Self {
        Self::Tls(stream)
    }
}
