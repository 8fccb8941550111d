//! Connecting on the real backend.

use std::io;
use std::rc::Rc;

use compio_buf::BufResult;
use compio_driver::SharedFd;
use compio_driver::op::Connect;
use socket2::{Domain, SockAddr, Socket, Type};

use super::driver::RealDriver;
use super::op::OpFuture;
use super::stream::RealStream;
use crate::net::{Addr, Peer};

pub(crate) async fn connect(driver: &Rc<RealDriver>, addr: &Addr) -> io::Result<RealStream> {
    let (domain, address, peer) = match addr {
        Addr::Tcp(addr) => (
            Domain::for_address(*addr),
            SockAddr::from(*addr),
            Peer::Tcp(*addr),
        ),
        Addr::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?, Peer::Unix),
    };
    let socket = Socket::new(domain, Type::STREAM, None)?;
    // io_uring waits inside the kernel, and would not on a non-blocking socket.
    socket.set_nonblocking(!driver.is_uring())?;
    let fd = SharedFd::new(socket);
    let BufResult(result, op) = OpFuture::push(driver, Connect::new(fd.clone(), address)).await;
    drop(op);
    result?;
    match fd.try_unwrap() {
        Ok(socket) => Ok(RealStream::new(driver.clone(), socket, peer)),
        Err(_) => Err(io::Error::other(
            "a connect that has ended still holds its socket",
        )),
    }
}
