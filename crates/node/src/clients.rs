//! The clients of one shard: what `CLIENT LIST` shows, what `CLIENT KILL` strikes, and the sweep
//! that ends idle connections. Sessions live in `front`; each shares its [`Client`] with this list.
//! A client that goes to another shard keeps its number and all that is known of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Bound;
use std::rc::Rc;
use std::task::Waker;

use corelane::ShardId;
use corelane_wire::Proto;

use crate::cluster::Door;
use crate::routing::{Costs, Course};

/// A client's number: the shard that accepted it in the top bits, so that shards number without asking each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// Bits of a [`ClientId`] below its shard. 2^45 connections per shard outlive the machine, and with the eight bits of
/// a shard the number is below 2^53: clients may read it as a floating-point number.
const SEQUENCE_BITS: u32 = 45;

const _: () = assert!((corelane::MAX_SHARDS as u64) << SEQUENCE_BITS <= 1 << 53);

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
    /// The last command's name.
    pub last_command: Cell<&'static str>,
    /// Whether eviction of this client is off (`CLIENT NO-EVICT`).
    pub no_evict: Cell<bool>,
    /// How its commands reach other shards, and what is known of that.
    pub course: Course,
    /// The shard that serves it.
    shard: Cell<ShardId>,
    /// Times it has gone to another shard.
    moves: Cell<u64>,
    /// Whether it has sent something lately.
    awake: Cell<bool>,
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

    /// Ends the connection at its next chance; the first reason stands. Returns whether this is the first.
    pub fn end(&self, ending: Ending) -> bool {
        let first = self.ending.get().is_none();
        if first {
            self.ending.set(Some(ending));
        }
        self.rouse();
        first
    }

    /// Sends the connection to another shard at its next command boundary; the last order stands. Returns whether
    /// it is news. A connection that came by its shard's own port stays there, whoever orders.
    pub fn order_to(&self, shard: ShardId) -> bool {
        if self.door.is_pinned() {
            return false;
        }
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

    /// Whether it may be sent elsewhere and is in the middle of nothing, as far as its input tells.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.query_bytes.get() == 0
            && self.ending.get().is_none()
            && self.ordered().is_none()
            && !self.door.is_pinned()
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

    /// It sends something; whether it was at rest.
    pub(crate) fn wakes(&self) -> bool {
        !self.awake.replace(true)
    }

    /// It has been silent for a while.
    pub(crate) fn rest(&self) {
        self.awake.set(false);
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
        IDLE_BYTES + self.query_bytes.get() as u64 + self.output.get().bytes as u64
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

/// What a new connection brings along.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Peer's address, `None` for a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address it connected to; of a Unix socket its path and `:0`, as Redis has it.
    pub local: String,
    /// Whose address that is.
    pub door: Door,
    /// Now, Unix milliseconds.
    pub now_ms: u64,
}

/// All clients of one shard.
#[derive(Debug)]
pub struct Clients {
    shard: ShardId,
    next: u64,
    list: BTreeMap<ClientId, Rc<Client>>,
    /// Where the last [`choose`](Self::choose) ended.
    looked_at: ClientId,
    /// Clients that have left for another shard, and when the last one did; clients that have come or come back.
    departed: u64,
    last_departed_ms: u64,
    arrived: u64,
    /// Clients sent to another shard that has not said yet whether it took them.
    pub(crate) away: usize,
}

/// How clients come and go between shards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    departed: u64,
    arrived: u64,
    away: usize,
    /// Whether somebody has left lately: within as long as a question to all shards may take.
    pub(crate) is_recent: bool,
}

/// How long a departure is recent.
const RECENT_MS: u64 = 5_000;

impl Traffic {
    /// Adds another shard's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.departed += other.departed;
        self.arrived += other.arrived;
        self.away += other.away;
        self.is_recent |= other.is_recent;
    }

    /// Whether nobody is on the way.
    pub(crate) fn is_settled(&self) -> bool {
        self.away == 0
    }
}

impl Clients {
    /// The clients of a shard whose next one has the number `next`.
    pub(crate) fn going_on(shard: ShardId, next: u64) -> Self {
        Self {
            shard,
            next,
            list: BTreeMap::new(),
            looked_at: ClientId(0),
            departed: 0,
            last_departed_ms: 0,
            arrived: 0,
            away: 0,
        }
    }

    /// Enters a new connection.
    pub fn enter(&mut self, arrival: Arrival) -> Rc<Client> {
        let id = ClientId((u64::from(self.shard.number()) << SEQUENCE_BITS) | self.next);
        self.next += 1;
        let unix = arrival.peer.is_none();
        let local_peer = arrival.peer.is_none_or(|peer| peer.ip().is_loopback());
        let peer = match arrival.peer {
            Some(peer) => peer.to_string(),
            None => arrival.local.clone(),
        };
        let client = Rc::new(Client {
            id,
            peer,
            local: arrival.local,
            unix,
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
            last_command: Cell::new("NULL"),
            no_evict: Cell::new(false),
            course: Course::default(),
            shard: Cell::new(self.shard),
            moves: Cell::new(0),
            awake: Cell::new(false),
            resting: Cell::new(false),
            ending: Cell::new(None),
            order: Cell::new(None),
            waker: RefCell::new(None),
        });
        self.list.insert(id, Rc::clone(&client));
        client
    }

    /// The number of the next client.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Takes a connection out that has ended.
    pub fn leave(&mut self, id: ClientId) {
        self.list.remove(&id);
    }

    /// Takes a connection out that goes to another shard. It comes back where somebody else still holds its entry: a
    /// command that works for it.
    pub(crate) fn depart(&mut self, client: Rc<Client>, now_ms: u64) -> Result<Client, Rc<Client>> {
        self.list.remove(&client.id);
        match Rc::try_unwrap(client) {
            Ok(client) => {
                self.departed += 1;
                self.away += 1;
                self.last_departed_ms = now_ms;
                Ok(client)
            }
            Err(client) => {
                self.list.insert(client.id, Rc::clone(&client));
                Err(client)
            }
        }
    }

    /// Takes in a connection that comes from another shard.
    pub(crate) fn arrive(&mut self, client: Client, costs: &Costs) -> Rc<Client> {
        client.course.arrived(client.shard.get(), costs);
        client.shard.set(self.shard);
        client.moves.set(client.moves.get() + 1);
        client.forget_order();
        self.take_back(client)
    }

    /// Takes in again a connection that no other shard took.
    pub(crate) fn take_back(&mut self, client: Client) -> Rc<Client> {
        // Of the task that served it until now.
        client.waker.take();
        client.awake.set(false);
        self.arrived += 1;
        let client = Rc::new(client);
        self.list.insert(client.id, Rc::clone(&client));
        client
    }

    /// Who has come and gone so far.
    pub(crate) fn traffic(&self, now_ms: u64) -> Traffic {
        Traffic {
            departed: self.departed,
            arrived: self.arrived,
            away: self.away,
            is_recent: self.departed > 0
                && now_ms.saturating_sub(self.last_departed_ms) < RECENT_MS,
        }
    }

    /// The clients after this one, oldest first.
    pub(crate) fn after(&self, id: Option<ClientId>) -> impl Iterator<Item = &Rc<Client>> {
        let start = id.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.list.range((start, Bound::Unbounded));
        rest.map(|(_, client)| client)
    }

    /// A client by its number.
    pub(crate) fn get(&self, id: ClientId) -> Option<&Rc<Client>> {
        self.list.get(&id)
    }

    /// Every client, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Client>> {
        self.list.values()
    }

    /// Up to `most` clients that fit, among the next `looks`: each call goes on where the one before ended, so that
    /// in time everybody is looked at.
    pub(crate) fn choose(
        &mut self,
        looks: usize,
        most: usize,
        fits: impl Fn(&Client) -> bool,
    ) -> Vec<Rc<Client>> {
        let after = self
            .list
            .range((Bound::Excluded(self.looked_at), Bound::Unbounded));
        let before = self.list.range(..=self.looked_at);
        let mut chosen = Vec::new();
        let mut last = self.looked_at;
        for (id, client) in after.chain(before).take(looks) {
            last = *id;
            if fits(client) {
                chosen.push(Rc::clone(client));
            }
            if chosen.len() == most {
                break;
            }
        }
        self.looked_at = last;
        chosen
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// A copy of a client's state that can cross to another shard.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// Its number.
    pub id: ClientId,
    /// The line of `CLIENT LIST`, without its end.
    pub line: String,
}

impl Client {
    /// The line that `CLIENT LIST` and `CLIENT INFO` show, with Redis's field names plus `shard`.
    pub fn describe(&self, now_ms: u64) -> ClientInfo {
        let names = self.names();
        let name = String::from_utf8_lossy(&names.name);
        let [lib_name, lib_ver] = names
            .library
            .each_ref()
            .map(|part| String::from_utf8_lossy(part));
        let seconds = |since: u64| now_ms.saturating_sub(since) / 1000;
        let mut flags = String::new();
        for (set, letter) in [(self.no_evict.get(), 'e'), (self.unix, 'U')] {
            if set {
                flags.push(letter);
            }
        }
        if flags.is_empty() {
            flags.push('N');
        }
        let resp = match self.proto.get() {
            Proto::Resp2 => 2,
            Proto::Resp3 => 3,
        };
        let line = format!(
            "id={} addr={} laddr={} fd=-1 name={name} age={} idle={} flags={flags} db={} sub=0 psub=0 ssub=0 \
             multi=-1 qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem={} \
             tot-mem={} events=r cmd={} user=default redir=-1 resp={resp} lib-name={lib_name} \
             lib-ver={lib_ver} shard={} moves={} routing={}",
            self.id.0,
            self.peer,
            self.local,
            seconds(self.since_ms),
            seconds(self.active_ms.get()),
            self.db.get(),
            self.query_bytes.get(),
            self.output.get().bytes,
            self.memory_bytes(),
            self.last_command.get(),
            self.shard.get().number(),
            self.moves.get(),
            self.course.shown(),
        );
        ClientInfo { id: self.id, line }
    }
}
