//! The way to a pool: a handle that any thread may hold and clone, and what is behind all of them.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use corelane_rt::time;

use super::gauge::{Gate, Gauge};
use super::host::{Host, Op};
use super::placement::{Place, Placement};
use super::{PoolError, PoolStats, SendRefusal, Unsent, WorkerStats, blocking};
use crate::worker::{Policy, Worker};
use crate::{Handle, ShardId};

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<'a> {
    /// The worker of this number.
    Worker(usize),
    /// The worker that this key belongs to. Messages of one sender for one key are handled in the order
    /// in which they were sent.
    Key(&'a [u8]),
}

/// A pool of workers, for any thread: `Clone`, `Send` and `Sync`. The pool runs on when the last handle is gone.
pub struct PoolHandle<W: Worker> {
    pub(super) shared: Arc<Shared<W>>,
    /// A worker's own: it may send while the pool drains.
    pub(super) inside: bool,
}

/// What a worker knows of its place: its number, and the way to the others.
pub struct WorkerCx<W: Worker> {
    pub(super) pool: PoolHandle<W>,
    pub(super) worker: usize,
}

/// What the handles and the workers of a pool share.
pub(super) struct Shared<W: Worker> {
    /// There once the node runs.
    pub(super) handle: OnceLock<Handle<Host<W>>>,
    pub(super) gauges: Box<[Gauge]>,
    pub(super) placement: Placement,
    pub(super) policy: Policy<W::Message>,
    /// Messages that are between two workers, with the partition that moves.
    pub(super) moving: AtomicU64,
    /// Workers that have not left.
    pub(super) present: AtomicUsize,
    /// Who waits for the last to leave.
    pub(super) farewell: Mutex<Vec<oneshot::Sender<()>>>,
}

impl<W: Worker> Shared<W> {
    pub(super) fn new(
        workers: usize,
        room: usize,
        queue: usize,
        placement: Placement,
        policy: Policy<W::Message>,
    ) -> Arc<Self> {
        Arc::new(Self {
            handle: OnceLock::new(),
            gauges: (0..room).map(|_| Gauge::new(queue)).collect(),
            placement,
            policy,
            moving: AtomicU64::new(0),
            present: AtomicUsize::new(workers),
            farewell: Mutex::default(),
        })
    }

    /// Lets nobody but the workers send any more.
    pub(super) fn drain(&self) {
        for gauge in &self.gauges {
            if gauge.gate() == Gate::Open {
                gauge.set_gate(Gate::Draining);
            }
        }
    }

    /// Whether no message waits anywhere. In this order: see [`gauge`](super::gauge).
    pub(super) fn is_quiet(&self) -> bool {
        let gone: u64 = self.gauges.iter().map(Gauge::gone).sum();
        let moving = self.moving.load(Ordering::SeqCst);
        let charged: u64 = self.gauges.iter().map(Gauge::charged).sum();
        moving == 0 && gone == charged
    }

    /// A worker has left.
    pub(super) fn left(&self) {
        if self.present.fetch_sub(1, Ordering::AcqRel) == 1 {
            let waiting = std::mem::take(&mut *self.farewell());
            for waiting in waiting {
                // Who waited may have gone.
                let _ = waiting.send(());
            }
        }
    }

    fn farewell(&self) -> std::sync::MutexGuard<'_, Vec<oneshot::Sender<()>>> {
        self.farewell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Worker> PoolHandle<W> {
    /// Workers that serve at this moment: 0 to this many less one.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.handle().map_or(0, Handle::shards)
    }

    /// The worker that a key belongs to at this moment.
    ///
    /// # Errors
    /// [`SendRefusal::Misplaced`] if the pool's own partitioner names one that is not there.
    pub fn worker_of(&self, key: &[u8]) -> Result<usize, SendRefusal> {
        Ok(self.place(To::Key(key))?.worker)
    }

    /// What has been counted, by worker.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            workers: self.shared.gauges.iter().map(Gauge::stats).collect(),
        }
    }

    /// What one worker has counted; `None` if there is no such worker.
    #[must_use]
    pub fn worker_stats(&self, worker: usize) -> Option<WorkerStats> {
        self.shared.gauges.get(worker).map(Gauge::stats)
    }

    /// Whether the pool still takes messages.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.handle().is_ok_and(|handle| !handle.is_stopping())
    }

    /// Lets a worker's messages wait, from the one after that which it handles now. Its tick goes on, and it still
    /// answers pings. Resolves when it has stopped handling.
    pub fn pause(&self, worker: usize) -> Soon<Result<(), SendRefusal>> {
        self.tell(worker, Op::Pause)
    }

    /// Lets a paused worker go on.
    pub fn resume(&self, worker: usize) -> Soon<Result<(), SendRefusal>> {
        self.tell(worker, Op::Resume)
    }

    /// Asks a worker for a sign of life: how long it took to come. It passes what waits in the mailbox, but
    /// not what the worker is doing.
    pub fn ping(&self, worker: usize) -> Soon<Result<Duration, SendRefusal>> {
        let began = now();
        let pong = self.tell(worker, Op::Ping);
        Soon::new(async move {
            pong.await?;
            Ok(now().saturating_sub(began))
        })
    }

    /// Refuses new messages, handles those that wait (paused workers go on), and lets all workers leave. Resolves
    /// when they have.
    ///
    /// # Errors
    /// [`PoolError::Ended`] if the pool failed before.
    pub fn stop(&self) -> Soon<Result<(), PoolError>> {
        let pool = self.clone();
        let (shot, end) = oneshot::channel();
        self.shared.farewell().push(shot);
        self.shared.drain();
        if let Ok(handle) = self.handle() {
            handle.stopper().stop("the pool was asked to stop");
        }
        let gone = self.shared.present.load(Ordering::Acquire) == 0;
        Soon::new(async move {
            if !gone {
                // An error means that the pool is gone altogether.
                let _ = end.await;
            }
            pool.outcome()
        })
    }

    /// How the pool ended, if it did.
    pub(super) fn outcome(&self) -> Result<(), PoolError> {
        let failure = self.handle().ok().and_then(Handle::failure);
        failure.map_or(Ok(()), |failure| Err(PoolError::Ended(failure)))
    }

    pub(super) fn handle(&self) -> Result<&Handle<Host<W>>, SendRefusal> {
        self.shared.handle.get().ok_or(SendRefusal::Starting)
    }

    pub(super) fn place(&self, to: To<'_>) -> Result<Place, SendRefusal> {
        let handle = self.handle()?;
        match to {
            To::Key(key) => self.shared.placement.place(key, handle),
            To::Worker(worker) => match handle.shards() {
                workers if worker < workers => Ok(Place::at(worker)),
                workers => Err(SendRefusal::NoWorker { worker, workers }),
            },
        }
    }

    fn tell(
        &self,
        worker: usize,
        op: impl FnOnce(oneshot::Sender<()>) -> Op<W>,
    ) -> Soon<Result<(), SendRefusal>> {
        let (shot, done) = oneshot::channel();
        let told = self.place(To::Worker(worker)).and_then(|_| {
            let told = self.handle()?.cast(ShardId::at(worker), op(shot));
            told.map_err(|refused| refusal_of(refused.reason))
        });
        Soon::new(async move {
            told?;
            done.await.map_err(|_| SendRefusal::Stopped)
        })
    }
}

/// What a refusal of the node means to a sender.
pub(super) fn refusal_of(refusal: crate::Refusal) -> SendRefusal {
    match refusal {
        crate::Refusal::Full | crate::Refusal::Down => SendRefusal::Full,
        crate::Refusal::Closing => SendRefusal::Stopped,
    }
}

/// Since some point in the past that never changes.
fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    if corelane_rt::is_inside() {
        Duration::from_nanos(time::refresh_ns())
    } else {
        START.get_or_init(Instant::now).elapsed()
    }
}

impl<W: Worker> WorkerCx<W> {
    /// This worker's number in its pool.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// The way to the other workers. Also while the pool drains: what workers send each other then is handled.
    #[must_use]
    pub fn pool(&self) -> &PoolHandle<W> {
        &self.pool
    }
}

impl<W: Worker> Clone for PoolHandle<W> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            inside: self.inside,
        }
    }
}

impl<W: Worker> Clone for WorkerCx<W> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            worker: self.worker,
        }
    }
}

impl<W: Worker> fmt::Debug for PoolHandle<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolHandle")
            .field("workers", &self.workers())
            .finish_non_exhaustive()
    }
}

impl<W: Worker> fmt::Debug for WorkerCx<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerCx")
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}

/// Something that is on its way when this is returned: to be awaited, or waited for by a thread.
#[must_use = "it is on its way, and this says how it went"]
pub struct Soon<T>(Pin<Box<dyn Future<Output = T> + Send>>);

impl<T> Soon<T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }

    /// Blocks this thread until it is there.
    ///
    /// # Panics
    /// On a shard, or in a world: it would never be woken. Await it there.
    pub fn wait(self) -> T {
        assert!(
            !corelane_rt::is_inside(),
            "a shard that blocks serves nobody, not even this: await it instead"
        );
        blocking::wait(self.0, None).expect("there is no limit")
    }
}

impl<T> Future for Soon<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Soon<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Soon")
    }
}

impl<M> Unsent<M> {
    pub(super) fn new(message: M, reason: SendRefusal) -> Self {
        Self { message, reason }
    }
}
