//! A listening socket on the real backend. The accept in flight belongs to the listener, not to the future that
//! waits for it, so a connection that arrives while nobody waits is kept for the next who does.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::task::{Context, Poll};

use compio_buf::{BufResult, IntoInner};
use compio_driver::SharedFd;
use compio_driver::op::Accept;
use socket2::{Domain, SockAddr, Socket, Type};

use super::driver::RealDriver;
use super::op::Flight;
use super::stream::RealStream;
use crate::net::{Addr, ListenOptions, Peer};

pub(crate) struct RealListener {
    driver: Rc<RealDriver>,
    fd: SharedFd<Socket>,
    accept: RefCell<Option<Flight<Accept<SharedFd<Socket>>>>>,
    /// The socket file to remove at the end.
    file: Option<PathBuf>,
}

impl RealListener {
    pub(crate) fn bind(
        driver: &Rc<RealDriver>,
        addr: &Addr,
        options: &ListenOptions,
    ) -> io::Result<Self> {
        let socket = match addr {
            Addr::Tcp(addr) => bind_tcp(*addr, options)?,
            Addr::Unix(path) => bind_unix(path)?,
        };
        // io_uring waits inside the kernel, and would not on a non-blocking socket.
        socket.set_nonblocking(!driver.is_uring())?;
        socket.listen(options.backlog)?;
        Ok(RealListener {
            driver: driver.clone(),
            fd: SharedFd::new(socket),
            accept: RefCell::new(None),
            file: match addr {
                Addr::Unix(path) => Some(path.clone()),
                Addr::Tcp(_) => None,
            },
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<Addr> {
        Addr::of(&self.fd.local_addr()?)
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<RealStream>> {
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
            Ok(BufResult(Err(error), _)) => Poll::Ready(Err(error)),
            Ok(BufResult(Ok(_), op)) => {
                let (socket, addr) = op.into_inner();
                let peer = Peer::of(&addr);
                Poll::Ready(Ok(RealStream::new(self.driver.clone(), socket, peer)))
            }
        }
    }
}

impl Drop for RealListener {
    fn drop(&mut self) {
        if let Some(flight) = self.accept.borrow_mut().take() {
            flight.cancel(&self.driver);
        }
        if let Some(file) = &self.file {
            // Somebody else may have removed it; either way it is gone.
            let _ = std::fs::remove_file(file);
        }
    }
}

fn bind_tcp(addr: std::net::SocketAddr, options: &ListenOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(options.reuse_port)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// A socket file that nobody answers on is a dead process's: it is replaced.
fn bind_unix(path: &std::path::Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let addr = SockAddr::unix(path)?;
    match socket.bind(&addr) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_dead_socket(path) => {
            std::fs::remove_file(path)?;
            socket.bind(&addr)?;
        }
        bound => bound?,
    }
    Ok(socket)
}

fn is_dead_socket(path: &std::path::Path) -> bool {
    std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
