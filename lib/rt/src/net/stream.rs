//! A connection: TCP, Unix or simulated, one type.

use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;
use std::task::{Context, Poll};
use std::time::Duration;

use super::addr::{Addr, Peer};
use super::chunk::Chunk;
use crate::context::{self, Driver};
use crate::real::{self, RealStream};
use crate::sim::{self, SimStream};

/// A connection. Operations live in it and not in the futures that wait for them, so dropping a future loses
/// neither bytes received nor bytes being sent.
///
/// Dropping the stream closes it. A send that was started is carried to its end first, for at most ten
/// seconds; [`Stream::abort`] does not wait.
pub struct Stream(Kind);

enum Kind {
    Real(RealStream),
    Sim(SimStream),
}

impl Stream {
    pub(crate) fn real(stream: RealStream) -> Self {
        Stream(Kind::Real(stream))
    }

    pub(crate) fn sim(stream: SimStream) -> Self {
        Stream(Kind::Sim(stream))
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
        match &mut self.0 {
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
        match &mut self.0 {
            Kind::Real(stream) => stream.start_send(buffer),
            Kind::Sim(stream) => stream.start_send(buffer),
        }
    }

    /// Whether a send was started and its result not taken.
    pub fn send_in_flight(&self) -> bool {
        match &self.0 {
            Kind::Real(stream) => stream.send_in_flight(),
            Kind::Sim(stream) => stream.send_in_flight(),
        }
    }

    /// The result of the send, if it has ended: its buffer, emptied, to be used again. `None` while it is in
    /// flight and where none was started.
    pub fn try_sent(&mut self) -> Option<io::Result<Vec<u8>>> {
        match &mut self.0 {
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
        let sent = match &mut self.0 {
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
        match &self.0 {
            Kind::Real(stream) => stream.shutdown_write(),
            Kind::Sim(stream) => {
                stream.shutdown_write();
                Ok(())
            }
        }
    }

    /// Whether small sends go out at once (TCP_NODELAY). No effect on Unix sockets.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match &self.0 {
            Kind::Real(stream) => stream.set_nodelay(on),
            Kind::Sim(_) => Ok(()),
        }
    }

    /// Probes a silent TCP peer after `idle`, then thrice in thirds of it; `None` turns probing off.
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        match &self.0 {
            Kind::Real(stream) => stream.set_keepalive(idle),
            Kind::Sim(_) => Ok(()),
        }
    }

    /// The other end.
    pub fn peer(&self) -> &Peer {
        match &self.0 {
            Kind::Real(stream) => stream.peer(),
            Kind::Sim(stream) => stream.peer(),
        }
    }

    /// This end.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match &self.0 {
            Kind::Real(stream) => stream.local_addr(),
            Kind::Sim(stream) => Ok(stream.local_addr()),
        }
    }

    /// The descriptor, where there is a real one.
    pub fn as_raw_fd(&self) -> Option<RawFd> {
        match &self.0 {
            Kind::Real(stream) => Some(stream.raw_fd()),
            Kind::Sim(_) => None,
        }
    }

    /// Closes at once: what is unsent is thrown away, and TCP resets the connection.
    pub fn abort(mut self) {
        match &mut self.0 {
            Kind::Real(stream) => stream.abort(),
            Kind::Sim(stream) => stream.abort(),
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("peer", self.peer()).finish()
    }
}
