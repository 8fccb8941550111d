//! A listening socket that many runtimes accept on, on the real backend: the descriptor and its duplicates, and what
//! a listener that goes away hands to the others.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use compio_buf::{BufResult, IntoInner};
use compio_driver::SharedFd;
use compio_driver::op::Accept;
use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::Socket;

use super::accept::RealListener;
use super::bind::{self, SocketFile};
use super::driver::RealDriver;
use super::op::Flight;
use super::stream::Lingering;
use crate::context;
use crate::exec::{Group, spawn_on};
use crate::net::{Addr, ListenOptions, Peer};

/// Connections that a listener takes from the queue on its way out. It only has to where the kernel had told it,
/// and nobody else, that something came.
const LAST_ACCEPTS: usize = 64;

pub(super) type AcceptFlight = Flight<Accept<SharedFd<Socket>>>;

#[derive(Clone)]
pub(crate) struct RealShared(Arc<Inner>);

struct Inner {
    addr: Addr,
    state: Mutex<State>,
}

/// Locked for an instant per accepted connection.
struct State {
    open: Option<Open>,
    /// Taken from the queue by listeners that are gone.
    returned: VecDeque<(Socket, Peer)>,
    members: Vec<(u64, Waker)>,
    next_member: u64,
}

struct Open {
    socket: Socket,
    file: Option<Arc<SocketFile>>,
    /// Whether accepting does not wait: one flag for all duplicates, so the first runtime decides for all.
    nonblocking: Option<bool>,
}

impl RealShared {
    pub(crate) fn bind(addr: &Addr, options: &ListenOptions) -> io::Result<Self> {
        let (socket, file) = bind::listen(addr, options)?;
        Ok(RealShared(Arc::new(Inner {
            addr: Addr::of(&socket.local_addr()?)?,
            state: Mutex::new(State {
                open: Some(Open {
                    socket,
                    file: file.map(Arc::new),
                    nonblocking: None,
                }),
                returned: VecDeque::new(),
                members: Vec::new(),
                next_member: 0,
            }),
        })))
    }

    pub(crate) fn local_addr(&self) -> &Addr {
        &self.0.addr
    }

    pub(crate) fn listener(&self, driver: &Rc<RealDriver>) -> io::Result<RealListener> {
        let mut state = self.state();
        let open = state
            .open
            .as_mut()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the socket was closed"))?;
        let nonblocking = !driver.is_uring();
        match open.nonblocking {
            None => open.socket.set_nonblocking(nonblocking)?,
            Some(set) if set == nonblocking => {}
            Some(_) => {
                let text = "runtimes on io_uring and on polling cannot share a listening socket";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        }
        open.nonblocking = Some(nonblocking);
        let socket = open.socket.try_clone()?;
        let file = open.file.clone();
        let id = state.next_member;
        state.next_member += 1;
        state.members.push((id, Waker::noop().clone()));
        drop(state);
        let membership = Membership {
            shared: self.clone(),
            id,
            _file: file,
        };
        Ok(RealListener::shared(driver, socket, membership))
    }

    pub(crate) fn close(&self) {
        let open = self.state().open.take();
        drop(open);
    }

    /// Gives a connection to whoever listens; all are woken, and the first takes it.
    fn give(&self, connection: (Socket, Peer)) {
        let mut state = self.state();
        if state.members.is_empty() && state.open.is_none() {
            return; // Nobody listens any more, and nobody will: it is closed.
        }
        state.returned.push_back(connection);
        let wakers: Vec<Waker> = state
            .members
            .iter()
            .map(|(_, waker)| waker.clone())
            .collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn has_members(&self) -> bool {
        !self.state().members.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listener's place among those of a socket.
pub(super) struct Membership {
    shared: RealShared,
    id: u64,
    _file: Option<Arc<SocketFile>>,
}

impl Membership {
    /// A connection that another listener left behind; without one, `cx` is woken when there is.
    pub(super) fn take_returned(&self, cx: &Context<'_>) -> Option<(Socket, Peer)> {
        let mut state = self.shared.state();
        let returned = state.returned.pop_front();
        if returned.is_none()
            && let Some((_, waker)) = state.members.iter_mut().find(|(id, _)| *id == self.id)
        {
            waker.clone_from(cx.waker());
        }
        returned
    }

    /// Ends the accept in flight, and hands on what it has brought. What the socket's file and descriptor hang on
    /// stays until that is done.
    pub(super) fn leave(
        self,
        driver: Rc<RealDriver>,
        fd: SharedFd<Socket>,
        flight: Option<AcceptFlight>,
    ) {
        let mut state = self.shared.state();
        state.members.retain(|(id, _)| *id != self.id);
        if state.members.is_empty() && state.open.is_none() {
            // The last one: what waits is refused by the socket's end.
            state.returned.clear();
        }
        drop(state);
        let Some(flight) = flight else { return };
        let Some(core) = context::current() else {
            return flight.cancel(&driver);
        };
        let guard = Lingering::new(&core);
        let task = async move {
            let _guard = guard;
            last_accepts(&driver, &fd, Some(flight), |connection| {
                self.shared.give(connection);
                self.shared.has_members()
            })
            .await;
        };
        drop(spawn_on(&core, Group::Control, task));
    }
}

/// Ends the accept in flight, and takes what it has brought and what stands in the queue behind it, as long as `take`
/// wants more.
///
/// Where several wait, the kernel tells one of them that a connection came. Was it told to the accept that ends
/// here, nobody else would look.
pub(super) async fn last_accepts(
    driver: &RealDriver,
    fd: &SharedFd<Socket>,
    mut flight: Option<AcceptFlight>,
    mut take: impl FnMut((Socket, Peer)) -> bool,
) {
    if flight.is_none() && !has_waiting(fd) {
        return;
    }
    for _ in 0..LAST_ACCEPTS {
        let ended = std::future::poll_fn(|cx| {
            let under_way = flight
                .take()
                .unwrap_or_else(|| Flight::push(driver, Accept::new(fd.clone())));
            match under_way.stop(driver, cx) {
                Ok(ended) => Poll::Ready(ended),
                Err(still) => {
                    flight = Some(still);
                    Poll::Pending
                }
            }
        });
        if let Ok(connection) = accepted(ended.await)
            && !take(connection)
        {
            return;
        }
        if !has_waiting(fd) {
            return;
        }
    }
}

/// What an accept brought.
pub(super) fn accepted(
    ended: BufResult<usize, Accept<SharedFd<Socket>>>,
) -> io::Result<(Socket, Peer)> {
    let BufResult(result, op) = ended;
    result?;
    let (socket, addr) = op.into_inner();
    Ok((socket, Peer::of(&addr)))
}

/// Whether a connection waits to be accepted.
fn has_waiting(fd: &SharedFd<Socket>) -> bool {
    let socket: &Socket = fd;
    let mut fds = [PollFd::new(socket, PollFlags::IN)];
    let now = Timespec::default();
    rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}
