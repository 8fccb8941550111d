//! Simulated listening and connecting.

use std::cell::RefCell;
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

/// A listener as connection attempts see it.
pub(crate) struct Listening {
    addr: Addr,
    options: ListenOptions,
    arrived: RefCell<VecDeque<SimStream>>,
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
}

impl SimListener {
    pub(crate) fn bind(
        world: &Rc<SimCore>,
        addr: &Addr,
        options: &ListenOptions,
    ) -> io::Result<Self> {
        let mut net = world.net.borrow_mut();
        let addr = match addr {
            Addr::Tcp(tcp) if tcp.port() == 0 => {
                Addr::Tcp(SocketAddr::new(tcp.ip(), net.pick_port()))
            }
            other => other.clone(),
        };
        let listening = Rc::new(Listening {
            addr: addr.clone(),
            options: options.clone(),
            arrived: RefCell::default(),
            waker: RefCell::default(),
        });
        let there = net.listeners.entry(addr).or_default();
        if there
            .iter()
            .any(|other| !other.options.reuse_port || !options.reuse_port)
        {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        there.push(listening.clone());
        drop(net);
        Ok(SimListener {
            world: world.clone(),
            listening,
        })
    }

    pub(crate) fn local_addr(&self) -> Addr {
        self.listening.addr.clone()
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<SimStream>> {
        if let Some(stream) = self.listening.arrived.borrow_mut().pop_front() {
            return Poll::Ready(Ok(stream));
        }
        *self.listening.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let mut net = self.world.net.borrow_mut();
        if let Some(there) = net.listeners.get_mut(&self.listening.addr) {
            there.retain(|other| !Rc::ptr_eq(other, &self.listening));
            if there.is_empty() {
                net.listeners.remove(&self.listening.addr);
            }
        }
        drop(net);
        let never_accepted = std::mem::take(&mut *self.listening.arrived.borrow_mut());
        for mut stream in never_accepted {
            stream.abort();
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
            listening.arrived.borrow_mut().push_back(server);
            listening
                .waker
                .borrow_mut()
                .take()
                .into_iter()
                .for_each(Waker::wake);
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
