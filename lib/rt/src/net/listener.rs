//! Listening for connections.

use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;

use super::addr::{Addr, Peer};
use super::stream::Stream;
use crate::context::{self, Driver};
use crate::real::RealListener;
use crate::sim::SimListener;

/// How to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// Several listeners (one per shard) share one TCP address, and the kernel spreads connections over them.
    pub reuse_port: bool,
    /// Connections that may wait to be accepted; the system has its own limit, too.
    pub backlog: i32,
    /// The mode of a Unix socket's file, set before anybody can connect; `None` leaves it to the process's mask.
    pub unix_mode: Option<u32>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions {
            reuse_port: false,
            backlog: 1024,
            unix_mode: None,
        }
    }
}

/// A listening socket. Dropping it closes it (and removes a Unix socket's file); one of a
/// [`SharedListener`](super::SharedListener) leaves the socket to the others.
pub struct Listener(Kind);

enum Kind {
    Real(Box<RealListener>),
    Sim(SimListener),
}

impl Listener {
    /// Listens on `addr`. A Unix socket file left behind by a dead process is replaced.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn bind(addr: &Addr, options: &ListenOptions) -> io::Result<Self> {
        context::with(|core| match &core.driver {
            Driver::Real(driver) => {
                RealListener::bind(driver, addr, options).map(|made| Kind::Real(Box::new(made)))
            }
            Driver::Sim(port) => SimListener::bind(&port.world, addr, options).map(Kind::Sim),
        })
        .map(Listener)
    }

    pub(super) fn real(listener: RealListener) -> Self {
        Listener(Kind::Real(Box::new(listener)))
    }

    pub(super) fn sim(listener: SimListener) -> Self {
        Listener(Kind::Sim(listener))
    }

    /// Where it listens, with the port that was picked.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match &self.0 {
            Kind::Real(listener) => listener.local_addr(),
            Kind::Sim(listener) => Ok(listener.local_addr()),
        }
    }

    /// The next connection. One task at a time may wait. Dropping the future loses no connection: the next
    /// call returns it.
    ///
    /// Errors are passing (out of descriptors, a connection reset before it was accepted): wait a little
    /// and go on.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        let stream = match &self.0 {
            Kind::Real(listener) => Stream::real(poll_fn(|cx| listener.poll_accept(cx)).await?),
            Kind::Sim(listener) => Stream::sim(poll_fn(|cx| listener.poll_accept(cx)).await?),
        };
        let peer = stream.peer().clone();
        Ok((stream, peer))
    }

    /// Ends the listening. The connections that had come by then and nobody has accepted are returned, so that they
    /// are not reset; those of a [`SharedListener`](super::SharedListener) are left to the other listeners.
    pub async fn close(self) -> Vec<(Stream, Peer)> {
        let streams: Vec<Stream> = match self.0 {
            Kind::Real(listener) => {
                let last = listener.close().await.into_iter();
                last.map(Stream::real).collect()
            }
            Kind::Sim(listener) => listener.close().into_iter().map(Stream::sim).collect(),
        };
        let with_peer = streams.into_iter().map(|stream| {
            let peer = stream.peer().clone();
            (stream, peer)
        });
        with_peer.collect()
    }

    /// The descriptor, where there is a real one.
    pub fn as_raw_fd(&self) -> Option<RawFd> {
        match &self.0 {
            Kind::Real(listener) => Some(listener.raw_fd()),
            Kind::Sim(_) => None,
        }
    }
}
