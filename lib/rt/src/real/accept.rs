//! A listening socket on the real backend. The accept in flight belongs to the listener, not to the future that
//! waits for it, so a connection that arrives while nobody waits is kept for the next who does.
//!
//! One accept at a time and not a multishot one: of a burst each runtime takes what it gets to, and a listener that
//! goes away has at most one connection to hand on.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::task::{Context, Poll};

use compio_driver::SharedFd;
use compio_driver::op::Accept;
use socket2::Socket;

use super::bind::{self, SocketFile};
use super::driver::RealDriver;
use super::op::Flight;
use super::shared::{AcceptFlight, Membership, accepted, last_accepts};
use super::stream::RealStream;
use crate::net::{Addr, ListenOptions};

pub(crate) struct RealListener {
    driver: Rc<RealDriver>,
    fd: SharedFd<Socket>,
    accept: RefCell<Option<AcceptFlight>>,
    /// Its place among the listeners of a shared socket.
    membership: Option<Membership>,
    /// The socket file to remove at the end, where it is this listener's alone.
    _file: Option<SocketFile>,
}

impl RealListener {
    pub(crate) fn bind(
        driver: &Rc<RealDriver>,
        addr: &Addr,
        options: &ListenOptions,
    ) -> io::Result<Self> {
        let (socket, file) = bind::listen(addr, options)?;
        // io_uring waits inside the kernel, and would not on a non-blocking socket.
        socket.set_nonblocking(!driver.is_uring())?;
        Ok(RealListener {
            driver: driver.clone(),
            fd: SharedFd::new(socket),
            accept: RefCell::new(None),
            membership: None,
            _file: file,
        })
    }

    /// On a duplicate of a shared socket.
    pub(super) fn shared(driver: &Rc<RealDriver>, socket: Socket, membership: Membership) -> Self {
        RealListener {
            driver: driver.clone(),
            fd: SharedFd::new(socket),
            accept: RefCell::new(None),
            membership: Some(membership),
            _file: None,
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<Addr> {
        Addr::of(&self.fd.local_addr()?)
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<RealStream>> {
        let membership = self.membership.as_ref();
        if let Some((socket, peer)) = membership.and_then(|place| place.take_returned(cx)) {
            return Poll::Ready(Ok(RealStream::new(self.driver.clone(), socket, peer)));
        }
        let flight = self
            .accept
            .borrow_mut()
            .take()
            .unwrap_or_else(|| Flight::push(&self.driver, Accept::new(self.fd.clone())));
        match flight.poll(&self.driver, Some(cx)) {
            Err(flight) => {
                *self.accept.borrow_mut() = Some(flight);
                Poll::Pending
            }
            Ok(ended) => Poll::Ready(
                accepted(ended)
                    .map(|(socket, peer)| RealStream::new(self.driver.clone(), socket, peer)),
            ),
        }
    }

    /// What came before the end and nobody has taken; nothing of a shared socket, where it is the others'.
    pub(crate) async fn close(self) -> Vec<RealStream> {
        let mut last = Vec::new();
        if self.membership.is_none() {
            let flight = self.accept.borrow_mut().take();
            last_accepts(&self.driver, &self.fd, flight, |(socket, peer)| {
                last.push(RealStream::new(self.driver.clone(), socket, peer));
                true
            })
            .await;
        }
        last
    }
}

impl Drop for RealListener {
    fn drop(&mut self) {
        let flight = self.accept.borrow_mut().take();
        match (self.membership.take(), flight) {
            (Some(membership), flight) => {
                membership.leave(self.driver.clone(), self.fd.clone(), flight);
            }
            (None, Some(flight)) => flight.cancel(&self.driver),
            (None, None) => {}
        }
    }
}
