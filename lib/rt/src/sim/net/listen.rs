//! Simulated listening and connecting.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::stream::SimStream;
use crate::net::{Addr, ListenOptions, Peer};
use crate::sim::core::SimCore;
use crate::sim::event::Event;

/// The number of a connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectId(pub(crate) u64);

/// A listening socket as connection attempts see it.
pub(crate) struct Listening {
    pub(super) addr: Addr,
    options: ListenOptions,
    arrived: RefCell<VecDeque<SimStream>>,
    members: RefCell<Vec<Rc<Member>>>,
    /// A shared socket, which goes on without listeners.
    pub(super) held: Cell<bool>,
}

/// A listener as its socket sees it.
#[derive(Default)]
struct Member {
    /// An accept waits for a connection.
    armed: Cell<bool>,
    /// What it brought, whether or not somebody has asked since.
    taken: RefCell<Option<SimStream>>,
    waker: RefCell<Option<Waker>>,
}

/// A connection attempt under way.
pub(crate) struct Attempt {
    addr: Addr,
    from: Addr,
    outcome: Option<io::Result<SimStream>>,
    waker: Option<Waker>,
}

pub(crate) struct SimListener {
    world: Rc<SimCore>,
    listening: Rc<Listening>,
    member: Rc<Member>,
}

impl SimListener {
    pub(crate) fn bind(
        world: &Rc<SimCore>,
        addr: &Addr,
        options: &ListenOptions,
    ) -> io::Result<Self> {
        let listening = world.listen(addr, options, false)?;
        Ok(SimListener::of(world, listening))
    }

    pub(super) fn of(world: &Rc<SimCore>, listening: Rc<Listening>) -> Self {
        let member = Rc::<Member>::default();
        listening.members.borrow_mut().push(member.clone());
        SimListener {
            world: world.clone(),
            listening,
            member,
        }
    }

    pub(crate) fn local_addr(&self) -> Addr {
        self.listening.addr.clone()
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<SimStream>> {
        let taken = self.member.taken.borrow_mut().take();
        let next = taken.or_else(|| self.listening.arrived.borrow_mut().pop_front());
        if let Some(stream) = next {
            return Poll::Ready(Ok(stream));
        }
        self.member.armed.set(true);
        *self.member.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// What has come and nobody has taken, where no other listener could.
    pub(crate) fn close(self) -> Vec<SimStream> {
        let is_alone = self.listening.members.borrow().len() == 1 && !self.listening.held.get();
        if !is_alone {
            return Vec::new();
        }
        let taken = self.member.taken.borrow_mut().take();
        let arrived = std::mem::take(&mut *self.listening.arrived.borrow_mut());
        taken.into_iter().chain(arrived).collect()
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let mut members = self.listening.members.borrow_mut();
        members.retain(|other| !Rc::ptr_eq(other, &self.member));
        drop(members);
        if let Some(stream) = self.member.taken.borrow_mut().take() {
            self.listening.arrived.borrow_mut().push_front(stream);
            self.listening.wake_all();
        }
        self.world.close_if_unused(&self.listening);
    }
}

impl Listening {
    /// A connection comes: an accept that waits takes it, or it waits itself.
    fn arrive(&self, world: &SimCore, stream: SimStream) {
        let members = self.members.borrow();
        let waiting: Vec<_> = members.iter().filter(|other| other.armed.get()).collect();
        let member = match waiting.len() {
            0 => return self.arrived.borrow_mut().push_back(stream),
            // No lot is drawn where there is no choice.
            1 => waiting[0],
            several => waiting[world.below(several)],
        };
        member.armed.set(false);
        *member.taken.borrow_mut() = Some(stream);
        let waker = member.waker.borrow_mut().take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn wake_all(&self) {
        for member in self.members.borrow().iter() {
            let waker = member.waker.borrow_mut().take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// Connects to `addr`.
pub(crate) async fn connect(world: &Rc<SimCore>, addr: &Addr) -> io::Result<SimStream> {
    let attempt = world.start_connect(addr);
    let _owner = AttemptOwner { world, attempt };
    std::future::poll_fn(|cx| world.poll_connect(attempt, cx)).await
}

/// Forgets an attempt when its waiter is gone, closing what it had reached.
struct AttemptOwner<'a> {
    world: &'a Rc<SimCore>,
    attempt: ConnectId,
}

impl Drop for AttemptOwner<'_> {
    fn drop(&mut self) {
        let gone = self.world.net.borrow_mut().attempts.remove(&self.attempt);
        drop(gone);
    }
}

impl SimCore {
    pub(super) fn listen(
        &self,
        addr: &Addr,
        options: &ListenOptions,
        held: bool,
    ) -> io::Result<Rc<Listening>> {
        let mut net = self.net.borrow_mut();
        let addr = match addr {
            Addr::Tcp(tcp) if tcp.port() == 0 => {
                Addr::Tcp(SocketAddr::new(tcp.ip(), net.pick_port()))
            }
            other => other.clone(),
        };
        let there = net.listeners.entry(addr.clone()).or_default();
        if there
            .iter()
            .any(|other| !other.options.reuse_port || !options.reuse_port)
        {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let listening = Rc::new(Listening {
            addr,
            options: options.clone(),
            arrived: RefCell::default(),
            members: RefCell::default(),
            held: Cell::new(held),
        });
        there.push(listening.clone());
        Ok(listening)
    }

    /// Ends a socket that nobody listens on and nobody holds.
    pub(super) fn close_if_unused(&self, listening: &Rc<Listening>) {
        if listening.held.get() || !listening.members.borrow().is_empty() {
            return;
        }
        let mut net = self.net.borrow_mut();
        if let Some(there) = net.listeners.get_mut(&listening.addr) {
            there.retain(|other| !Rc::ptr_eq(other, listening));
            if there.is_empty() {
                net.listeners.remove(&listening.addr);
            }
        }
        drop(net);
        let never_accepted = std::mem::take(&mut *listening.arrived.borrow_mut());
        for mut stream in never_accepted {
            stream.abort();
        }
    }

    /// Sockets that are listened on, or held to be.
    pub(crate) fn listeners(&self) -> usize {
        self.net.borrow().listeners.values().map(Vec::len).sum()
    }

    fn start_connect(&self, addr: &Addr) -> ConnectId {
        let mut net = self.net.borrow_mut();
        let from = match addr {
            Addr::Tcp(tcp) => Addr::Tcp(SocketAddr::new(tcp.ip(), net.pick_port())),
            Addr::Unix(_) => Addr::Unix(Default::default()),
        };
        let attempt = ConnectId(net.next_attempt);
        net.next_attempt += 1;
        let state = Attempt {
            addr: addr.clone(),
            from,
            outcome: None,
            waker: None,
        };
        net.attempts.insert(attempt, state);
        drop(net);
        self.add_event_in(&self.options.latency_ns, Event::Connect { attempt });
        attempt
    }

    fn poll_connect(
        &self,
        attempt: ConnectId,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<SimStream>> {
        let mut net = self.net.borrow_mut();
        let Some(state) = net.attempts.get_mut(&attempt) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// An attempt reaches the address: some listener there takes it, or it is refused.
    pub(crate) fn connect_event(self: &Rc<Self>, attempt: ConnectId) {
        let Some((addr, from)) = self
            .net
            .borrow()
            .attempts
            .get(&attempt)
            .map(|state| (state.addr.clone(), state.from.clone()))
        else {
            return;
        };
        let there = self
            .net
            .borrow()
            .listeners
            .get(&addr)
            .cloned()
            .unwrap_or_default();
        let outcome = if there.is_empty() {
            Err(match addr {
                Addr::Tcp(_) => io::ErrorKind::ConnectionRefused.into(),
                Addr::Unix(_) => io::ErrorKind::NotFound.into(),
            })
        } else {
            let listening = &there[self.below(there.len())];
            if listening.arrived.borrow().len() >= listening.options.backlog.max(1) as usize {
                // As TCP does: the attempt is not heard and tried again.
                return self.add_event_in(&self.options.latency_ns, Event::Connect { attempt });
            }
            let conn = self.open_conn();
            let server = SimStream::new(self, conn, 1, addr.clone(), peer_of(&from));
            listening.arrive(self, server);
            Ok(SimStream::new(self, conn, 0, from, peer_of(&addr)))
        };
        let mut net = self.net.borrow_mut();
        let waker = net.attempts.get_mut(&attempt).and_then(|state| {
            state.outcome = Some(outcome);
            state.waker.take()
        });
        drop(net);
        waker.into_iter().for_each(Waker::wake);
    }
}

fn peer_of(addr: &Addr) -> Peer {
    match addr {
        Addr::Tcp(addr) => Peer::Tcp(*addr),
        Addr::Unix(_) => Peer::Unix,
    }
}
