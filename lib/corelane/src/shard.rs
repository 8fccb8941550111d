//! One shard's life from its built service to its leaving: the part that is the same on a thread of
//! its own and in the simulator.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use corelane_rt::task::{self, Group, JoinHandle, Panicked};
use corelane_rt::time;

use crate::mesh::{Core, Ends, Link, Mesh, MeshPoller, Peer};
use crate::node::Node;
use crate::signal::Fired;
use crate::{Service, ShardId};

/// What every shard runs once the node has started: a name for the bound that the launches spell out.
pub(crate) trait Main<S: Service>:
    AsyncFn(Mesh<S>) -> Result<(), String> + Send + Sync + 'static
{
}

impl<S, M> Main<S> for M
where
    S: Service,
    M: AsyncFn(Mesh<S>) -> Result<(), String> + Send + Sync + 'static,
{
}

/// Opens the mesh and runs `main`, serving the peers until all mains have returned or a shard failed.
pub(crate) async fn run<S: Service, M: Main<S>>(
    node: Arc<Node>,
    me: ShardId,
    ends: Ends<S>,
    service: S,
    main: Arc<M>,
) {
    let (links, peers) = part(ends);
    let core = Core::new(node.clone(), me, service, links);
    corelane_rt::add_poller(Box::new(MeshPoller::new(core.clone(), peers)));
    let ticker = task::spawn_in(Group::Control, tick(core.clone()));
    let mesh = Mesh::new(core.clone());
    // A task of its own, so that the stall detector sees it as one.
    let main = task::spawn(async move { main(mesh).await });
    match until(core.life.over.wait(), main).await {
        Some(Ok(Ok(()))) => {
            node.main_done();
            core.life.over.wait().await;
        }
        Some(Ok(Err(reason))) => core.life.fail(reason),
        Some(Err(panicked)) => core
            .life
            .fail(format!("its main panicked: {}", panicked.message)),
        None => {}
    }
    ticker.cancel();
}

/// Splits a shard's ends into what its tasks send by and what its poller takes from.
pub(crate) fn part<S: Service>(ends: Ends<S>) -> (Vec<Option<Link<S>>>, Vec<Peer<S>>) {
    let mut links = Vec::new();
    let mut peers = Vec::new();
    for (index, (to, from)) in ends.to.into_iter().zip(ends.from).enumerate() {
        let (Some(to), Some(from)) = (to, from) else {
            links.push(None);
            continue;
        };
        links.push(Some(Link::new(to.requests, to.control)));
        peers.push(Peer {
            id: ShardId::at(index),
            requests: from.requests,
            answers: from.replies,
            replies: to.replies,
            control: from.control,
            staged: Default::default(),
        });
    }
    (links, peers)
}

/// The end of `main`, or `None` if `over` came first, which ends it where it stands.
async fn until<T>(over: Fired, mut main: JoinHandle<T>) -> Option<Result<T, Panicked>> {
    let mut over = pin!(over);
    let ended = poll_fn(|cx| {
        if over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut main).poll(cx).map(Some)
    });
    let ended = ended.await;
    main.cancel();
    ended
}

/// Ticks until the node fails or the shard leaves.
async fn tick<S: Service>(core: Rc<Core<S>>) {
    while core.is_sound() {
        time::sleep(S::TICK).await;
        core.tick();
    }
}
