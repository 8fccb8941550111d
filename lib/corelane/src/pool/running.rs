//! A pool that runs: on threads, in the hands of who made it, or in a simulated world.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use corelane_rt::sim::SimShard;
use corelane_topology::{Plan, Profile};

use super::handle::Shared;
use super::host::Host;
use super::{PoolBuilder, PoolConfig, PoolError, PoolHandle};
use crate::partitioner::Partitioner;
use crate::worker::Worker;
use crate::{NodeFailure, Running, SimNode};

/// A pool on threads. It is its own [`PoolHandle`]; [`handle`](Self::handle) gives out others.
///
/// Dropping it asks the workers to handle what waits and to leave, and does not wait for them.
pub struct WorkerPool<W: Worker> {
    handle: PoolHandle<W>,
    /// Watches over the workers, and returns how the pool ended.
    keeper: Mutex<Option<JoinHandle<Result<(), NodeFailure>>>>,
    plan: Plan,
}

impl<W: Worker> WorkerPool<W> {
    /// A pool with nothing to configure: as many workers as this machine has room for, each on a CPU of its
    /// own.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn auto<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::builder().spawn(factory)
    }

    /// A pool as `config` has it.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn new<F>(config: PoolConfig, factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::builder().config(config).spawn(factory)
    }

    /// As [`new`](Self::new), with keys placed by `partitioner`.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn with_partitioner<F>(
        config: PoolConfig,
        partitioner: impl Partitioner + 'static,
        factory: F,
    ) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        let builder = Self::builder().config(config);
        builder.partitioner(partitioner).spawn(factory)
    }

    /// Full control.
    #[must_use]
    pub fn builder() -> PoolBuilder<W> {
        PoolBuilder::new()
    }

    /// On a machine of its own; the same as [`auto`](Self::auto).
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn production<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::for_profile(Profile::Production, factory)
    }

    /// Beside a developer's other programs.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn development<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::for_profile(Profile::Development, factory)
    }

    /// The same pool on every machine.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn testing<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::for_profile(Profile::Testing, factory)
    }

    /// Workers that answer in microseconds, at the price of CPU time.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn low_latency<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::for_profile(Profile::LowLatency, factory)
    }

    /// As many messages as the machine can do.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn performance<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::for_profile(Profile::Throughput, factory)
    }

    /// One worker, beside something more important.
    ///
    /// # Errors
    /// [`PoolError`], in words.
    pub fn minimal<F>(factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::for_profile(Profile::Minimal, factory)
    }

    fn for_profile<F>(profile: Profile, factory: F) -> Result<Self, PoolError>
    where
        F: Fn(usize) -> W + Send + Sync + 'static,
    {
        Self::new(PoolConfig::for_profile(profile), factory)
    }

    pub(super) fn new_running(
        shared: Arc<Shared<W>>,
        running: Running<Host<W>>,
        plan: Plan,
    ) -> Result<Self, PoolError> {
        let keeper = thread::Builder::new().name("pool-keeper".to_owned());
        let keeper = keeper.spawn(move || running.join());
        Ok(Self {
            handle: PoolHandle {
                shared,
                inside: false,
            },
            keeper: Mutex::new(Some(keeper.map_err(PoolError::Keeper)?)),
            plan,
        })
    }

    /// A handle, for other threads.
    #[must_use]
    pub fn handle(&self) -> PoolHandle<W> {
        self.handle.clone()
    }

    /// The plan of this machine that the pool was made from: what was chosen, and why.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Refuses new messages, handles every one that waits, and waits until all workers have left.
    ///
    /// # Errors
    /// [`PoolError::Ended`] if the pool failed.
    ///
    /// # Panics
    /// On a shard, which would wait for ever: await [`PoolHandle::stop`] there.
    pub fn stop_all(self) -> Result<(), PoolError> {
        self.end()
    }

    /// As [`stop_all`](Self::stop_all), for any number of owners.
    pub(crate) fn end(&self) -> Result<(), PoolError> {
        let stopped = self.handle.stop().wait();
        let keeper = self
            .keeper
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match keeper.map(JoinHandle::join) {
            Some(Ok(Err(failure))) => Err(PoolError::Ended(failure)),
            _ => stopped,
        }
    }
}

impl<W: Worker> Deref for WorkerPool<W> {
    type Target = PoolHandle<W>;

    fn deref(&self) -> &PoolHandle<W> {
        &self.handle
    }
}

impl<W: Worker> Drop for WorkerPool<W> {
    fn drop(&mut self) {
        self.handle.shared.drain();
        if let Ok(handle) = self.handle.handle() {
            handle.stopper().stop("its pool was dropped");
        }
    }
}

impl<W: Worker> fmt::Debug for WorkerPool<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPool")
            .field("workers", &self.workers())
            .finish_non_exhaustive()
    }
}

/// A pool in a simulated world. It is its own [`PoolHandle`]; the world runs it.
pub struct SimPool<W: Worker> {
    handle: PoolHandle<W>,
    node: SimNode<Host<W>>,
}

impl<W: Worker> SimPool<W> {
    pub(super) fn new(shared: Arc<Shared<W>>, node: SimNode<Host<W>>) -> Self {
        Self {
            handle: PoolHandle {
                shared,
                inside: false,
            },
            node,
        }
    }

    /// A handle, for what lives in the world beside the pool.
    #[must_use]
    pub fn handle(&self) -> PoolHandle<W> {
        self.handle.clone()
    }

    /// Where each worker lives in the world, by its number.
    #[must_use]
    pub fn places(&self) -> &[SimShard] {
        self.node.places()
    }

    /// How the pool ended; `None` while it runs.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), NodeFailure>> {
        self.node.outcome()
    }
}

impl<W: Worker> Deref for SimPool<W> {
    type Target = PoolHandle<W>;

    fn deref(&self) -> &PoolHandle<W> {
        &self.handle
    }
}

impl<W: Worker> fmt::Debug for SimPool<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}
