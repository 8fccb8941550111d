//! A UDP socket on the real backend: readiness from the ring (or from polling), then the system call. A completion
//! that came with a dropped future would lose its datagram; readiness loses nothing.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;

use compio_driver::SharedFd;
use compio_driver::op::{Interest, PollOnce};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Socket, Type};

use super::driver::RealDriver;
use super::op::OpFuture;
use crate::net::{Datagram, UdpOptions};

pub(crate) struct RealUdp {
    driver: Rc<RealDriver>,
    fd: SharedFd<Socket>,
}

impl RealUdp {
    pub(crate) fn bind(
        driver: &Rc<RealDriver>,
        addr: SocketAddr,
        options: &UdpOptions,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, None)?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_port(options.reuse_port)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        Ok(RealUdp {
            driver: driver.clone(),
            fd: SharedFd::new(socket),
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        let addr = self.fd.local_addr()?;
        addr.as_socket()
            .ok_or_else(|| io::Error::other("a UDP socket without an IP address"))
    }

    pub(crate) fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.fd.connect(&peer.into())
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(crate) async fn send(&self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        loop {
            let sent = match &to {
                Some(to) => rustix::net::sendto(&self.fd, bytes, SendFlags::NOSIGNAL, to),
                None => rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL),
            };
            match sent {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.ready(Interest::Writable).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) async fn recv(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        loop {
            // TRUNC has the system name the datagram's whole length.
            match rustix::net::recvfrom(&self.fd, &mut *buffer, RecvFlags::TRUNC) {
                Ok((filled, len, from)) => return datagram(filled, len, from),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.ready(Interest::Readable).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        let op = PollOnce::new(self.fd.clone(), interest);
        OpFuture::push(&self.driver, op).await.0.map(|_| ())
    }
}

fn datagram(
    filled: usize,
    len: usize,
    from: Option<rustix::net::SocketAddrAny>,
) -> io::Result<Datagram> {
    let from = from
        .and_then(|from| SocketAddr::try_from(from).ok())
        .ok_or_else(|| io::Error::other("a datagram without a sender"))?;
    Ok(Datagram { filled, len, from })
}
