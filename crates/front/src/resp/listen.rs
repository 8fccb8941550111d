//! Accepting connections: every shard accepts on the same sockets, and hands what it got to a shard that has fewer.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use corelane::net::{Addr, Listener, Peer, Stream};
use corelane_node::{Arrival, ClientId, Door, Ending, Node};

use super::moving::leave;
use super::newcomer::Newcomer;
use super::presence::Admission;
use super::registry::Registry;
use super::session::{End, Session};

/// What is listened with.
pub struct Entrance {
    /// The socket.
    pub listener: Listener,
    /// Through which door what comes by it has come.
    pub door: Door,
    /// Nothing but TLS is spoken there.
    pub speaks_tls: bool,
}

/// Accepts on this shard until `closing` resolves. Sessions are tasks of their own. What comes by the shard's own port
/// stays here; of what comes by a port of all shards each gets its part.
pub async fn listen(
    entrance: Entrance,
    node: Node,
    registry: &'static Registry,
    admission: Admission,
    closing: impl Future<Output = ()>,
) {
    let Entrance {
        listener,
        door,
        speaks_tls,
    } = entrance;
    let mut closing = pin!(closing);
    let local = listener
        .local_addr()
        .map_or_else(|_| String::new(), |address| address.to_string());
    let here = node.shard_id();
    let _open = (!door.is_pinned()).then(|| admission.door(here));
    let proxy = node.rules(|rules| rules.settings.proxy_protocol());
    let mut refusals = Refusals::default();
    let mut let_in = |stream: Stream, peer: Peer| {
        let limit = node.rules(|rules| rules.clients.max_clients as usize);
        let Some(admitted) = admission.enter(limit, here) else {
            refusals.note(&node, limit);
            // A client of TLS would take plain words for a broken handshake.
            if !speaks_tls {
                corelane::task::spawn(refuse(stream));
            }
            return;
        };
        prepare(&stream, &node);
        let is_tcp = matches!(peer, Peer::Tcp(_));
        let arrival = arrival(&stream, peer, &local, (door, speaks_tls));
        let newcomer = Newcomer {
            underway: node.note_newcomer(),
            stream,
            arrival,
            registry,
            admitted,
        };
        match &proxy {
            Some(proxy) if is_tcp => {
                corelane::task::spawn(newcomer.introduce(proxy.clone(), node.clone()));
            }
            _ => newcomer.place(&node),
        }
    };
    while let Some((stream, peer)) = accept(&listener, closing.as_mut()).await {
        let_in(stream, peer);
    }
    // Whom the kernel has let in already would be reset.
    if !node.is_ending() {
        for (stream, peer) in listener.close().await {
            let_in(stream, peer);
        }
    }
}

fn arrival(
    stream: &Stream,
    peer: Peer,
    listening_at: &str,
    (door, speaks_tls): (Door, bool),
) -> Arrival {
    let (peer, local) = match peer {
        Peer::Tcp(peer) => (Some(peer), reached(stream)),
        Peer::Unix => (None, None),
    };
    Arrival {
        peer,
        local: local.unwrap_or_else(|| format!("{listening_at}:0")),
        door,
        speaks_tls,
        now_ms: corelane::time::unix_ms(),
    }
}

/// The address that the client connected to: what a listener on every address of the machine does not know.
fn reached(stream: &Stream) -> Option<String> {
    match stream.local_addr() {
        Ok(Addr::Tcp(local)) => Some(local.to_string()),
        Ok(Addr::Unix(_)) | Err(_) => None,
    }
}

/// Waits for a connection; `None` is the end. Failed accepts (no descriptors left) are retried after a pause, so that
/// they neither end the listener nor spin.
async fn accept(
    listener: &Listener,
    mut closing: Pin<&mut impl Future<Output = ()>>,
) -> Option<(Stream, Peer)> {
    loop {
        let mut accepting = pin!(listener.accept());
        let accepted = poll_fn(|cx| match closing.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => accepting.as_mut().poll(cx).map(Some),
        });
        match accepted.await {
            None => return None,
            Some(Ok(connection)) => return Some(connection),
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection; trying again in 100 ms");
                corelane::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Refusals at `maxclients`: all are counted, and one in a while is logged.
#[derive(Default)]
struct Refusals {
    told_ns: Option<u64>,
    since: u64,
}

/// How long refusals are only counted after one was logged.
const TELL_EVERY: Duration = Duration::from_secs(10);

impl Refusals {
    fn note(&mut self, node: &Node, limit: usize) {
        node.with_stats(|stats| stats.connections_rejected += 1);
        self.since += 1;
        let now_ns = corelane::time::now_ns();
        let lately = |told_ns: u64| now_ns.saturating_sub(told_ns) < TELL_EVERY.as_nanos() as u64;
        if !self.told_ns.is_some_and(lately) {
            tracing::warn!(
                maxclients = limit,
                refused = self.since,
                "connections are refused: there are as many as maxclients allows"
            );
            self.told_ns = Some(now_ns);
            self.since = 0;
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
pub(super) fn note_end(node: &Node, id: ClientId, end: &End) {
    match end {
        End::Closed | End::Leaving(_) | End::Ended(Ending::Killed | Ending::Draining) => {}
        End::Ended(Ending::Idle) => {
            tracing::debug!(client = id.0, "closed: idle for longer than timeout");
            node.with_stats(|stats| stats.idle_disconnections += 1);
        }
        End::Ended(Ending::Evicted) => {
            tracing::warn!(
                client = id.0,
                "closed: the clients held more than maxmemory-clients, and this one most"
            );
            node.with_stats(|stats| stats.evicted_clients += 1);
        }
        End::Ended(Ending::SlowReader) => {
            tracing::warn!(
                client = id.0,
                "closed: output stood over the soft limit for too long"
            );
            node.with_stats(|stats| stats.output_limit_disconnections += 1);
        }
        // The kernel has asked, as tcp-keepalive says, or sent again for long enough, and nobody answered.
        End::Failed(error) if error.kind() == ErrorKind::TimedOut => {
            tracing::info!(client = id.0, "closed: the client vanished without a word");
            node.with_stats(|stats| stats.half_open_disconnections += 1);
        }
        End::Failed(error) => tracing::debug!(client = id.0, %error, "connection failed"),
        End::OutputLimit { bytes } => {
            tracing::warn!(
                client = id.0,
                bytes,
                "closed: output over the hard limit of client-output-buffer-limit"
            );
            node.with_stats(|stats| stats.output_limit_disconnections += 1);
        }
        End::TooLarge => {
            tracing::warn!(
                client = id.0,
                limit_bytes = node.max_reply_bytes(),
                "closed: one reply would be over the hard limit of client-output-buffer-limit, or over what one may be \
                 where that is none"
            );
            node.with_stats(|stats| stats.output_limit_disconnections += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what an async function returns.
    const fn future_bytes<A, F: Future>(_: &impl Fn(A) -> F) -> usize {
        size_of::<F>()
    }

    /// What every idle connection has of its own in memory; `cargo xtask measure idle` shows the rest.
    #[test]
    fn an_idle_connection_is_small() {
        let (task, session) = (future_bytes(&live), size_of::<Session>());
        assert!(task <= 256, "the task of a connection has {task} bytes");
        assert!(session <= 704, "a session has {session} bytes");
    }
}
