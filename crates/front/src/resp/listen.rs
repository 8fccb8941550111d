//! Accepting connections: every shard listens on the same port, the kernel spreads them.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use corelane::net::{Listener, Peer, Stream};
use corelane_node::{Arrival, ClientId, Ending, Node, Pipeline};

use super::dispatch::Dispatch;
use super::registry::Registry;
use super::session::{End, Session};
use super::state::{ReplyMode, SessionState};

/// How many connections the whole node has: the one number that must be exact across shards at the
/// moment of an accept, because `maxclients` promises it. Touched once per connection.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    open: Arc<AtomicUsize>,
}

/// A place among the node's connections, given back on drop.
#[derive(Debug)]
struct Admitted {
    open: Arc<AtomicUsize>,
}

impl Admission {
    fn enter(&self, limit: usize) -> Option<Admitted> {
        let admitted = Admitted {
            open: Arc::clone(&self.open),
        };
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        (before < limit).then_some(admitted)
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts on this shard until the node stops. Sessions are tasks of their own.
pub async fn listen(
    listener: Listener,
    local: String,
    node: Node,
    registry: Rc<Registry>,
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
        let session = session(stream, arrival, &node, &registry);
        let (id, mut session) = session;
        let presence = Presence {
            node: node.clone(),
            id,
            _admitted: admitted,
        };
        corelane::task::spawn(async move {
            let end = session.run().await;
            drop(session);
            note_end(&presence.node, id, &end);
        });
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
    registry: &Rc<Registry>,
) -> (ClientId, Session) {
    let client = node.enter_client(arrival);
    let id = client.id;
    let state = SessionState {
        authenticated: !node.needs_password(),
        client,
        node: node.clone(),
        registry: Rc::clone(registry),
        reply_mode: ReplyMode::On,
        closing: false,
    };
    let pipeline = Pipeline::new(node.clone());
    (
        id,
        Session::new(
            stream,
            Dispatch {
                state,
                pipeline,
                out: Vec::new(),
            },
        ),
    )
}

/// A client's place in the shard's list and among the node's connections; given back whatever ends
/// the session, a panic included.
#[derive(Debug)]
struct Presence {
    node: Node,
    id: ClientId,
    _admitted: Admitted,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.node.leave_client(self.id);
    }
}

/// Counts how a connection ended; what its client could not be told goes to the log.
fn note_end(node: &Node, id: ClientId, end: &End) {
    match end {
        End::Closed | End::Ended(Ending::Killed | Ending::Draining) => {}
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
