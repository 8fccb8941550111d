//! A connection: TCP, Unix or simulated, one type.

use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;
use std::task::{Context, Poll};
use std::time::Duration;

use super::addr::{Addr, Peer};
use super::chunk::Chunk;
use super::connection::{self, Connection, Kept};
use crate::context::{self, Driver};
use crate::real::{self, RealStream};
use crate::sim::{self, SimStream};
use crate::stats::bump;

/// How long the unsent bytes of a dropped stream may take before it is cut off.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// A connection. Operations live in it and not in the futures that wait for them, so dropping a future loses
/// neither bytes received nor bytes being sent.
///
/// Dropping the stream closes it. A send that was started is carried to its end first, for at most ten
/// seconds; [`Stream::abort`] does not wait.
pub struct Stream {
    kind: Kind,
    /// What `recv` returns before anything new; none on a connection that never left its shard.
    kept: Option<Box<Kept>>,
}

enum Kind {
    Real(RealStream),
    Sim(SimStream),
}

impl Stream {
    pub(crate) fn real(stream: RealStream) -> Self {
        Stream::new(Kind::Real(stream))
    }

    pub(crate) fn sim(stream: SimStream) -> Self {
        Stream::new(Kind::Sim(stream))
    }

    fn new(kind: Kind) -> Self {
        Stream { kind, kept: None }
    }

    /// Connects to `addr`.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub async fn connect(addr: &Addr) -> io::Result<Stream> {
        let core = context::with(|core| core.clone());
        match &core.driver {
            Driver::Real(driver) => real::connect(driver, addr).await.map(Stream::real),
            Driver::Sim(port) => sim::connect(&port.world, addr).await.map(Stream::sim),
        }
    }

    /// The next bytes, as they arrive; empty at the end of the stream. After an error, too, the stream is at
    /// its end. The first call arms a receive that stays armed: bytes are taken from the system as they
    /// come, up to a bound, whether or not somebody waits.
    pub async fn recv(&mut self) -> io::Result<Chunk> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`Stream::recv`], for code that waits for several things at once.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        if let Some(mut kept) = self.kept.take()
            && !kept.is_empty()
        {
            let first = kept.take();
            self.kept = (!kept.is_empty()).then_some(kept);
            return Poll::Ready(first.map(Chunk::kept));
        }
        match &mut self.kind {
            Kind::Real(stream) => stream.poll_recv(cx).map_ok(Chunk::real),
            Kind::Sim(stream) => stream.poll_recv(cx).map_ok(Chunk::sim),
        }
    }

    /// Starts sending the whole of `buffer`. It needs no more attention on io_uring and in the simulator; on
    /// polling it goes on while somebody waits in `recv` or `sent`.
    ///
    /// # Panics
    ///
    /// If a send is in flight: one at a time, and its result is taken by `sent` or `try_sent`.
    pub fn start_send(&mut self, buffer: Vec<u8>) {
        match &mut self.kind {
            Kind::Real(stream) => stream.start_send(buffer),
            Kind::Sim(stream) => stream.start_send(buffer),
        }
    }

    /// Whether a send was started and its result not taken.
    pub fn send_in_flight(&self) -> bool {
        match &self.kind {
            Kind::Real(stream) => stream.send_in_flight(),
            Kind::Sim(stream) => stream.send_in_flight(),
        }
    }

    /// The result of the send, if it has ended: its buffer, emptied, to be used again. `None` while it is in
    /// flight and where none was started.
    pub fn try_sent(&mut self) -> Option<io::Result<Vec<u8>>> {
        match &mut self.kind {
            Kind::Real(stream) => stream.poll_sent(None),
            Kind::Sim(stream) => stream.poll_sent(None),
        }
    }

    /// Waits for the end of the send and returns its buffer, emptied, to be used again. Without a send in
    /// flight it returns an empty buffer at once.
    pub async fn sent(&mut self) -> io::Result<Vec<u8>> {
        poll_fn(|cx| self.poll_sent(cx)).await
    }

    /// As [`Stream::sent`], for code that waits for several things at once.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        if !self.send_in_flight() {
            return Poll::Ready(Ok(Vec::new()));
        }
        let sent = match &mut self.kind {
            Kind::Real(stream) => stream.poll_sent(Some(cx)),
            Kind::Sim(stream) => stream.poll_sent(Some(cx)),
        };
        sent.map_or(Poll::Pending, Poll::Ready)
    }

    /// Sends the whole of `buffer` and returns it, emptied. A send in flight is waited for first.
    pub async fn send_all(&mut self, buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        self.sent().await?;
        self.start_send(buffer);
        self.sent().await
    }

    /// Ends the writing side once the send in flight, if any, has ended: the other end sees the stream's end.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match &self.kind {
            Kind::Real(stream) => stream.shutdown_write(),
            Kind::Sim(stream) => {
                stream.shutdown_write();
                Ok(())
            }
        }
    }

    /// Whether small sends go out at once (TCP_NODELAY). No effect on Unix sockets.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match &self.kind {
            Kind::Real(stream) => stream.set_nodelay(on),
            Kind::Sim(_) => Ok(()),
        }
    }

    /// Probes a silent TCP peer after `idle`, then thrice in thirds of it; `None` turns probing off. While sent bytes
    /// are not acknowledged the system sends them again instead, for as long as it is set to. (`TCP_USER_TIMEOUT`
    /// would end that sooner, and also a peer that answers and does not read.)
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        match &self.kind {
            Kind::Real(stream) => stream.set_keepalive(idle),
            Kind::Sim(_) => Ok(()),
        }
    }

    /// Puts bytes back, to be received again before all others: what a parser had taken and not used.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.kept.get_or_insert_default().put_back(bytes);
        }
    }

    /// Takes the connection off its shard, as a value that [`Stream::attach`] takes up on any other. Nothing is lost:
    /// the armed receive is stopped and waited for, and bytes that come with its end are kept; a send in flight
    /// stops where it is, and its rest goes along, to be sent on and its result taken over there.
    ///
    /// It takes a turn of the loop, does not wait for the peer, and cannot fail. Dropping the future closes the
    /// connection; who may have to give up waits for [`Stream::quiet`] first.
    pub async fn detach(mut self) -> Connection {
        self.quiet().await;
        let kept = self.kept.take().map(|kept| *kept).unwrap_or_default();
        let kind = match self.kind {
            Kind::Real(stream) => {
                bump(&stream.counters().detached);
                connection::Kind::Real(stream.detach().await)
            }
            Kind::Sim(stream) => connection::Kind::Sim(stream.detach()),
        };
        Connection { kept, kind }
    }

    /// Waits until the system does nothing for this connection any more: the receive is not armed, the send in
    /// flight, if any, is stopped. Whether or not the future is dropped, the stream stays as good as before; the
    /// next `recv` and `sent` go on.
    pub async fn quiet(&mut self) {
        let kept = self.kept.get_or_insert_default();
        let Kept { bytes, failed } = &mut **kept;
        match &mut self.kind {
            Kind::Real(stream) => poll_fn(|cx| stream.poll_quiet(bytes, failed, cx)).await,
            Kind::Sim(stream) => stream.quiet(bytes).await,
        }
        self.kept.take_if(|kept| kept.is_empty());
    }

    /// Takes up a connection on this thread's runtime, wherever it comes from: unread bytes first, then what
    /// arrives; a send that was in flight goes on and is in flight here.
    ///
    /// # Errors
    ///
    /// Where a real connection meets a simulated runtime, or a simulated one a runtime that is not of its world;
    /// and what the system answers when it is told how the socket is used here. The connection is closed then.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn attach(connection: Connection) -> io::Result<Stream> {
        let Connection { kept, kind } = connection;
        let kind = context::with(|core| match (&core.driver, kind) {
            (Driver::Real(driver), connection::Kind::Real(connection)) => {
                bump(&core.counters.attached);
                RealStream::attach(driver, connection).map(Kind::Real)
            }
            (Driver::Sim(port), connection::Kind::Sim(connection)) => {
                SimStream::attach(&port.world, connection).map(Kind::Sim)
            }
            (Driver::Real(_), connection::Kind::Sim(_)) => Err(misplaced(
                "a simulated connection cannot be attached to a real runtime",
            )),
            (Driver::Sim(_), connection::Kind::Real(_)) => Err(misplaced(
                "a real connection cannot be attached to a simulated runtime",
            )),
        })?;
        let kept = (!kept.is_empty()).then(|| Box::new(kept));
        Ok(Stream { kind, kept })
    }

    /// The other end.
    pub fn peer(&self) -> &Peer {
        match &self.kind {
            Kind::Real(stream) => stream.peer(),
            Kind::Sim(stream) => stream.peer(),
        }
    }

    /// This end.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match &self.kind {
            Kind::Real(stream) => stream.local_addr(),
            Kind::Sim(stream) => Ok(stream.local_addr()),
        }
    }

    /// The descriptor, where there is a real one.
    pub fn as_raw_fd(&self) -> Option<RawFd> {
        match &self.kind {
            Kind::Real(stream) => Some(stream.raw_fd()),
            Kind::Sim(_) => None,
        }
    }

    /// Closes at once: what is unsent is thrown away, and TCP resets the connection.
    pub fn abort(mut self) {
        match &mut self.kind {
            Kind::Real(stream) => stream.abort(),
            Kind::Sim(stream) => stream.abort(),
        }
    }
}

fn misplaced(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("peer", self.peer()).finish()
    }
}
