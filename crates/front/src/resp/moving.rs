//! A live connection that goes to another shard with its session: bytes that came and are not parsed, half a frame,
//! what the client may do and wants, the rest of a send.
//!
//! It leaves between two commands, when everything before is answered. Where the other shard does not take it, it goes
//! on here.

use std::any::Any;
use std::rc::Rc;

use corelane::ShardId;
use corelane::tls::{Transport, TransportConnection};
use corelane_node::{Client, Departure, Luggage, Node};
use corelane_wire::Parser;

use super::input::Input;
use super::presence::{Admitted, Presence};
use super::registry::Registry;
use super::session::Session;
use super::state::{SessionState, Standing};

/// A packed session.
#[derive(Debug)]
struct Parcel {
    connection: TransportConnection,
    parser: Parser,
    input: Input,
    standing: Standing,
    registry: &'static Registry,
    admitted: Admitted,
}

/// Takes the session's connection to `to`. The session comes back where it is not taken; `None`: it is there, or its
/// connection is lost, which is logged.
pub(super) async fn leave(session: Box<Session>, to: ShardId) -> Option<Box<Session>> {
    let session = *session;
    let state = session.dispatch.state;
    let connection = session.stream.detach().await;
    let id = state.client.id;
    let parcel = Parcel {
        connection,
        parser: session.parser,
        input: session.input,
        standing: state.standing,
        registry: state.registry,
        admitted: session.presence.take()?,
    };
    // The pipeline holds nothing between commands, and the output was handed to the connection.
    drop(session.dispatch.pipeline);
    let departure = state.node.send_client(to, state.client, Box::new(parcel));
    match departure.await {
        Departure::Gone => None,
        Departure::Back(client, luggage) => {
            client.course.refused();
            let luggage: Box<dyn Any> = luggage;
            let parcel: Box<Parcel> = luggage.downcast().ok()?;
            parcel.unpack_here(client, state.node)
        }
        Departure::Lost => {
            tracing::warn!(client = id.0, %to, "a connection was lost between shards");
            None
        }
    }
}

impl Luggage for Parcel {
    fn unpack(self: Box<Self>, client: Rc<Client>, node: Node) {
        corelane::task::spawn(async move {
            if let Some(session) = self.unpack_here(client, node) {
                let state = &session.dispatch.state;
                state.node.note_arrival(&state.client);
                super::listen::live(session).await;
            }
        });
    }
}

impl Parcel {
    /// The session as it goes on on the shard of `node`.
    fn unpack_here(self, client: Rc<Client>, node: Node) -> Option<Box<Session>> {
        let mut admitted = self.admitted;
        admitted.move_to(node.shard_id());
        let presence = Presence::new(node.clone(), client.id, admitted);
        let stream = Transport::attach(self.connection)
            .inspect_err(|error| {
                tracing::warn!(client = client.id.0, %error, "a connection cannot be taken up on its new shard");
            })
            .ok()?;
        let state = SessionState {
            client,
            node,
            registry: self.registry,
            standing: self.standing,
            closing: false,
        };
        Some(Box::new(Session::new(
            stream,
            self.parser,
            self.input,
            state,
            presence,
        )))
    }
}
