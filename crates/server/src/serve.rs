//! What every shard of a server runs, in the real world and in a simulated one.

use std::time::Duration;

use corelane::Mesh;
use corelane::net::Listener;
use corelane_front::resp;
use corelane_node::{Door, Ending, Node, Shard, background};

use crate::assemble::{Parts, registry};

/// How long a stopping shard waits for its clients' last replies to be taken.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves on one shard until the node stops, then drains.
///
/// # Errors
/// There are no descriptors left to listen with; the reason names the address.
pub async fn serve(mesh: Mesh<Shard>, parts: Parts) -> Result<(), String> {
    let node = Node::new(mesh, parts.catalog.clone(), parts.identity.clone());
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
    parts.addresses.close();
    drain(&node).await;
    Ok(())
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
