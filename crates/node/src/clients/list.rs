//! The clients of one shard. One that goes to another shard keeps its number and all that is known of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Bound;
use std::rc::Rc;

use corelane::ShardId;

use super::client::Client;
use crate::cluster::Door;
use crate::routing::Costs;

/// A client's number: the shard that accepted it in the top bits, so that shards number without asking each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// Bits of a [`ClientId`] below its shard. 2^45 connections per shard outlive the machine, and with the eight bits of
/// a shard the number is below 2^53: clients may read it as a floating-point number.
const SEQUENCE_BITS: u32 = 45;

const _: () = assert!((corelane::MAX_SHARDS as u64) << SEQUENCE_BITS <= 1 << 53);

/// What a new connection brings along.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Peer's address, `None` for a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address it connected to; of a Unix socket its path and `:0`, as Redis has it.
    pub local: String,
    /// Whose address that is.
    pub door: Door,
    /// Whether TLS is spoken there.
    pub speaks_tls: bool,
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
    newcomers: Rc<()>,
}

/// A connection that was accepted on a shard, as long as it has not begun there or elsewhere.
#[derive(Debug)]
pub struct Underway {
    _counted: Rc<()>,
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
            newcomers: Rc::default(),
        }
    }

    /// Counts a connection that was accepted here, until what this returns is dropped.
    pub(crate) fn newcomer(&self) -> Underway {
        Underway {
            _counted: Rc::clone(&self.newcomers),
        }
    }

    /// Whom this shard still has: clients, those sent to another shard that has not taken them yet, and who has not
    /// begun.
    pub(crate) fn in_hand(&self) -> usize {
        self.len() + self.away + Rc::strong_count(&self.newcomers) - 1
    }

    /// Enters a new connection.
    pub fn enter(&mut self, arrival: Arrival) -> Rc<Client> {
        let id = ClientId((u64::from(self.shard.number()) << SEQUENCE_BITS) | self.next);
        self.next += 1;
        let client = Rc::new(Client::new(id, self.shard, arrival));
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
        client.arrived(self.shard, costs);
        self.take_back(client)
    }

    /// Takes in again a connection that no other shard took.
    pub(crate) fn take_back(&mut self, client: Client) -> Rc<Client> {
        client.begins_again();
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
