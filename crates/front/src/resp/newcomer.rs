//! A connection that was accepted and has not begun: it begins here, or on a shard that has fewer. To hand one over now
//! costs one message; later, its session would have to move.

use std::any::Any;
use std::rc::Rc;

use corelane::ShardId;
use corelane::net::{Connection, Stream};
use corelane_node::{Arrival, Client, Luggage, Node};
use corelane_wire::Parser;

use super::input::Input;
use super::listen::live;
use super::presence::{Admitted, Presence};
use super::registry::Registry;
use super::session::Session;
use super::state::{ReplyMode, SessionState, Standing};

/// An accepted connection.
pub(super) struct Newcomer {
    pub(super) stream: Stream,
    pub(super) arrival: Arrival,
    pub(super) registry: &'static Registry,
    pub(super) admitted: Admitted,
}

impl Newcomer {
    /// Enters it here.
    pub(super) fn begin(self, node: &Node) -> Box<Session> {
        let client = node.enter_client(self.arrival);
        begin(
            self.stream,
            client,
            node.clone(),
            self.registry,
            self.admitted,
        )
    }

    /// Lets it begin on another shard; where it is not taken, it begins here.
    pub(super) async fn hand_over(self, there: ShardId, node: Node) {
        let parcel = Parcel {
            connection: self.stream.detach().await,
            registry: self.registry,
            admitted: self.admitted,
        };
        let sent = node.send_newcomer(there, self.arrival, Box::new(parcel));
        let (arrival, luggage) = match sent.await {
            Ok(()) => return,
            Err(Some(back)) => back,
            Err(None) => {
                tracing::warn!(%there, "a new connection was lost on its way to another shard");
                return;
            }
        };
        let luggage: Box<dyn Any> = luggage;
        let parcel: Option<Box<Parcel>> = luggage.downcast().ok();
        // Who begins once the node has begun to stop would not be told of it.
        if let Some(parcel) = parcel
            && !node.mesh().is_stopping()
        {
            let client = node.enter_client(arrival);
            parcel.unpack(client, node);
        }
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
            match Stream::attach(connection) {
                Ok(stream) => live(begin(stream, client, node, registry, admitted)).await,
                Err(error) => {
                    tracing::warn!(client = client.id.0, %error, "a new connection cannot be taken up on its shard");
                    drop(Presence::new(node, client.id, admitted));
                }
            }
        });
    }
}

fn begin(
    stream: Stream,
    client: Rc<Client>,
    node: Node,
    registry: &'static Registry,
    admitted: Admitted,
) -> Box<Session> {
    let presence = Presence::new(node.clone(), client.id, admitted);
    let state = SessionState {
        client,
        registry,
        standing: Standing {
            authenticated: !node.needs_password(),
            reply_mode: ReplyMode::On,
        },
        node,
        closing: false,
    };
    Box::new(Session::new(
        stream,
        Parser::new(),
        Input::default(),
        state,
        presence,
    ))
}
