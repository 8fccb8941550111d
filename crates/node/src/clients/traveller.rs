//! A client connection on its way from one shard to another.
//!
//! It is one value: the connection itself, and all that its session knows. Whoever cannot take it gives it back, and it
//! goes on where it was; so no connection is lost for want of room.

use std::any::Any;
use std::fmt::Debug;
use std::rc::Rc;

use corelane::{Outcome, ShardId};

use super::client::{Client, Ending};
use super::list::Arrival;
use crate::cluster::Door;
use crate::node::Node;
use crate::request::{Reply, Request};
use crate::shard::Shard;

/// A client and its luggage, between two shards.
#[derive(Debug)]
pub struct Traveller {
    /// Who it is.
    pub passenger: Passenger,
    /// What its protocol's session is made of.
    pub luggage: Box<dyn Luggage>,
}

/// Who goes to another shard.
#[derive(Debug)]
pub enum Passenger {
    /// A client's entry, out of its old shard's list and not yet in the new one's.
    Client(Box<Client>),
    /// A connection that was only just accepted: it is entered where it goes, and never was anywhere else.
    Newcomer(Box<Arrival>),
}

impl Passenger {
    fn door(&self) -> Door {
        match self {
            Self::Client(client) => client.door,
            Self::Newcomer(arrival) => arrival.door,
        }
    }
}

/// A protocol's session, packed: it knows how to go on where it arrives.
pub trait Luggage: Any + Send + Debug {
    /// Takes the session up on the shard of `node`, as a task of its own. The shard's state is in use while this is
    /// called: it spawns, and touches nothing.
    fn unpack(self: Box<Self>, client: Rc<Client>, node: Node);
}

/// What became of a connection that was to move.
#[derive(Debug)]
pub enum Departure {
    /// It is with the other shard now.
    Gone,
    /// The other shard did not take it: it goes on here.
    Back(Rc<Client>, Box<dyn Luggage>),
    /// The other shard failed with the connection in its hands.
    Lost,
}

impl Node {
    /// Sends a client and its session to `to`. The client leaves this shard's list at once, and is in it again if it
    /// comes back.
    pub async fn send_client(
        &self,
        to: ShardId,
        client: Rc<Client>,
        luggage: Box<dyn Luggage>,
    ) -> Departure {
        client.forget_order();
        let reason = client.course.reason();
        let departed = self
            .mesh()
            .with(|shard| shard.clients.depart(client, corelane::time::unix_ms()));
        let client = match departed {
            Ok(client) => client,
            // A command still works for it.
            Err(client) => return Departure::Back(client, luggage),
        };
        let passenger = Passenger::Client(Box::new(client));
        let sent = self.send(to, Traveller { passenger, luggage }).await;
        // After a failure there is no list any more.
        self.mesh().try_with(|shard| shard.clients.away -= 1);
        let (client, luggage) = match sent {
            Ok(()) => {
                self.mesh().try_with(|shard| shard.stats.count_move(reason));
                return Departure::Gone;
            }
            Err(Some(Traveller {
                passenger: Passenger::Client(client),
                luggage,
            })) => (client, luggage),
            Err(_) => return Departure::Lost,
        };
        let back = self.mesh().try_with(|shard| {
            shard.stats.connection_moves_refused += 1;
            shard.clients.take_back(*client)
        });
        let Some(client) = back else {
            return Departure::Lost;
        };
        if self.is_ending() {
            // It was not in the list when all others were told.
            client.end(Ending::Draining);
        }
        Departure::Back(client, luggage)
    }

    /// Sends a connection that was only just accepted to `to`, to begin there. It comes back, and is to begin here, where
    /// it is not taken; `None`: the other shard failed with it in its hands.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn send_newcomer(
        &self,
        to: ShardId,
        arrival: Arrival,
        luggage: Box<dyn Luggage>,
    ) -> Result<(), Option<(Arrival, Box<dyn Luggage>)>> {
        let passenger = Passenger::Newcomer(Box::new(arrival));
        match self.send(to, Traveller { passenger, luggage }).await {
            Ok(()) => {
                self.mesh()
                    .try_with(|shard| shard.stats.connections_handed_over += 1);
                Ok(())
            }
            Err(Some(Traveller {
                passenger: Passenger::Newcomer(arrival),
                luggage,
            })) => {
                self.mesh()
                    .try_with(|shard| shard.stats.connection_moves_refused += 1);
                Err(Some((*arrival, luggage)))
            }
            Err(_) => Err(None),
        }
    }

    /// The traveller comes back where it is not taken, unless the other shard failed with it in its hands.
    async fn send(&self, to: ShardId, traveller: Traveller) -> Result<(), Option<Traveller>> {
        let welcome = Request::Welcome(Box::new(traveller));
        match self.mesh().call(to, welcome).await {
            Ok(_) => Ok(()),
            Err(error) => match error.into_request() {
                Some(Request::Welcome(traveller)) => Err(Some(*traveller)),
                _ => Err(None),
            },
        }
    }
}

/// How connections come to choose their shards.
impl Node {
    /// Takes note of a client that has been taken up here.
    pub fn note_arrival(&self, client: &Client) {
        let way_ns = client.course.way_ns(corelane::time::read_ns());
        self.mesh().with(|shard| shard.gauge.note_move(way_ns));
    }
}

impl Shard {
    /// Takes a client in, unless this shard takes none (any more).
    pub(crate) fn welcome(&mut self, traveller: Box<Traveller>) -> Outcome<Self> {
        let door = traveller.passenger.door();
        let is_welcome = |node: &Node| {
            let lives_here = node.keeps_clients(self.id) || door.home() == Some(self.id);
            lives_here && !node.mesh().is_stopping()
        };
        let node = self.home.upgrade().filter(is_welcome);
        let Some(node) = node else {
            return Outcome::Moved(Request::Welcome(traveller));
        };
        let Traveller { passenger, luggage } = *traveller;
        let client = match passenger {
            Passenger::Client(client) => {
                self.stats.connections_arrived += 1;
                self.clients.arrive(*client, &self.gauge.costs())
            }
            Passenger::Newcomer(arrival) => self.enter_client(*arrival),
        };
        luggage.unpack(client, node);
        Outcome::Ready(Reply::Done)
    }

    /// Enters a new connection into this shard's list.
    pub(crate) fn enter_client(&mut self, arrival: Arrival) -> Rc<Client> {
        self.stats.connections_received += 1;
        self.clients.enter(arrival)
    }
}
