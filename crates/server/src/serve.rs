//! What every shard of a server runs, in the real world and in a simulated one.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use corelane::Mesh;
use corelane::net::{Addr, ListenOptions, Listener};
use corelane_front::resp;
use corelane_node::{Ending, Node, Shard, background};

use crate::addresses::Addresses;
use crate::assemble::{Parts, registry};

/// How long a stopping shard waits for its clients' last replies to be taken.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves on one shard until the node stops, then drains.
///
/// # Errors
/// An address cannot be listened on; the reason names it.
pub async fn serve(mesh: Mesh<Shard>, parts: Parts) -> Result<(), String> {
    let shard = mesh.shard().index();
    let node = Node::new(mesh, parts.catalog.clone(), parts.identity.clone());
    for address in parts.addresses.of_shard(shard) {
        let listener = bind(&address, &parts.addresses)?;
        let local = listener
            .local_addr()
            .unwrap_or_else(|_| address.clone())
            .to_string();
        let listening = resp::listen(
            listener,
            local,
            node.clone(),
            registry(),
            parts.admission.clone(),
        );
        corelane::task::spawn(listening);
    }
    corelane::task::spawn_in(
        corelane::task::Group::Background,
        background::run(node.clone()),
    );
    parts.ready.say();
    node.mesh().stopping().await;
    drain(&node).await;
    Ok(())
}

fn bind(address: &Addr, addresses: &Addresses) -> Result<Listener, String> {
    let reuse_port = matches!(address, Addr::Tcp(_));
    let options = ListenOptions {
        reuse_port,
        backlog: addresses.backlog,
    };
    let listener = Listener::bind(address, &options)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    if let (Addr::Unix(path), Some(mode)) = (address, addresses.unix_mode) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(|error| format!("cannot set the mode of {address}: {error}"))?;
    }
    Ok(listener)
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
