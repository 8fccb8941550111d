//! What every shard of a server runs, in the real world and in a simulated one.

use std::time::Duration;

use corelane::Mesh;
use corelane::task::JoinHandle;
use corelane_front::resp;
use corelane_node::{Ending, Node, Shard, background};

use crate::assemble::{Parts, registry};
use crate::entrances;

/// How long a stopping shard waits for one more of its clients to have taken its last replies.
const DRAIN: Duration = Duration::from_secs(5);

/// How long it waits for all of them, one after the other.
const DRAIN_ALL: Duration = Duration::from_secs(30);

/// How long a shard that is to sleep waits for its clients to go; below what a resize waits for the shard.
const LEAVE: Duration = Duration::from_secs(5);

/// How long clients that are cut off may take to go, each at its next chance.
const CUT: Duration = Duration::from_secs(1);

/// How often it looks who is still there.
const LOOK: Duration = Duration::from_millis(1);

/// How long the own port of a shard that goes to sleep is open after its last slot has gone: a client that was sent
/// there for that slot a moment before finds the door open, and hears where the slot is now.
const FAREWELL: Duration = Duration::from_millis(500);

/// Serves on one shard until the node stops, then drains; or until a resize lets it sleep, when its clients go to
/// other shards.
///
/// # Errors
/// None: what can fail was had before, and a main that fails would end the node.
pub async fn serve(mesh: Mesh<Shard>, parts: Parts) -> Result<(), String> {
    let entrances = entrances::take();
    let node = Node::new(mesh, parts.catalog.clone(), parts.identity.clone());
    if node.catch_up().await.is_err() {
        tracing::debug!("the node ends before a shard that was woken has begun");
        return Ok(());
    }
    node.learn_tls().await;
    let mut listening = Vec::new();
    for entrance in entrances {
        let is_own = entrance.door.is_pinned();
        let accepting = resp::listen(
            entrance,
            node.clone(),
            registry(),
            parts.admission.clone(),
            closing(node.clone(), is_own),
        );
        listening.push(corelane::task::spawn(accepting));
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
        retire(&node, listening).await;
    }
    Ok(())
}

/// Resolves when nobody is let in any more: as soon as the shard is to serve no more, by its own port a while later.
async fn closing(node: Node, is_own: bool) {
    node.mesh().stopping().await;
    if is_own && !node.is_ending() {
        corelane::time::sleep(FAREWELL).await;
    }
}

/// Lets the clients of a shard that is to sleep go to the others, those last that still come by its own port; none is
/// closed that can go.
async fn retire(node: &Node, listening: Vec<JoinHandle<()>>) {
    for accepting in listening {
        node.send_clients_away();
        if accepting.await.is_err() {
            tracing::warn!("a listener failed; nobody was let in by it any more");
        }
    }
    let deadline_ns = corelane::time::now_ns() + LEAVE.as_nanos() as u64;
    while !node.is_ending() {
        let left = node.send_clients_away();
        if left == 0 {
            break;
        }
        if corelane::time::now_ns() >= deadline_ns {
            tracing::warn!(
                clients = left,
                "a shard that goes to sleep cuts clients off that are in the middle of a reply, or have not begun"
            );
            node.with_stats(|stats| stats.retirement_disconnections += left as u64);
            cut_off(node).await;
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

/// Ends the clients, and gives them time to take their last replies: as long as one after the other does.
async fn drain(node: &Node) {
    node.end_clients(Ending::Draining);
    if wait_for_clients(node, DRAIN, DRAIN_ALL).await > 0 {
        tracing::warn!(
            clients = node.clients(),
            "stopping: clients that have not taken their replies are cut off"
        );
        cut_off(node).await;
    }
}

/// Ends the clients as they are. A session that outlived its shard's state would find nothing to work on.
async fn cut_off(node: &Node) {
    node.end_clients(Ending::Killed);
    let left = wait_for_clients(node, CUT, CUT).await;
    if left > 0 {
        tracing::warn!(clients = left, "clients that were cut off are still there");
    }
}

/// Waits until there are no clients, or none went for as long as `for_one`, or it took `for_all`; how many are left.
async fn wait_for_clients(node: &Node, for_one: Duration, for_all: Duration) -> usize {
    let last_ns = corelane::time::now_ns() + for_all.as_nanos() as u64;
    let (mut left, mut seen_ns) = (usize::MAX, 0);
    loop {
        let now_ns = corelane::time::now_ns();
        if node.clients() < left {
            (left, seen_ns) = (node.clients(), now_ns);
        }
        let deadline_ns = last_ns.min(seen_ns + for_one.as_nanos() as u64);
        if left == 0 || now_ns >= deadline_ns {
            return left;
        }
        corelane::time::sleep(LOOK).await;
    }
}
