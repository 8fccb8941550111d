//! One shard from its place in the mesh to its leaving, and its lives in between: a shard that a resize puts to
//! sleep keeps its thread and its lanes, and begins again when it is woken. The part that is the same on a
//! thread of its own and in the simulator.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use corelane_rt::task::{self, Group, JoinHandle, Panicked};
use corelane_rt::{local, time};

use crate::handle::Here;
use crate::mesh::{Core, Ends, Link, Mesh, MeshPoller, Peer};
use crate::node::{Node, Phase};
use crate::outside::Outside;
use crate::signal::{Fired, Signal};
use crate::{Service, ShardId, metrics, panics};

/// What a shard's life is made of, whatever the types of the two functions are.
pub(crate) trait Blueprint<S: Service>: 'static {
    fn init(&self, shard: ShardId) -> Pin<Box<dyn Future<Output = Result<S, String>>>>;
    fn main(&self, mesh: Mesh<S>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;
}

/// The two functions, as all shards share them.
pub(crate) struct Recipe<I, M> {
    pub(crate) init: Arc<I>,
    pub(crate) main: Arc<M>,
}

impl<I, M> Clone for Recipe<I, M> {
    fn clone(&self) -> Self {
        Self {
            init: self.init.clone(),
            main: self.main.clone(),
        }
    }
}

impl<S, I, M> Blueprint<S> for Recipe<I, M>
where
    S: Service,
    I: AsyncFn(ShardId) -> Result<S, String> + 'static,
    M: AsyncFn(Mesh<S>) -> Result<(), String> + 'static,
{
    fn init(&self, shard: ShardId) -> Pin<Box<dyn Future<Output = Result<S, String>>>> {
        let init = self.init.clone();
        Box::pin(async move { init(shard).await })
    }

    fn main(&self, mesh: Mesh<S>) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
        let main = self.main.clone();
        Box::pin(async move { main(mesh).await })
    }
}

/// The current life of a shard.
pub(crate) struct Living {
    ticker: JoinHandle<()>,
    /// Fires when main has ended.
    ended: Rc<Signal>,
}

/// What a shard begins its lives from.
pub(crate) struct Lives<S: Service> {
    blueprint: Rc<dyn Blueprint<S>>,
    living: RefCell<Option<Living>>,
}

/// Opens the mesh, lives if it has a service, and serves its peers until the node is over.
pub(crate) async fn run<S: Service>(
    outside: Arc<Outside<S>>,
    me: ShardId,
    ends: Ends<S>,
    blueprint: Rc<dyn Blueprint<S>>,
    service: Option<S>,
) {
    let (links, peers) = part(ends);
    let core = Core::new(me, outside, links);
    core.tally.start_measuring();
    metrics::watch_shard(&core.outside, me);
    let lives = Rc::new(Lives {
        blueprint,
        living: RefCell::default(),
    });
    local::insert(Rc::new(Here(Rc::downgrade(&core))));
    local::insert(lives.clone());
    let mesh = Mesh::new(core.clone());
    corelane_rt::add_poller(Box::new(MeshPoller::new(mesh.clone(), peers)));
    if let Some(service) = service {
        live(&mesh, &lives, service);
    }
    core.life.over.wait().await;
    if core.life.node.phase() == Phase::Leaving {
        core.put_down();
    } else {
        core.discard();
    }
    core.outside.look_at_life();
    if let Some(living) = lives.living.borrow_mut().take() {
        living.ticker.cancel();
    }
    local::remove::<Lives<S>>();
}

/// Builds a service and begins a life with it: for a shard that slept.
pub(crate) async fn begin<S: Service>(mesh: &Mesh<S>) -> Result<(), String> {
    let lives = lives::<S>().ok_or(LEAVING)?;
    if lives.living.borrow().is_some() {
        return Err("its main was asked to stop and has not returned yet".to_owned());
    }
    let node = &mesh.core.life.node;
    let service = build(node, &*lives.blueprint, mesh.shard()).await?;
    if mesh.core.life.is_over() {
        return Err(LEAVING.to_owned());
    }
    mesh.core.life.node.main_begun();
    live(mesh, &lives, service);
    Ok(())
}

/// Why nothing begins any more.
const LEAVING: &str = "the node is leaving";

/// How often a shard that has fallen asleep looks whether its last calls are done.
const REST_LOOK: Duration = Duration::from_millis(1);

/// Builds a shard's service; a panic is an error.
pub(crate) async fn build<S: Service>(
    node: &Node,
    blueprint: &dyn Blueprint<S>,
    me: ShardId,
) -> Result<S, String> {
    metrics::install(node.metrics());
    let mut init = blueprint.init(me);
    let built = poll_fn(|cx| {
        let polled = AssertUnwindSafe(|| init.as_mut().poll(cx));
        match std::panic::catch_unwind(polled) {
            Ok(Poll::Ready(built)) => Poll::Ready(built),
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => {
                let panic = panics::text(&*payload);
                Poll::Ready(Err(format!("its start panicked: {panic}")))
            }
        }
    });
    built.await
}

/// Asks main to return and waits until it has. The shard answers on.
pub(crate) async fn end_main<S: Service>(mesh: &Mesh<S>) {
    let lives = lives::<S>();
    let ended = lives.and_then(|lives| Some(lives.living.borrow().as_ref()?.ended.clone()));
    let Some(ended) = ended else { return };
    mesh.core.life.stopping.borrow().fire();
    ended.wait().await;
}

/// Waits until main has returned and puts the service down: the shard sleeps after this. Whoever begins
/// this must see it to its end.
pub(crate) async fn end<S: Service>(mesh: &Mesh<S>) {
    let core = &mesh.core;
    let Some(lives) = lives::<S>() else { return };
    if lives.living.borrow().is_none() {
        return;
    }
    end_main(mesh).await;
    if let Some(living) = lives.living.borrow_mut().take() {
        living.ticker.cancel();
    }
    // Before it is gone: a restart that is on its way must not bring it back.
    core.life.node.set_serves(core.me(), false);
    core.set_restarting(false);
    core.put_down();
    core.fall_asleep();
    task::spawn_in(Group::Control, come_to_rest(core.clone()));
}

/// Moves need not ask a shard that sleeps, once the calls that its tasks have left behind are done.
async fn come_to_rest<S: Service>(core: Rc<Core<S>>) {
    while core.is_asleep() && !core.partitions.is_quiet() {
        time::sleep(REST_LOOK).await;
    }
    if core.is_asleep() {
        core.life.node.set_takes_part(core.me(), false);
    }
}

/// Builds the service once more, in the place of one that panicked.
pub(crate) async fn rebuild<S: Service>(core: &Core<S>) -> Result<S, String> {
    let lives = lives::<S>().ok_or(LEAVING)?;
    build(&core.life.node, &*lives.blueprint, core.me()).await
}

/// Begins a life: the service answers, ticks, and main runs.
fn live<S: Service>(mesh: &Mesh<S>, lives: &Lives<S>, service: S) {
    let core = mesh.core.clone();
    core.install(service);
    core.life.renew();
    core.life.node.set_takes_part(core.me(), true);
    core.life.node.set_serves(core.me(), true);
    let ticker = task::spawn_in(Group::Control, tick(core.clone()));
    let ended = Rc::<Signal>::default();
    *lives.living.borrow_mut() = Some(Living {
        ticker,
        ended: ended.clone(),
    });
    let main = lives.blueprint.main(mesh.clone());
    // A task of its own, so that the stall detector sees it as one.
    let main = task::spawn(main);
    task::spawn_in(Group::Control, async move {
        see_to_its_end(&core, main).await;
        ended.fire();
    });
}

async fn see_to_its_end<S: Service>(core: &Core<S>, main: JoinHandle<Result<(), String>>) {
    match until(core.life.over.wait(), main).await {
        Some(Ok(Ok(()))) => core.life.node.main_done(),
        Some(Ok(Err(reason))) => core.life.fail(reason),
        Some(Err(panicked)) => core
            .life
            .fail(format!("its main panicked: {}", panicked.message)),
        None => {}
    }
}

/// What this shard's lives begin from; none once it has left.
fn lives<S: Service>() -> Option<Rc<Lives<S>>> {
    local::get()
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
            held: Default::default(),
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
