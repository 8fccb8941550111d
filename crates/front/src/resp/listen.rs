//! Accepting connections: every shard listens on the same port, the kernel spreads them.

use corelane::net::{Listener, Peer, Stream};
use corelane_node::{Arrival, ClientId, Ending, Node};
use corelane_wire::Parser;

use super::input::Input;
use super::moving::leave;
use super::presence::{Admission, Admitted, Presence};
use super::registry::Registry;
use super::session::{End, Session};
use super::state::{ReplyMode, SessionState, Standing};

/// Accepts on this shard until the node stops. Sessions are tasks of their own.
pub async fn listen(
    listener: Listener,
    local: String,
    node: Node,
    registry: &'static Registry,
    admission: Admission,
) {
    loop {
        let Some((stream, peer)) = accept(&listener, &node).await else {
            return;
        };
        let Some(admitted) =
            admission.enter(node.rules(|rules| rules.clients.max_clients as usize))
        else {
            node.with_stats(|stats| stats.connections_rejected += 1);
            corelane::task::spawn(refuse(stream));
            continue;
        };
        prepare(&stream, &node);
        let peer = match peer {
            Peer::Tcp(peer) => Some(peer),
            Peer::Unix => None,
        };
        let arrival = Arrival {
            peer,
            local: local.clone(),
            now_ms: corelane::time::unix_ms(),
        };
        let session = session(stream, arrival, &node, registry, admitted);
        corelane::task::spawn(live(Box::new(session)));
    }
}

/// Waits for a connection; `None` is the node's stop. Failed accepts (no descriptors left) are retried
/// after a pause, so that they neither end the listener nor spin.
async fn accept(listener: &Listener, node: &Node) -> Option<(Stream, Peer)> {
    loop {
        let accepted = node.unless_stopping(listener.accept()).await;
        match accepted {
            None => return None,
            Some(Ok(connection)) => return Some(connection),
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection; trying again in 100 ms");
                corelane::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// Redis's own words at the limit, then the end.
async fn refuse(mut stream: Stream) {
    let text = b"-ERR max number of clients reached\r\n".to_vec();
    if let Err(error) = stream.send_all(text).await {
        tracing::debug!(%error, "a refused client left before it could be told");
    }
}

fn prepare(stream: &Stream, node: &Node) {
    let keepalive = node.rules(|rules| rules.clients.keepalive);
    let prepared = stream
        .set_nodelay(true)
        .and_then(|()| stream.set_keepalive(keepalive));
    if let Err(error) = prepared {
        tracing::debug!(%error, "socket options were refused; the connection goes on without");
    }
}

fn session(
    stream: Stream,
    arrival: Arrival,
    node: &Node,
    registry: &'static Registry,
    admitted: Admitted,
) -> Session {
    let client = node.enter_client(arrival);
    let presence = Presence::new(node.clone(), client.id, admitted);
    let state = SessionState {
        client,
        node: node.clone(),
        registry,
        standing: Standing {
            authenticated: !node.needs_password(),
            reply_mode: ReplyMode::On,
        },
        closing: false,
    };
    Session::new(stream, Parser::new(), Input::default(), state, presence)
}

/// Serves a connection for as long as it stays on this shard.
pub(super) async fn live(mut session: Box<Session>) {
    loop {
        let end = session.run().await;
        let state = &session.dispatch.state;
        let End::Leaving(to) = end else {
            let (node, id) = (state.node.clone(), state.client.id);
            drop(session);
            return note_end(&node, id, &end);
        };
        // In a box: rare, and every idle connection would have its room.
        match Box::pin(leave(session, to)).await {
            Some(back) => session = back,
            None => return,
        }
    }
}

/// Counts how a connection ended; what its client could not be told goes to the log.
fn note_end(node: &Node, id: ClientId, end: &End) {
    match end {
        End::Closed | End::Leaving(_) | End::Ended(Ending::Killed | Ending::Draining) => {}
        End::Ended(Ending::Idle) => node.with_stats(|stats| stats.idle_disconnections += 1),
        End::Ended(Ending::SlowReader) => {
            tracing::warn!(
                client = id.0,
                "closed: output stood over the soft limit for too long"
            );
            node.with_stats(|stats| stats.output_limit_disconnections += 1);
        }
        End::Failed(error) => tracing::debug!(client = id.0, %error, "connection failed"),
        End::OutputLimit { bytes } => {
            tracing::warn!(
                client = id.0,
                bytes,
                "closed: reply over client-output-buffer-limit"
            );
            node.with_stats(|stats| stats.output_limit_disconnections += 1);
        }
    }
}
