//! Simulated datagrams: each travels by itself, and may be lost, doubled and overtaken, as the options say.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::net::{Datagram, UdpOptions};
use crate::sim::core::SimCore;
use crate::sim::event::Event;
use crate::sim::trace::{Entry, hash_bytes};

/// Datagrams that a socket holds unread; as with the system's buffer, what comes beyond is lost.
const INBOX_DATAGRAMS: usize = 256;

/// All datagram sockets of a world, and what flies between them.
#[derive(Default)]
pub(crate) struct Datagrams {
    sockets: BTreeMap<SocketAddr, Vec<Rc<Bound>>>,
    flying: BTreeMap<u64, Flying>,
    sent: u64,
}

struct Flying {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

struct Bound {
    addr: SocketAddr,
    reuse_port: bool,
    peer: Cell<Option<SocketAddr>>,
    inbox: RefCell<VecDeque<(SocketAddr, Vec<u8>)>>,
    readers: RefCell<Vec<Waker>>,
    /// When the last datagram to here arrives, where they keep their order.
    last_due_ns: Cell<u64>,
}

pub(crate) struct SimUdp {
    world: Rc<SimCore>,
    bound: Rc<Bound>,
}

impl SimUdp {
    pub(crate) fn bind(
        world: &Rc<SimCore>,
        mut addr: SocketAddr,
        options: &UdpOptions,
    ) -> io::Result<Self> {
        let mut net = world.net.borrow_mut();
        if addr.port() == 0 {
            addr.set_port(net.pick_port());
        }
        let there = net.datagrams.sockets.entry(addr).or_default();
        let shared = |other: &Rc<Bound>| other.reuse_port && options.reuse_port;
        if !there.iter().all(shared) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let bound = Rc::new(Bound {
            addr,
            reuse_port: options.reuse_port,
            peer: Cell::new(None),
            inbox: RefCell::default(),
            readers: RefCell::default(),
            last_due_ns: Cell::new(0),
        });
        there.push(bound.clone());
        drop(net);
        Ok(SimUdp {
            world: world.clone(),
            bound,
        })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.bound.addr
    }

    pub(crate) fn connect(&self, peer: SocketAddr) {
        self.bound.peer.set(Some(peer));
        self.bound
            .inbox
            .borrow_mut()
            .retain(|(from, _)| *from == peer);
    }

    pub(crate) fn send(&self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        let to = to
            .or(self.bound.peer.get())
            .ok_or(io::ErrorKind::NotConnected)?;
        self.world.send_datagram(self.bound.addr, to, bytes);
        Ok(())
    }

    pub(crate) async fn recv(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        let (from, bytes) = poll_fn(|cx| match self.bound.inbox.borrow_mut().pop_front() {
            Some(datagram) => Poll::Ready(datagram),
            None => {
                self.bound.readers.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
        let filled = bytes.len().min(buffer.len());
        buffer[..filled].copy_from_slice(&bytes[..filled]);
        Ok(Datagram {
            filled,
            len: bytes.len(),
            from,
        })
    }
}

impl Drop for SimUdp {
    fn drop(&mut self) {
        let mut net = self.world.net.borrow_mut();
        if let Some(there) = net.datagrams.sockets.get_mut(&self.bound.addr) {
            there.retain(|other| !Rc::ptr_eq(other, &self.bound));
            if there.is_empty() {
                net.datagrams.sockets.remove(&self.bound.addr);
            }
        }
    }
}

impl SimCore {
    /// Sends a datagram on its way: not at all, once or twice.
    fn send_datagram(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if self.unlucky(self.options.datagrams_lost_per_10k) {
            return;
        }
        self.fly_datagram(from, to, bytes);
        if self.unlucky(self.options.datagrams_doubled_per_10k) {
            self.fly_datagram(from, to, bytes);
        }
    }

    fn fly_datagram(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let mut due_ns = self.now() + self.draw(&self.options.latency_ns);
        let mut net = self.net.borrow_mut();
        if !self.options.datagrams_reordered
            && let Some(bound) = net.datagrams.find(from, to)
        {
            due_ns = due_ns.max(bound.last_due_ns.get() + 1);
            bound.last_due_ns.set(due_ns);
        }
        let datagram = net.datagrams.sent;
        net.datagrams.sent += 1;
        let bytes = bytes.to_vec();
        self.note(Entry::Bytes {
            conn: datagram,
            side: 0,
            count: bytes.len(),
            hash: hash_bytes(&bytes),
        });
        let flying = Flying { from, to, bytes };
        net.datagrams.flying.insert(datagram, flying);
        drop(net);
        self.add_event(due_ns, Event::Datagram { datagram });
    }

    /// A datagram arrives, if somebody is there who takes it.
    pub(crate) fn datagram_event(&self, datagram: u64) {
        let mut net = self.net.borrow_mut();
        let Some(flying) = net.datagrams.flying.remove(&datagram) else {
            return;
        };
        let Some(bound) = net.datagrams.find(flying.from, flying.to).cloned() else {
            return;
        };
        drop(net);
        let stranger = bound.peer.get().is_some_and(|peer| peer != flying.from);
        let mut inbox = bound.inbox.borrow_mut();
        if stranger || inbox.len() >= INBOX_DATAGRAMS {
            return;
        }
        inbox.push_back((flying.from, flying.bytes));
        drop(inbox);
        let readers = std::mem::take(&mut *bound.readers.borrow_mut());
        readers.into_iter().for_each(Waker::wake);
    }

    fn unlucky(&self, per_10k: u32) -> bool {
        per_10k > 0 && self.below(10_000) < per_10k as usize
    }
}

impl Datagrams {
    /// Who takes what goes from `from` to `to`: the socket at that address, else the one at all addresses; of
    /// several that share it always the same.
    fn find(&self, from: SocketAddr, to: SocketAddr) -> Option<&Rc<Bound>> {
        let anywhere: IpAddr = match to {
            SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let there = self
            .sockets
            .get(&to)
            .or_else(|| self.sockets.get(&SocketAddr::new(anywhere, to.port())))?;
        there.get(usize::from(from.port()) % there.len())
    }
}
