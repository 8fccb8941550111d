//! A connected socket on the real backend: both halves, and what happens to them when it is dropped.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use compio_driver::SharedFd;
use socket2::{Socket, TcpKeepalive};

use super::driver::RealDriver;
use super::recv::{RealChunk, RecvHalf};
use super::send::{SendHalf, SendRest};
use crate::context;
use crate::exec::{Group, spawn_on};
use crate::net::{Addr, LINGER, Peer};
use crate::stats::{Counters, bump};

pub(crate) struct RealStream {
    driver: Rc<RealDriver>,
    fd: SharedFd<Socket>,
    recv: RecvHalf,
    send: SendHalf,
    peer: Peer,
    /// Close the writing side when the send in flight has ended.
    shutdown_due: Cell<bool>,
}

impl RealStream {
    pub(crate) fn new(driver: Rc<RealDriver>, socket: Socket, peer: Peer) -> Self {
        RealStream {
            recv: RecvHalf::new(&driver),
            send: SendHalf::default(),
            fd: SharedFd::new(socket),
            driver,
            peer,
            shutdown_due: Cell::new(false),
        }
    }

    /// Takes up a connection that comes from another shard.
    pub(crate) fn attach(driver: &Rc<RealDriver>, connection: RealConnection) -> io::Result<Self> {
        let nonblocking = !driver.is_uring();
        if connection.nonblocking != nonblocking {
            connection.socket.set_nonblocking(nonblocking)?;
        }
        let mut stream = RealStream::new(driver.clone(), connection.socket, connection.peer);
        if connection.over {
            stream.recv = RecvHalf::over(driver);
        }
        stream.send = SendHalf::resume(driver, &stream.fd, connection.rest);
        stream.shutdown_due.set(connection.shutdown_due);
        Ok(stream)
    }

    /// Ends whatever the kernel does for this stream, keeping the bytes that had come, and the error if there
    /// was one. Afterwards it can leave, or go on here.
    pub(crate) fn poll_quiet(
        &mut self,
        kept: &mut Vec<u8>,
        failed: &mut Option<io::Error>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let recv = self.recv.poll_quiet(&self.driver, kept, cx);
        if let Poll::Ready(Some(error)) = recv {
            *failed = Some(error);
            return self.send.poll_quiet(&self.driver, cx);
        }
        let send = self.send.poll_quiet(&self.driver, cx);
        if recv.is_ready() { send } else { Poll::Pending }
    }

    /// Takes the connection out, after [`RealStream::poll_quiet`].
    pub(crate) async fn detach(mut self) -> RealConnection {
        let rest = std::mem::take(&mut self.send).into_rest();
        let over = self.recv.is_over();
        let peer = self.peer.clone();
        let shutdown_due = self.shutdown_due.get();
        let nonblocking = !self.driver.is_uring();
        let fd = self.fd.clone();
        drop(self);
        let socket = fd
            .take()
            .await
            .expect("only its stream waits for a socket to be let go");
        RealConnection {
            socket,
            nonblocking,
            peer,
            over,
            rest,
            shutdown_due,
        }
    }

    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<RealChunk>>> {
        if self.send.needs_polling() || self.shutdown_due.get() {
            self.send.advance(&self.driver, &self.fd, Some(cx));
            self.shutdown_if_due();
        }
        self.recv.poll(&self.driver, &self.fd, cx)
    }

    pub(crate) fn start_send(&mut self, buffer: Vec<u8>) {
        self.send.start(&self.driver, &self.fd, buffer);
    }

    pub(crate) fn send_in_flight(&self) -> bool {
        self.send.in_flight()
    }

    pub(crate) fn poll_sent(
        &mut self,
        cx: Option<&mut Context<'_>>,
    ) -> Option<io::Result<Vec<u8>>> {
        self.send.advance(&self.driver, &self.fd, cx);
        self.shutdown_if_due();
        self.send.take_result()
    }

    /// Whoever asked for the end of the writing side while a send was in flight may never ask for its result.
    fn shutdown_if_due(&self) {
        if !self.send.is_going() && self.shutdown_due.take() {
            // The peer may be gone already; then there is nothing left to close.
            let _ = self.fd.shutdown(std::net::Shutdown::Write);
        }
    }

    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        if self.send.is_going() {
            self.shutdown_due.set(true);
            return Ok(());
        }
        self.fd.shutdown(std::net::Shutdown::Write)
    }

    pub(crate) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self.peer {
            Peer::Tcp(_) => self.fd.set_tcp_nodelay(on),
            Peer::Unix => Ok(()),
        }
    }

    pub(crate) fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        match (&self.peer, idle) {
            (Peer::Unix, _) => Ok(()),
            (Peer::Tcp(_), None) => self.fd.set_keepalive(false),
            (Peer::Tcp(_), Some(idle)) => {
                let idle = idle.max(Duration::from_secs(1));
                let interval = (idle / 3).max(Duration::from_secs(1));
                let keepalive = TcpKeepalive::new()
                    .with_time(idle)
                    .with_interval(interval)
                    .with_retries(3);
                self.fd.set_tcp_keepalive(&keepalive)
            }
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.driver.counters
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) fn local_addr(&self) -> io::Result<Addr> {
        Addr::of(&self.fd.local_addr()?)
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Throws away what is unsent and resets the connection.
    pub(crate) fn abort(&mut self) {
        self.send.cancel(&self.driver);
        // Refused on sockets that cannot reset (Unix): those just close.
        let _ = self.fd.set_linger(Some(Duration::ZERO));
    }
}

/// A connection on its way between shards.
pub(crate) struct RealConnection {
    socket: Socket,
    nonblocking: bool,
    peer: Peer,
    /// Its reader was told of its end, or will be told of its failure.
    over: bool,
    rest: SendRest,
    shutdown_due: bool,
}

impl RealConnection {
    pub(crate) fn from_socket(socket: Socket) -> io::Result<Self> {
        Ok(RealConnection {
            nonblocking: socket.nonblocking()?,
            peer: Peer::of(&socket.peer_addr()?),
            socket,
            over: false,
            rest: SendRest::None,
            shutdown_due: false,
        })
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) fn local_addr(&self) -> io::Result<Addr> {
        Addr::of(&self.socket.local_addr()?)
    }
}

impl Drop for RealStream {
    fn drop(&mut self) {
        self.recv.cancel(&self.driver);
        let unsent = self.send.in_flight() && self.poll_sent(None).is_none();
        if unsent {
            linger(
                std::mem::take(&mut self.send),
                self.driver.clone(),
                self.fd.clone(),
            );
        }
    }
}

/// Carries a dropped stream's last send to its end, within the linger time, as a task of its own.
fn linger(mut send: SendHalf, driver: Rc<RealDriver>, fd: SharedFd<Socket>) {
    let Some(core) = context::current() else {
        return;
    };
    let guard = Lingering::new(&core);
    let task = async move {
        let _guard = guard;
        let sent = std::future::poll_fn(|cx| match send.poll(&driver, &fd, Some(cx)) {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        });
        if crate::time::timeout(LINGER, sent).await.is_err() {
            bump(&driver.counters.linger_cut);
            send.cancel(&driver);
        }
    };
    drop(spawn_on(&core, Group::Background, task));
}

/// Counts one piece of work that the end of the runtime waits for a while, until dropped.
pub(super) struct Lingering(std::rc::Weak<context::Core>);

impl Lingering {
    pub(super) fn new(core: &Rc<context::Core>) -> Self {
        core.lingering.set(core.lingering.get() + 1);
        Lingering(Rc::downgrade(core))
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(core) = self.0.upgrade() {
            core.lingering.set(core.lingering.get() - 1);
        }
    }
}
