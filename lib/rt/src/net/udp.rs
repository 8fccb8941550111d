//! Datagrams.

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use crate::context::{self, Driver};
use crate::real::RealUdp;
use crate::sim::SimUdp;

/// The most bytes that UDP carries in one datagram over IPv4 (RFC 768 and 791: 65,535 less both headers).
pub const DATAGRAM_BYTES_MAX: usize = 65_507;

/// How to open a [`UdpSocket`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdpOptions {
    /// Several sockets (one per shard) share one address. The kernel chooses by source and destination, so that a
    /// peer's datagrams all reach the same one.
    pub reuse_port: bool,
}

/// A UDP socket: datagrams that may be lost, doubled and reordered by the network, but never cut or joined. Any
/// number of tasks may wait in it; dropping a future that waits loses nothing.
pub struct UdpSocket(Kind);

enum Kind {
    Real(RealUdp),
    Sim(SimUdp),
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Bytes of it that lie in the buffer.
    pub filled: usize,
    /// Bytes that it had. Where there are more than `filled`, the buffer was too small and the rest is gone.
    pub len: usize,
    /// Who sent it.
    pub from: SocketAddr,
}

impl Datagram {
    /// Whether its end is missing, for want of room in the buffer.
    pub fn is_cut(&self) -> bool {
        self.len > self.filled
    }
}

impl UdpSocket {
    /// Opens a socket at `addr`; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// Where the address is taken, or not this machine's.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn bind(addr: SocketAddr, options: &UdpOptions) -> io::Result<Self> {
        context::with(|core| match &core.driver {
            Driver::Real(driver) => RealUdp::bind(driver, addr, options).map(Kind::Real),
            Driver::Sim(port) => SimUdp::bind(&port.world, addr, options).map(Kind::Sim),
        })
        .map(UdpSocket)
    }

    /// Where it is, with the port that was picked.
    ///
    /// # Errors
    ///
    /// What the system answers when it is asked.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Kind::Real(socket) => socket.local_addr(),
            Kind::Sim(socket) => Ok(socket.local_addr()),
        }
    }

    /// From now on, [`UdpSocket::send`] goes to `peer`, and only its datagrams are received.
    ///
    /// # Errors
    ///
    /// Where there is no way to `peer`.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        match &self.0 {
            Kind::Real(socket) => socket.connect(peer),
            Kind::Sim(socket) => {
                socket.connect(peer);
                Ok(())
            }
        }
    }

    /// Sends one datagram to `to`, waiting for room in the system's buffer. That it is sent does not say that it
    /// arrives.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than [`DATAGRAM_BYTES_MAX`] bytes; else the system's.
    pub async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.send_datagram(bytes, Some(to)).await
    }

    /// Sends one datagram to the peer that was named by [`UdpSocket::connect`].
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::send_to`]; `NotConnected` (or the system's like) without a peer; `ConnectionRefused` where
    /// the machine at the other end has said that nobody listens.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.send_datagram(bytes, None).await
    }

    async fn send_datagram(&self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        if bytes.len() > DATAGRAM_BYTES_MAX {
            let text = format!(
                "a datagram of {} bytes: UDP carries at most {DATAGRAM_BYTES_MAX}, so send it in parts",
                bytes.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        match &self.0 {
            Kind::Real(socket) => socket.send(bytes, to).await,
            Kind::Sim(socket) => socket.send(bytes, to),
        }
    }

    /// The next datagram, into `buffer`; what does not fit is thrown away, and [`Datagram::is_cut`] tells.
    ///
    /// # Errors
    ///
    /// On a connected socket `ConnectionRefused`, where the machine at the other end has said that nobody listens.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        match &self.0 {
            Kind::Real(socket) => socket.recv(buffer).await,
            Kind::Sim(socket) => socket.recv(buffer).await,
        }
    }

    /// The descriptor, where there is a real one.
    pub fn as_raw_fd(&self) -> Option<RawFd> {
        match &self.0 {
            Kind::Real(socket) => Some(socket.raw_fd()),
            Kind::Sim(_) => None,
        }
    }
}

impl std::fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local", &self.local_addr().ok())
            .finish()
    }
}
