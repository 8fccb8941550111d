//! What every shard of a server runs, in the real world and in a simulated one.

use std::time::Duration;

use corelane::Mesh;
use corelane::net::Listener;
use corelane_front::resp;
use corelane_node::{Door, Ending, Node, Shard, background};

use crate::assemble::{Parts, registry};

/// How long a stopping shard waits for its clients' last replies to be taken.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a shard that is to sleep waits for its clients to go; below what a resize waits for the shard.
const LEAVE: Duration = Duration::from_secs(5);

/// How often it looks who is still there.
const LOOK: Duration = Duration::from_millis(1);

/// How long cluster clients of a shard that goes to sleep are told where its slots have gone, before its own port's
/// connections are closed: whoever asks in that time knows better before it meets a closed door.
const FAREWELL: Duration = Duration::from_millis(500);

/// Serves on one shard until the node stops, then drains; or until a resize lets it sleep, when its clients go to
/// other shards.
///
/// # Errors
/// There are no descriptors left to listen with; the reason names the address.
pub async fn serve(mesh: Mesh<Shard>, parts: Parts) -> Result<(), String> {
    let node = Node::new(mesh, parts.catalog.clone(), parts.identity.clone());
    if node.catch_up().await.is_err() {
        tracing::debug!("the node ends before a shard that was woken has begun");
        return Ok(());
    }
    node.learn_acceptor().await;
    for (door, speaks_tls, listener) in listeners(&node, &parts)? {
        let local = listener
            .local_addr()
            .map_or_else(|_| String::new(), |address| address.to_string());
        let listening = resp::listen(
            listener,
            local,
            speaks_tls,
            node.clone(),
            registry(),
            parts.admission.clone(),
            door,
        );
        corelane::task::spawn(listening);
    }
    corelane::task::spawn_in(
        corelane::task::Group::Background,
        background::run(node.clone()),
    );
    parts.ready.say();
    node.mesh().stopping().await;
    if node.is_ending() {
        parts.addresses.close();
        drain(&node).await;
    } else {
        retire(&node).await;
    }
    Ok(())
}

/// Lets the clients of a shard that is to sleep go to the others; none is closed that can go.
async fn retire(node: &Node) {
    let began_ns = corelane::time::now_ns();
    let deadline_ns = began_ns + LEAVE.as_nanos() as u64;
    let farewell_ns = began_ns + FAREWELL.as_nanos() as u64;
    while !node.is_ending() {
        let left = node.send_clients_away(corelane::time::now_ns() >= farewell_ns);
        if left == 0 {
            break;
        }
        if corelane::time::now_ns() >= deadline_ns {
            tracing::warn!(
                clients = left,
                "a shard that goes to sleep cuts clients off that are in the middle of a reply"
            );
            node.with_stats(|stats| stats.retirement_disconnections += left as u64);
            node.end_clients(Ending::Killed);
            break;
        }
        corelane::time::sleep(LOOK).await;
    }
    if node.is_ending() {
        drain(node).await;
    } else {
        node.bequeath().await;
    }
}

/// What this shard listens with, and whether TLS is spoken there: the sockets of all shards where it keeps clients, and
/// its own port where it owns data, for as long as it serves.
fn listeners(node: &Node, parts: &Parts) -> Result<Vec<(Door, bool, Listener)>, String> {
    let shard = node.shard_id();
    let mut listeners = Vec::new();
    if node.keeps_clients(shard) {
        let shared = parts.addresses.listeners()?.into_iter();
        listeners.extend(shared.map(|(listener, tls)| (Door::Main, tls, listener)));
    }
    if shard.index() >= node.mesh().map().io_shards() {
        let own = parts.shard_ports.listen(shard.index())?;
        listeners.extend(
            own.into_iter()
                .map(|listener| (Door::Shard, false, listener)),
        );
    }
    Ok(listeners)
}

/// Ends the clients, and gives them a moment to take their last replies.
async fn drain(node: &Node) {
    node.end_clients(Ending::Draining);
    let deadline_ns = corelane::time::now_ns() + DRAIN.as_nanos() as u64;
    while node.clients() > 0 && corelane::time::now_ns() < deadline_ns {
        corelane::time::sleep(Duration::from_millis(1)).await;
    }
    let left = node.clients();
    if left > 0 {
        tracing::warn!(
            clients = left,
            "stopping with clients that have not taken their replies"
        );
    }
}
