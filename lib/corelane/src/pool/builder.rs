//! Putting a pool together, step by step.

use std::fmt;
use std::sync::Arc;

use corelane_rt::sim::World;
use corelane_topology::Profile;

use super::config::Layout;
use super::handle::Shared;
use super::host::Host;
use super::mailbox::attend;
use super::placement::Placement;
use super::{PoolConfig, PoolError, SimPool, WorkerPool};
use crate::partitioner::Partitioner;
use crate::supervision::Supervision;
use crate::worker::{OnFailure, Worker};
use crate::{Mesh, ShardId, launch, launch_sim};

/// Made by [`WorkerPool::builder`]; everything has a default.
pub struct PoolBuilder<W: Worker> {
    config: PoolConfig,
    partitioner: Option<Arc<dyn Partitioner>>,
    on_failure: OnFailure<W::Message>,
}

impl<W: Worker> PoolBuilder<W> {
    pub(super) fn new() -> Self {
        Self {
            config: PoolConfig::default(),
            partitioner: None,
            on_failure: OnFailure::default(),
        }
    }

    /// All plain values at once.
    #[must_use]
    pub fn config(self, config: PoolConfig) -> Self {
        Self { config, ..self }
    }

    /// How many workers.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = Some(workers);
        self
    }

    /// Makes a pool that can be [resized](super::PoolHandle::resize), up to so many workers.
    #[must_use]
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.config.max_workers = Some(workers);
        self
    }

    /// The CPU of each worker.
    #[must_use]
    pub fn cpus(mut self, cpus: impl IntoIterator<Item = usize>) -> Self {
        self.config.cpus = Some(cpus.into_iter().collect());
        self
    }

    /// What the pool is for.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.config.profile = profile;
        self
    }

    /// Messages that wait for one worker at most.
    #[must_use]
    pub fn queue(mut self, queue: usize) -> Self {
        self.config.queue = queue;
        self
    }

    /// What is done about workers that panic.
    #[must_use]
    pub fn supervision(mut self, supervision: Supervision) -> Self {
        self.config.supervision = supervision;
        self
    }

    /// What becomes of messages that fail.
    #[must_use]
    pub fn on_failure(self, on_failure: OnFailure<W::Message>) -> Self {
        Self { on_failure, ..self }
    }

    /// Which worker a key belongs to. It places on as many targets as there are workers, which then stay as
    /// many.
    #[must_use]
    pub fn partitioner(mut self, partitioner: impl Partitioner + 'static) -> Self {
        self.partitioner = Some(Arc::new(partitioner));
        self
    }

    /// Starts the pool. `factory` makes each worker, by its number, on the worker's own thread; again after
    /// each panic.
    ///
    /// # Errors
    /// [`PoolError`], in words. Nothing runs then.
    pub fn spawn<F>(self, factory: F) -> Result<WorkerPool<W>, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        let (layout, shared) = self.prepare()?;
        let (init, main) = life(&shared, factory);
        let running = launch(&layout.options, init, main)?;
        shared.handle.get_or_init(|| running.handle());
        WorkerPool::new_running(shared, running, layout.plan)
    }

    /// Starts the pool inside a simulated world, which runs it.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn spawn_sim<F>(self, world: &World, factory: F) -> Result<SimPool<W>, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        let (layout, shared) = self.prepare()?;
        let (init, main) = life(&shared, factory);
        let node = launch_sim(world, &layout.options, init, main)?;
        shared.handle.get_or_init(|| node.handle());
        Ok(SimPool::new(shared, node))
    }

    fn prepare(self) -> Result<(Layout, Arc<Shared<W>>), PoolError> {
        let layout = self.config.layout()?;
        let placement = match self.partitioner {
            Some(_) if layout.elastic => return Err(PoolError::PartitionerMoves),
            Some(partitioner) => {
                partitioner.check_fits(layout.workers)?;
                Placement::By(partitioner)
            }
            None if layout.elastic => Placement::Elastic,
            None => Placement::even(layout.workers),
        };
        let shared = Shared::new(
            layout.workers,
            layout.options.shards.len(),
            self.config.queue,
            placement,
            self.on_failure.into(),
        );
        Ok((layout, shared))
    }
}

/// What a shard of the pool runs: its start, again after each panic, and its main.
#[allow(clippy::type_complexity)] // Two closures that have no names.
fn life<W, F>(
    shared: &Arc<Shared<W>>,
    factory: F,
) -> (
    impl AsyncFn(ShardId) -> Result<Host<W>, String> + Send + Sync + 'static,
    impl AsyncFn(Mesh<Host<W>>) -> Result<(), String> + Send + Sync + 'static,
)
where
    W: Worker,
    F: Fn(usize) -> W + Send + Sync + 'static,
{
    let (starting, attending) = (shared.clone(), shared.clone());
    let init = async move |shard: ShardId| {
        let worker = factory(shard.index());
        Host::start(&starting, worker, shard).await
    };
    let main = async move |mesh: Mesh<Host<W>>| {
        attend(mesh, attending.clone()).await;
        Ok(())
    };
    (init, main)
}

impl<W: Worker> fmt::Debug for PoolBuilder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("config", &self.config)
            .field("on_failure", &self.on_failure)
            .finish_non_exhaustive()
    }
}
