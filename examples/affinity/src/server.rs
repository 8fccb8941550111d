//! The node: its shards, and who accepts. On threads or in a simulated world, by the same code.

use std::future::{Future, poll_fn};
use std::io;
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use corelane::net::{Addr, ListenOptions, Listener, Peer, Stream};
use corelane::sim::World;
use corelane::sync::Hold;
use corelane::{
    LaunchError, LaunchOptions, Mesh, Running, ShardId, SimNode, launch, launch_sim, task, time,
};

use crate::moving::Session;
use crate::permits::Permits;
use crate::policy::Routing;
use crate::refuse::Refuser;
use crate::session;
use crate::shard::{FibShard, Request};

/// After a failed accept (no descriptors left, say).
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0 picks one for all shards.
    pub listen: Addr,
    /// How requests reach the shard of their number.
    pub routing: Routing,
    /// Connections that may be open at once.
    pub max_connections: usize,
    /// How long a connection may bring no whole line, or take no replies, before it is closed.
    pub patience: Duration,
    /// Numbers that each shard keeps.
    pub cached: NonZero<usize>,
}

/// Told once, when all shards accept connections, at which address.
pub type Started = Arc<dyn Fn(&Addr) + Send + Sync>;

/// Serves on threads of this process.
///
/// # Errors
///
/// [`LaunchError`]: shards that could not start. Whether the address could be had shows when the node ends.
pub fn serve(
    launch_options: &LaunchOptions,
    options: ServeOptions,
    started: Started,
) -> Result<Running<FibShard>, LaunchError> {
    let permits = Permits::new(options.max_connections);
    let serve = options.clone();
    launch(
        launch_options,
        async move |_| Ok(FibShard::new(&serve, permits.clone())),
        async move |mesh| run(mesh, &options.listen, &started).await,
    )
}

/// Serves inside a simulated world.
///
/// # Errors
///
/// As [`serve`].
pub fn simulate(
    world: &World,
    launch_options: &LaunchOptions,
    options: ServeOptions,
) -> Result<SimNode<FibShard>, LaunchError> {
    let permits = Permits::new(options.max_connections);
    let serve = options.clone();
    let started: Started = Arc::new(|_| {});
    launch_sim(
        world,
        launch_options,
        async move |_| Ok(FibShard::new(&serve, permits.clone())),
        async move |mesh| run(mesh, &options.listen, &started).await,
    )
}

/// One shard's main: shard 0 sees to it that all accept; all wait until the node stops and their sessions have ended.
async fn run(mesh: Mesh<FibShard>, listen: &Addr, started: &Started) -> Result<(), String> {
    if mesh.shard() == ShardId::new(0) {
        let addr = listen_everywhere(&mesh, listen).await?;
        started(&addr);
    }
    mesh.stopping().await;
    let gate = mesh.with(|shard| shard.gate.clone());
    gate.close().await;
    Ok(())
}

/// Has every shard listen on one address. The first picks the port where none is named.
async fn listen_everywhere(mesh: &Mesh<FibShard>, listen: &Addr) -> Result<Addr, String> {
    let in_words = |error: io::Error| format!("cannot listen on {listen}: {error}");
    let listener = bind(listen).map_err(in_words)?;
    let addr = listener.local_addr().map_err(in_words)?;
    let inside = mesh.with(|shard| shard.gate.enter());
    start_accepting(mesh, listener, inside.map_err(|closed| closed.to_string())?);
    for shard in mesh.all_shards().filter(|&shard| shard != mesh.shard()) {
        let listening = mesh.call(shard, Request::Listen(addr.clone())).await;
        listening.map_err(|error| error.without_request().to_string())?;
    }
    Ok(addr)
}

pub(crate) fn bind(addr: &Addr) -> io::Result<Listener> {
    let options = ListenOptions {
        reuse_port: true,
        ..ListenOptions::default()
    };
    Listener::bind(addr, &options)
}

/// Accepts until the node stops, as a task of its own.
pub(crate) fn start_accepting(mesh: &Mesh<FibShard>, listener: Listener, inside: Hold) {
    let mesh = mesh.clone();
    drop(task::spawn(async move {
        let _inside = inside;
        let mut stopping = pin!(mesh.stopping());
        let refuser = Refuser::default();
        loop {
            let mut accept = pin!(listener.accept());
            let accepted = poll_fn(|cx| match stopping.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => accept.as_mut().poll(cx).map(Some),
            });
            match accepted.await {
                None => return,
                Some(Ok((stream, peer))) => admit(&mesh, stream, &peer, &refuser),
                Some(Err(error)) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }));
}

fn admit(mesh: &Mesh<FibShard>, stream: Stream, peer: &Peer, refuser: &Refuser) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "gone before it was served");
        return;
    }
    let (permit, inside, max) = mesh.with(|shard| {
        let permit = shard.permits.take();
        match permit {
            Some(_) => shard.stats.accepted += 1,
            None => shard.stats.refused += 1,
        }
        (permit, shard.gate.enter(), shard.permits.max())
    });
    match (permit, inside) {
        (Some(permit), Ok(inside)) => {
            session::start(mesh, stream, Session::new(permit), inside);
        }
        (None, _) => refuser.refuse(stream, max),
        (_, Err(_)) => drop(stream),
    }
}
