//! The node: every shard has rooms and sessions; the first one lets clients in.

use std::net::SocketAddr;
use std::time::Duration;

use corelane::net::{Addr, ListenOptions, Listener, Stream};
use corelane::{CallError, LaunchOptions, Mesh, ShardId, Target, time};

use crate::session::Migrant;
use crate::state::{Ask, Rooms};

/// After an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A node of `shards` shards, of which `active` serve from the start.
#[must_use]
pub fn options(shards: usize, active: usize) -> LaunchOptions {
    LaunchOptions {
        active: Some(active),
        ..LaunchOptions::unpinned(shards)
    }
}

/// A shard's state.
///
/// # Errors
/// None.
pub async fn init(shard: ShardId) -> Result<Rooms, String> {
    Ok(Rooms::new(shard))
}

/// What runs on a shard while it serves.
///
/// # Errors
/// The first shard cannot listen on `addr`.
pub async fn serve(mesh: Mesh<Rooms>, addr: SocketAddr) -> Result<(), String> {
    if mesh.shard() == ShardId::new(0) {
        accept(&mesh, addr).await?;
    } else {
        mesh.stopping().await;
    }
    // The sessions have heard of it, too: they leave, or end with the node.
    let gate = mesh.with(|state| state.gate.clone());
    gate.close().await;
    Ok(())
}

/// Lets clients in until the node stops. One shard alone listens, the one that never sleeps: a listener that
/// closes resets who waits in its queue. From there clients go round all shards.
async fn accept(mesh: &Mesh<Rooms>, addr: SocketAddr) -> Result<(), String> {
    let listener = Listener::bind(&Addr::Tcp(addr), &ListenOptions::default());
    let listener = listener.map_err(|error| format!("cannot listen on {addr}: {error}"))?;
    let mut stopping = std::pin::pin!(mesh.stopping());
    for number in 1u64.. {
        let mut accept = std::pin::pin!(listener.accept());
        let accepted = std::future::poll_fn(|cx| match stopping.as_mut().poll(cx) {
            std::task::Poll::Ready(()) => std::task::Poll::Ready(None),
            std::task::Poll::Pending => accept.as_mut().poll(cx).map(Some),
        });
        match accepted.await {
            None => break,
            Some(Ok((stream, _))) => admit(mesh, stream, number).await,
            Some(Err(error)) => {
                eprintln!("a client could not come in: {error}");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    Ok(())
}

/// Gives a client to a shard: one of all in turn, or this one where that one is just going to sleep.
async fn admit(mesh: &Mesh<Rooms>, stream: Stream, number: u64) {
    let turn = ShardId::new((number % mesh.shards() as u64) as u16);
    let migrant = Migrant::new(stream.detach().await, format!("guest-{number}"));
    let asked = mesh.call(turn, Ask::Adopt(Box::new(migrant))).await;
    let request = match asked {
        Ok(_) => return,
        Err(CallError::Moved(request)) => request,
        Err(CallError::Refused(refused)) => refused.message,
        Err(error) => return eprintln!("a client was turned away: {error}"),
    };
    if let Err(error) = mesh.call(Target::Shard(mesh.shard()), request).await {
        eprintln!("a client was turned away: {error}");
    }
}
