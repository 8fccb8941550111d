//! A node inside a simulated world: all shards on the calling thread, under the world's seed. Only
//! the threads are missing; everything from a shard's `init` on is the code that runs for real.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use corelane_rt::doorbell;
use corelane_rt::sim::{SimShard, World};

use super::error::LaunchError;
use super::options::{LaunchOptions, thread_name};
use crate::mesh::{Ends, wire};
use crate::metrics::Registry;
use crate::node::{Node, NodeFailure, Phase, Stopper};
use crate::outside::Outside;
use crate::shard::{self, Blueprint, Recipe};
use crate::signal::Signal;
use crate::{Handle, Mesh, Service, ShardId};

/// Starts a node inside `world`: one simulated shard per shard of `options`, then as
/// [`launch`](crate::launch()). The node runs when the world does; a shard whose `init` fails is the node's
/// failure, and no main runs.
///
/// # Errors
/// [`LaunchError`]: options that make no node.
pub fn launch_sim<S, I, M>(
    world: &World,
    options: &LaunchOptions,
    init: I,
    main: M,
) -> Result<SimNode<S>, LaunchError>
where
    S: Service,
    I: AsyncFn(ShardId) -> Result<S, String> + Send + Sync + 'static,
    M: AsyncFn(Mesh<S>) -> Result<(), String> + Send + Sync + 'static,
{
    options.check()?;
    let shards = options.shards.len();
    let node = Node::new(shards, options.first_map()?, options.keeper()?);
    let outside = Outside::new(node.clone());
    let recipe = Recipe {
        init: Arc::new(init),
        main: Arc::new(main),
    };
    let barrier = Rc::new(Barrier {
        left: Cell::new(options.active()),
        open: Rc::default(),
    });
    let mut places = Vec::with_capacity(shards);
    for (index, ends) in wire::<S>(shards, options.lane_capacity())
        .into_iter()
        .enumerate()
    {
        let shard = ShardId::at(index);
        let place = world.shard(shard.number(), &thread_name(shard));
        world.enter(place, || node.install_doorbell(shard, doorbell()));
        places.push(place);
        let life = SimLife {
            outside: outside.clone(),
            shard,
            barrier: barrier.clone(),
        };
        world.spawn_on(place, life.live(ends, Rc::new(recipe.clone())));
    }
    Ok(SimNode {
        outside,
        node,
        places,
    })
}

/// One shard, from its `init` on.
struct SimLife<S: Service> {
    outside: Arc<Outside<S>>,
    shard: ShardId,
    barrier: Rc<Barrier>,
}

/// Where the shards that serve wait for each other before their mains run.
struct Barrier {
    left: Cell<usize>,
    open: Rc<Signal>,
}

impl<S: Service> SimLife<S> {
    async fn live(self, ends: Ends<S>, blueprint: Rc<dyn Blueprint<S>>) {
        let node = self.outside.node();
        let mut service = None;
        if self.shard.index() < node.started_with() {
            match shard::build(node, &*blueprint, self.shard).await {
                Ok(built) => service = Some(built),
                Err(reason) => node.fail(self.shard, format!("it did not start: {reason}")),
            }
            self.barrier.arrive();
            self.barrier.open.wait().await;
        }
        if node.phase() == Phase::Failed {
            return;
        }
        shard::run(self.outside.clone(), self.shard, ends, blueprint, service).await;
    }
}

impl Barrier {
    fn arrive(&self) {
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            self.open.fire();
        }
    }
}

/// A node inside a simulated world.
pub struct SimNode<S: Service> {
    outside: Arc<Outside<S>>,
    node: Arc<Node>,
    places: Vec<SimShard>,
}

impl<S: Service> SimNode<S> {
    /// A handle to the service, for whatever lives in the world beside the node.
    #[must_use]
    pub fn handle(&self) -> Handle<S> {
        Handle::new(self.outside.clone())
    }

    /// What the node counts, for whatever lives in the world beside it.
    #[must_use]
    pub fn metrics(&self) -> Registry {
        self.node.metrics().clone()
    }

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

impl<S: Service> fmt::Debug for SimNode<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimNode")
            .field("shards", &self.node.shards())
            .field("outcome", &self.outcome())
            .finish_non_exhaustive()
    }
}
