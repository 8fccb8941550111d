//! A connection that was accepted and has not begun: it begins here, or on a shard that has fewer. To hand one over now
//! costs one message; later, its session would have to move.

use std::rc::Rc;
use std::time::Duration;

use corelane::ShardId;
use corelane::net::{Connection, Stream};
use corelane::tls::Transport;
use corelane_node::{Arrival, Client, Door, Luggage, Node, Underway};
use corelane_settings::ProxyProtocol;
use corelane_wire::Parser;

use super::input::Input;
use super::listen::live;
use super::presence::{Admitted, Presence};
use super::proxied::{Unknown, introduced};
use super::registry::Registry;
use super::session::Session;
use super::state::{ReplyMode, SessionState, Standing};

/// The shard that serves as long as the node does, and takes connections in every layout.
const NEVER_SLEEPS: ShardId = ShardId::new(0);

/// How often a shard that is about to sleep offers a connection to another, and the pause in between.
const OFFERS: usize = 1000;
const OFFER_AGAIN: Duration = Duration::from_millis(1);

/// An accepted connection.
pub(super) struct Newcomer {
    /// A shard that goes to sleep waits for it.
    pub(super) underway: Underway,
    pub(super) stream: Stream,
    pub(super) arrival: Arrival,
    pub(super) registry: &'static Registry,
    pub(super) admitted: Admitted,
}

impl Newcomer {
    /// Waits until its load balancer has said whose it is, and lets it begin where it belongs.
    pub(super) async fn introduce(mut self, proxy: ProxyProtocol, node: Node) {
        let introduced = introduced(&mut self.stream, &proxy).await;
        // Nobody begins on a node that ends, and there nobody waits for it either.
        if node.is_ending() {
            return;
        }
        match introduced {
            Ok(addresses) => {
                if let Some(addresses) = addresses {
                    self.arrival.peer = Some(addresses.source);
                    self.arrival.local = addresses.destination.to_string();
                }
                self.place(&node);
            }
            Err(unknown) => {
                let only_looked = matches!(unknown, Unknown::Nothing);
                node.note_proxy_refusal(self.stream.peer(), &unknown, only_looked);
            }
        }
    }

    /// Lets it begin where it belongs: by a shard's own port that shard, else the one that has the fewest. Where this
    /// shard is about to sleep it begins on one that never does.
    pub(super) fn place(mut self, node: &Node) {
        let here = node.shard_id();
        let there = match self.arrival.door {
            _ if node.mesh().is_stopping() => NEVER_SLEEPS,
            Door::Main => {
                let gives = |shard| node.gives_clients(shard);
                self.admitted.settle(node.mesh().all_shards(), gives)
            }
            Door::Shard(home) => home,
        };
        if there == here {
            self.begin(node);
        } else {
            corelane::task::spawn(self.hand_over(there, node.clone()));
        }
    }

    /// Enters it here.
    fn begin(self, node: &Node) {
        let client = node.enter_client(self.arrival);
        let beginning = Beginning::new(client, node.clone(), self.registry, self.admitted);
        beginning.start(self.stream);
    }

    /// Lets it begin on another shard; where it is not taken, it begins here, or on another yet if this shard is about
    /// to sleep.
    async fn hand_over(self, mut there: ShardId, node: Node) {
        let _underway = self.underway;
        let mut arrival = self.arrival;
        let mut luggage: Box<dyn Luggage> = Box::new(Parcel {
            connection: self.stream.detach().await,
            registry: self.registry,
            admitted: self.admitted,
        });
        for _ in 0..OFFERS {
            match node.send_newcomer(there, arrival, luggage).await {
                Ok(()) => return,
                Err(Some(back)) => (arrival, luggage) = back,
                Err(None) => break,
            }
            // Who begins once the node has begun to stop would not be told of it.
            if node.is_ending() {
                return;
            }
            if !node.mesh().is_stopping() {
                let client = node.enter_client(arrival);
                luggage.unpack(client, node);
                return;
            }
            there = NEVER_SLEEPS;
            corelane::time::sleep(OFFER_AGAIN).await;
        }
        node.count_cut_off();
        tracing::warn!(%there, "a new connection was lost on its way to another shard");
    }
}

/// A newcomer between two shards.
#[derive(Debug)]
struct Parcel {
    connection: Connection,
    registry: &'static Registry,
    admitted: Admitted,
}

impl Luggage for Parcel {
    fn unpack(self: Box<Self>, client: Rc<Client>, node: Node) {
        corelane::task::spawn(async move {
            let Parcel {
                connection,
                registry,
                mut admitted,
            } = *self;
            admitted.move_to(node.shard_id());
            let id = client.id.0;
            let beginning = Beginning::new(client, node, registry, admitted);
            match Stream::attach(connection) {
                Ok(stream) => beginning.start(stream),
                Err(error) => {
                    tracing::warn!(client = id, %error, "a new connection cannot be taken up on its shard");
                }
            }
        });
    }
}

/// A client that is in its shard's list and has no session yet.
pub(super) struct Beginning {
    pub(super) client: Rc<Client>,
    pub(super) node: Node,
    registry: &'static Registry,
    presence: Presence,
}

impl Beginning {
    fn new(
        client: Rc<Client>,
        node: Node,
        registry: &'static Registry,
        admitted: Admitted,
    ) -> Self {
        Self {
            presence: Presence::new(node.clone(), client.id, admitted),
            client,
            node,
            registry,
        }
    }

    /// With a handshake, where TLS is spoken.
    fn start(self, stream: Stream) {
        match self.client.speaks_tls {
            false => self.serve(stream.into()),
            true => self.shake_hands(stream),
        }
    }

    /// Begins the session, as a task of its own.
    pub(super) fn serve(self, stream: Transport) {
        let state = SessionState {
            client: self.client,
            registry: self.registry,
            standing: Standing {
                authenticated: !self.node.needs_password(),
                reply_mode: ReplyMode::On,
            },
            node: self.node,
            closing: false,
        };
        corelane::task::spawn(live(Box::new(Session::new(
            stream,
            Parser::new(),
            Input::default(),
            state,
            self.presence,
        ))));
    }
}
