//! A node inside a simulated world: all shards on the calling thread, under the world's seed. Only
//! the threads are missing; everything from a shard's `init` on is the code that runs for real.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use corelane_rt::doorbell;
use corelane_rt::sim::{SimShard, World};

use super::error::LaunchError;
use super::options::{LaunchOptions, thread_name};
use crate::mesh::wire;
use crate::node::{Node, NodeFailure, Stopper};
use crate::{Mesh, Service, ShardId, panics, shard};

/// Starts a node inside `world`: one simulated shard per shard of `options`, then as
/// [`launch`](crate::launch()). The node runs when the world does.
///
/// # Errors
/// [`LaunchError`]: options that make no node, or a shard that did not start.
pub fn launch_sim<S, I, M>(
    world: &World,
    options: &LaunchOptions,
    init: I,
    main: M,
) -> Result<SimNode, LaunchError>
where
    S: Service,
    I: Fn(ShardId) -> Result<S, String> + Send + Sync + 'static,
    M: AsyncFn(Mesh<S>) -> Result<(), String> + Send + Sync + 'static,
{
    options.check()?;
    let shards = options.shards.len();
    let node = Node::new(shards);
    let mut ready = Vec::with_capacity(shards);
    for shard in (0..shards).map(ShardId::at) {
        let place = world.shard(shard.number(), &thread_name(shard));
        let service = world.enter(place, || prepare(&node, shard, &init));
        let service = service.map_err(|reason| LaunchError::Shard { shard, reason })?;
        ready.push((place, service));
    }
    let main = Arc::new(main);
    let ends = wire::<S>(shards, options.lane_capacity());
    let mut places = Vec::with_capacity(shards);
    for (ends, (place, service)) in ends.into_iter().zip(ready) {
        let (node, me, main) = (node.clone(), ShardId::at(places.len()), main.clone());
        world.spawn_on(place, shard::run(node, me, ends, service, main));
        places.push(place);
    }
    Ok(SimNode { node, places })
}

fn prepare<S>(
    node: &Node,
    shard: ShardId,
    init: &impl Fn(ShardId) -> Result<S, String>,
) -> Result<S, String> {
    node.install_doorbell(shard, doorbell());
    let started = catch_unwind(AssertUnwindSafe(|| init(shard)));
    started
        .unwrap_or_else(|payload| Err(format!("its start panicked: {}", panics::text(&*payload))))
}

/// A node inside a simulated world.
pub struct SimNode {
    node: Arc<Node>,
    places: Vec<SimShard>,
}

impl SimNode {
    /// Asks all shards to drain and leave; see [`Stopper::stop`].
    pub fn stop(&self) {
        self.node.stop("asked through its handle");
    }

    /// A handle that can ask for a stop from inside the world.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper::new(self.node.clone())
    }

    /// Where each shard lives in the world, in order: to crash it or to run something beside it.
    #[must_use]
    pub fn places(&self) -> &[SimShard] {
        &self.places
    }

    /// How the node ended; `None` while it runs.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), NodeFailure>> {
        let over = self.node.phase().is_over();
        over.then(|| self.node.failure().map_or(Ok(()), Err))
    }
}

impl fmt::Debug for SimNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimNode")
            .field("shards", &self.node.shards())
            .field("outcome", &self.outcome())
            .finish_non_exhaustive()
    }
}
