//! One connection, as its shard sees it: what the session notes of it, and what is wanted of it from outside.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;

use corelane::ShardId;
use corelane_wire::Proto;
use corelane_wire::spec::CommandSpec;

use super::list::{Arrival, ClientId};
use crate::cluster::Door;
use crate::routing::{Costs, Course};

/// What a connection holds while it is idle, roughly, in [`Client::memory_bytes`].
const IDLE_BYTES: u64 = 2 * 1024;

/// One connection, as its shard sees it. Shared between the session and the shard's list.
#[derive(Debug)]
pub struct Client {
    /// Its number.
    pub id: ClientId,
    /// Where it comes from, as shown to people: `127.0.0.1:50000`, or the socket's path.
    pub peer: String,
    /// The address it connected to.
    pub local: String,
    /// Whether it came over a Unix socket.
    pub unix: bool,
    /// Whether it speaks TLS.
    pub speaks_tls: bool,
    /// The door it came by.
    pub door: Door,
    /// Whether it comes from this machine.
    local_peer: bool,
    /// When it connected, Unix milliseconds.
    pub since_ms: u64,
    /// When it last sent something or took replies, Unix milliseconds.
    pub active_ms: Cell<u64>,
    /// Whether a command of its is under way for which it waits.
    pub waiting: Cell<bool>,
    /// Selected database.
    pub db: Cell<u16>,
    /// Protocol of its replies.
    pub proto: Cell<Proto>,
    /// What it calls itself; in a box, for most clients do not.
    names: RefCell<Option<Box<Names>>>,
    /// Bytes that wait to be parsed.
    pub query_bytes: Cell<usize>,
    /// Replies that it has not taken yet.
    pub output: Cell<Output>,
    /// Its last command; only who lists it asks for the name, which takes memory.
    pub last_command: Cell<Option<&'static CommandSpec>>,
    /// Whether eviction of this client is off (`CLIENT NO-EVICT`).
    pub no_evict: Cell<bool>,
    /// How its commands reach other shards, and what is known of that.
    pub course: Course,
    /// The shard that serves it.
    shard: Cell<ShardId>,
    /// Times it has gone to another shard.
    moves: Cell<u64>,
    /// When its shard is to look whether it has fallen silent, Unix milliseconds; 0 while it rests.
    look_ms: Cell<u64>,
    /// It is to give back what it holds for its next command.
    resting: Cell<bool>,
    ending: Cell<Option<Ending>>,
    order: Cell<Option<ShardId>>,
    waker: RefCell<Option<Waker>>,
}

/// How a client is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Name given by `CLIENT SETNAME` or `HELLO … SETNAME`.
    pub name: Vec<u8>,
    /// `lib-name` and `lib-ver` of `CLIENT SETINFO`.
    pub library: [Vec<u8>; 2],
}

/// What is under way to a client, or ready to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Output {
    /// Bytes.
    pub bytes: usize,
    /// Since when there have been any without a break, Unix milliseconds.
    pub since_ms: u64,
}

/// Why a connection is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `CLIENT KILL`.
    Killed,
    /// Idle longer than `timeout`.
    Idle,
    /// Its output stood above the soft limit for too long.
    SlowReader,
    /// The clients held more memory than they may, and it was one of the largest.
    Evicted,
    /// The node drains.
    Draining,
}

impl Client {
    /// A connection that begins on `shard`.
    pub(super) fn new(id: ClientId, shard: ShardId, arrival: Arrival) -> Self {
        let unix = arrival.peer.is_none();
        let local_peer = arrival.peer.is_none_or(|peer| peer.ip().is_loopback());
        let peer = match arrival.peer {
            Some(peer) => peer.to_string(),
            None => arrival.local.clone(),
        };
        Self {
            id,
            peer,
            local: arrival.local,
            unix,
            speaks_tls: arrival.speaks_tls,
            door: arrival.door,
            local_peer,
            since_ms: arrival.now_ms,
            active_ms: Cell::new(arrival.now_ms),
            waiting: Cell::new(false),
            db: Cell::new(0),
            proto: Cell::new(Proto::Resp2),
            names: RefCell::default(),
            query_bytes: Cell::new(0),
            output: Cell::default(),
            last_command: Cell::new(None),
            no_evict: Cell::new(false),
            course: Course::default(),
            shard: Cell::new(shard),
            moves: Cell::new(0),
            look_ms: Cell::new(0),
            resting: Cell::new(false),
            ending: Cell::new(None),
            order: Cell::new(None),
            waker: RefCell::new(None),
        }
    }

    /// It has gone to `shard`.
    pub(super) fn arrived(&self, shard: ShardId, costs: &Costs) {
        self.course.arrived(self.shard.get(), costs);
        self.shard.set(shard);
        self.moves.set(self.moves.get() + 1);
        self.forget_order();
    }

    /// Another task serves it from here on.
    pub(super) fn begins_again(&self) {
        self.waker.take();
        self.look_ms.set(0);
    }

    /// Whether the client is on this machine.
    pub fn is_local(&self) -> bool {
        self.local_peer
    }

    /// The address at which it has reached the server; none for a Unix socket.
    pub fn reached(&self) -> Option<IpAddr> {
        let local = self.local.parse().ok();
        local
            .map(|local: SocketAddr| local.ip())
            .filter(|ip| !ip.is_unspecified())
    }

    /// Ends the connection at its next chance; the first reason stands, but for a drain, which waits for the client
    /// and is cut short by any other. Returns whether this one is new.
    pub fn end(&self, ending: Ending) -> bool {
        let is_new = match self.ending.get() {
            None => true,
            Some(Ending::Draining) => ending != Ending::Draining,
            Some(_) => false,
        };
        if is_new {
            self.ending.set(Some(ending));
        }
        self.rouse();
        is_new
    }

    /// Sends the connection to another shard at its next command boundary; the last order stands. Returns whether
    /// it is news. A connection that came by its shard's own port stays there, whoever orders.
    pub fn order_to(&self, shard: ShardId) -> bool {
        !self.door.is_pinned() && self.send_to(shard)
    }

    /// The same for every connection: one that came by a shard's own port is elsewhere while that shard sleeps.
    pub(crate) fn send_to(&self, shard: ShardId) -> bool {
        let before = self.order.replace(Some(shard));
        self.rouse();
        before != Some(shard) && self.shard.get() != shard
    }

    /// Where the connection is to go, if it is to go anywhere.
    pub fn ordered(&self) -> Option<ShardId> {
        self.order.get().filter(|shard| *shard != self.shard.get())
    }

    /// The order was carried out, or cannot be.
    pub fn forget_order(&self) {
        self.order.set(None);
    }

    /// Whether it may be sent elsewhere, and nobody has done so yet.
    pub(crate) fn may_be_sent(&self) -> bool {
        self.ending.get().is_none() && self.ordered().is_none() && !self.door.is_pinned()
    }

    /// Whether it may be sent elsewhere and is in the middle of nothing, as far as its input tells.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.query_bytes.get() == 0 && self.may_be_sent()
    }

    /// The shard that serves it.
    pub fn shard(&self) -> ShardId {
        self.shard.get()
    }

    /// Times it has gone to another shard.
    pub fn moves(&self) -> u64 {
        self.moves.get()
    }

    /// How it is called.
    pub fn names(&self) -> Names {
        self.names.borrow().as_deref().cloned().unwrap_or_default()
    }

    /// Changes how it is called.
    pub fn rename(&self, change: impl FnOnce(&mut Names)) {
        let mut names = self.names.borrow_mut();
        change(names.get_or_insert_default());
        names.take_if(|names| **names == Names::default());
    }

    /// Whether it has sent something lately.
    #[inline]
    pub(crate) fn is_awake(&self) -> bool {
        self.look_ms.get() != 0
    }

    /// When its shard is to look whether it has fallen silent, Unix milliseconds; 0 where it is not to.
    pub(super) fn look_ms(&self) -> u64 {
        self.look_ms.get()
    }

    /// Its shard is to look then whether it has fallen silent.
    pub(super) fn look_at_ms(&self, due_ms: u64) {
        self.look_ms.set(due_ms);
    }

    /// It has been silent for a while.
    pub(crate) fn rest(&self) {
        self.look_ms.set(0);
        self.resting.set(true);
        self.rouse();
    }

    /// Whether the session is to give back what it holds for the next command; said once.
    pub fn takes_rest(&self) -> bool {
        self.resting.replace(false)
    }

    fn rouse(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// Notes how much output waits or is under way.
    pub fn note_output(&self, bytes: usize, now_ms: u64) {
        let before = self.output.get();
        let since_ms = match before.bytes {
            0 => now_ms,
            _ => before.since_ms,
        };
        self.output.set(Output { bytes, since_ms });
    }

    /// Notes that the client has taken what was under way, and how much waits still.
    pub fn note_sent(&self, left_bytes: usize, now_ms: u64) {
        self.active_ms.set(now_ms);
        self.output.set(Output {
            bytes: left_bytes,
            since_ms: now_ms,
        });
    }

    /// Memory that the connection holds: what it has sent and not finished, replies it has not taken, and itself.
    pub fn memory_bytes(&self) -> u64 {
        IDLE_BYTES + self.buffer_bytes()
    }

    /// Bytes that it has sent and not finished, and of replies that it has not taken.
    pub(crate) fn buffer_bytes(&self) -> u64 {
        self.query_bytes.get() as u64 + self.output.get().bytes as u64
    }

    /// Why the connection is to end, if it is.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    /// Remembers the session's task, so that [`end`](Self::end) and [`order_to`](Self::order_to) reach it while it
    /// waits.
    pub fn watch(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{Arrival, Clients};

    #[test]
    fn a_drain_is_cut_short_and_any_other_ending_stands() {
        let arrival = Arrival {
            peer: None,
            local: "/tmp/socket:0".to_owned(),
            door: Door::Main,
            speaks_tls: false,
            now_ms: 0,
        };
        let mut clients = Clients::going_on(ShardId::new(0), 1);
        let client = clients.enter(arrival);
        for (ending, is_new, stands) in [
            (Ending::Draining, true, Ending::Draining),
            (Ending::Draining, false, Ending::Draining),
            (Ending::Killed, true, Ending::Killed),
            (Ending::Idle, false, Ending::Killed),
            (Ending::Draining, false, Ending::Killed),
        ] {
            assert_eq!(client.end(ending), is_new, "{ending:?}");
            assert_eq!(client.ending(), Some(stands), "{ending:?}");
        }
    }
}
