//! A TLS connection in the shape of a [`Stream`].

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use super::agreed::Agreed;
use super::connection::Connection;
use super::failure::Failure;
use super::live::Live;
use super::session::Session;
use crate::net::{Addr, Chunk, Peer, Stream};

/// A TLS connection, used as a [`Stream`] is: operations live in it and not in the futures that wait for them, and it
/// moves to other shards as a value ([`TlsStream::detach`]). Made by [`Acceptor::accept`](super::Acceptor::accept) and
/// [`Connector::connect`](super::Connector::connect).
///
/// The handshake goes on in whatever is waited for. [`TlsStream::handshake`] waits for it alone, and bounds its time:
/// nothing else does.
///
/// What fails gives a [`Failure`] within its [`io::Error`]. A stream that ends without the peer's `close_notify` is such
/// a failure ([`Failure::Truncated`]): whoever sits between the two ends could have cut it.
///
/// Dropping the stream says `close_notify` and closes it. A send that was started is carried to its end first, for at
/// most ten seconds; [`TlsStream::abort`] does not wait.
pub struct TlsStream {
    /// There until `detach`, `abort` or drop takes it.
    live: Option<Live>,
}

impl TlsStream {
    pub(super) fn new(stream: Stream, session: Session, handshake_limit: Duration) -> Self {
        Self::from(Live::new(stream, session, handshake_limit))
    }

    fn from(live: Live) -> Self {
        Self { live: Some(live) }
    }

    fn live(&self) -> &Live {
        self.live.as_ref().expect(TAKEN)
    }

    fn live_mut(&mut self) -> &mut Live {
        self.live.as_mut().expect(TAKEN)
    }

    /// Waits until both ends have agreed, for as long as the options allow from the moment at which the stream was made.
    /// Plaintext that came with the last of it is not lost: `recv` returns it. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Why there is no TLS connection. The peer has been told as far as TLS has words for it.
    pub async fn handshake(&mut self) -> Result<(), Failure> {
        self.handshake_held(|_| {}).await
    }

    /// As [`TlsStream::handshake`], and tells `held` after each step what [`TlsStream::undecrypted_bytes`] are.
    ///
    /// # Errors
    /// As [`TlsStream::handshake`].
    pub async fn handshake_held(&mut self, held: impl FnMut(usize)) -> Result<(), Failure> {
        self.live_mut().handshake(held).await
    }

    /// Memory in bytes that what was received and is no whole message or record yet takes here. Bounded: of a client's
    /// at most 32 KiB are kept, in the handshake and after it, which a buffer that grows may take twice.
    #[must_use]
    pub fn undecrypted_bytes(&self) -> usize {
        self.live().state.session.undecrypted_bytes()
    }

    /// Whether both ends have yet to agree.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        self.live().state.session.is_handshaking()
    }

    /// What both ends have agreed on; as far as that, during the handshake.
    #[must_use]
    pub fn agreed(&self) -> Agreed<'_> {
        Agreed::of(&self.live().state.session)
    }

    /// The next plaintext, as it arrives; empty at the end of the stream.
    ///
    /// # Errors
    /// What the system says, and a [`Failure`]; the stream is at its end then.
    pub async fn recv(&mut self) -> io::Result<Chunk> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`TlsStream::recv`], for code that waits for several things at once.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        self.live_mut().poll_recv(cx)
    }

    /// Starts sending the whole of `buffer`, encrypted; before the end of the handshake, then. Its records leave in one
    /// send. It needs attention as [`Stream::start_send`] does, and where the handshake or a send of the protocol's own
    /// is under way: then it goes on while somebody waits in `recv` or `sent`.
    ///
    /// # Panics
    ///
    /// If a send is in flight: one at a time, and its result is taken by `sent` or `try_sent`.
    pub fn start_send(&mut self, buffer: Vec<u8>) {
        self.live_mut().start_send(buffer);
    }

    /// Whether a send was started and its result not taken.
    #[must_use]
    pub fn send_in_flight(&self) -> bool {
        self.live().send_in_flight()
    }

    /// The result of the send, if it has ended: its buffer, emptied, to be used again. `None` while it is in flight and
    /// where none was started.
    pub fn try_sent(&mut self) -> Option<io::Result<Vec<u8>>> {
        self.live_mut().try_sent()
    }

    /// Waits for the end of the send and returns its buffer, emptied, to be used again. Without a send in flight it
    /// returns an empty buffer at once.
    ///
    /// # Errors
    /// What the system says, and a [`Failure`] of the handshake that it waited for.
    pub async fn sent(&mut self) -> io::Result<Vec<u8>> {
        std::future::poll_fn(|cx| self.poll_sent(cx)).await
    }

    /// As [`TlsStream::sent`], for code that waits for several things at once.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        self.live_mut().poll_sent(cx)
    }

    /// Sends the whole of `buffer` and returns it, emptied. A send in flight is waited for first.
    ///
    /// # Errors
    /// As [`TlsStream::sent`].
    pub async fn send_all(&mut self, buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        self.sent().await?;
        self.start_send(buffer);
        self.sent().await
    }

    /// Says `close_notify` behind what was sent, and ends the writing side when that is sent: the other end sees the
    /// stream's end. A send that waits for the end of the handshake is thrown away.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        self.live_mut().shutdown_write()
    }

    /// Says `close_notify`, waits until all is sent, and ends the writing side.
    ///
    /// # Errors
    /// What the system says.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        let live = self.live_mut();
        live.shutdown_write()?;
        std::future::poll_fn(|cx| live.poll_flushed(cx)).await
    }

    /// As [`Stream::set_nodelay`].
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.live().stream.set_nodelay(on)
    }

    /// As [`Stream::set_keepalive`].
    ///
    /// # Errors
    /// What the system says.
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        self.live().stream.set_keepalive(idle)
    }

    /// Puts plaintext back, to be received again before all other: what a parser had taken and not used.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        self.live_mut().state.session.put_back(bytes);
    }

    /// Takes the connection off its shard, as a value that [`TlsStream::attach`] takes up on any other, at any moment,
    /// during the handshake too. Nothing is lost: the keys, what was received and not decrypted, what was decrypted and
    /// not read, and the rest of sends go along.
    ///
    /// It takes a turn of the loop, does not wait for the peer, and cannot fail. Dropping the future closes the
    /// connection; who may have to give up waits for [`TlsStream::quiet`] first.
    pub async fn detach(mut self) -> Connection {
        self.quiet().await;
        let live = self.live.take().expect(TAKEN);
        Connection::new(live.stream.detach().await, live.state)
    }

    /// As [`Stream::quiet`].
    pub async fn quiet(&mut self) {
        self.live_mut().stream.quiet().await;
    }

    /// Takes up a connection on this thread's runtime, wherever it comes from: unread plaintext first, then what
    /// arrives; a send that was in flight goes on and is in flight here.
    ///
    /// # Errors
    ///
    /// As [`Stream::attach`].
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn attach(connection: Connection) -> io::Result<Self> {
        let (connection, state) = connection.into_parts();
        let stream = Stream::attach(connection)?;
        Ok(Self::from(Live { stream, state }))
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        self.live().stream.peer()
    }

    /// This end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<Addr> {
        self.live().stream.local_addr()
    }

    /// Closes at once: what is unsent is thrown away, nothing is said, and TCP resets the connection.
    pub fn abort(mut self) {
        self.live.take().expect(TAKEN).stream.abort();
    }
}

const TAKEN: &str = "whoever takes a stream's life consumes it";

impl Drop for TlsStream {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            live.farewell();
        }
    }
}

impl std::fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsStream")
            .field("peer", self.peer())
            .field("handshaking", &self.is_handshaking())
            .finish()
    }
}
