//! One worker on a thread of its own: a pool of one, without the numbers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use corelane_topology::Profile;

use super::{OnFailure, Unsent, Worker, WorkerStats};
use crate::pool::{CallFault, MAX_QUEUE, PoolConfig, PoolError, SendRefusal, Soon, To, WorkerPool};
use crate::supervision::Supervision;

/// How a single worker is made. The default lets the system place it.
#[derive(Debug)]
pub struct WorkerConfig<M> {
    /// The CPU that it is pinned to; one that the process may not use is an error.
    pub cpu: Option<usize>,
    /// Messages that wait at most, 1 to [`MAX_QUEUE`].
    pub queue: usize,
    /// What it is for; decides whether it spins before it sleeps.
    pub profile: Profile,
    /// What is done when it panics.
    pub supervision: Supervision,
    /// What becomes of messages that fail.
    pub on_failure: OnFailure<M>,
}

impl<M> Default for WorkerConfig<M> {
    fn default() -> Self {
        Self {
            cpu: None,
            queue: MAX_QUEUE,
            profile: Profile::Minimal,
            supervision: Supervision::default(),
            on_failure: OnFailure::default(),
        }
    }
}

/// A single worker, for any thread: `Clone`, `Send` and `Sync`. When the last one is dropped, the worker handles what
/// waits and leaves.
pub struct WorkerHandle<W: Worker>(Arc<WorkerPool<W>>);

/// Starts `worker` on a thread of its own. It is cloned for each of its states.
///
/// # Errors
/// [`PoolError`], in words. Nothing runs then.
pub fn spawn<W>(worker: W, config: WorkerConfig<W::Message>) -> Result<WorkerHandle<W>, PoolError>
where
    W: Worker + Clone + Send + Sync,
{
    let pool = PoolConfig {
        workers: Some(1),
        cpus: config.cpu.map(|cpu| vec![cpu]),
        profile: config.profile,
        queue: config.queue,
        supervision: config.supervision,
        ..PoolConfig::default()
    };
    let builder = WorkerPool::builder().config(pool);
    let pool = builder
        .on_failure(config.on_failure)
        .spawn(move |_| worker.clone())?;
    Ok(WorkerHandle(Arc::new(pool)))
}

/// Whom all messages of a single worker are for.
const IT: To<'static> = To::Worker(0);

impl<W: Worker> WorkerHandle<W> {
    /// Sends a message, and waits for room in the mailbox if need be.
    ///
    /// # Errors
    /// [`Unsent`] with the message.
    pub async fn send(&self, message: W::Message) -> Result<(), Unsent<W::Message>> {
        self.0.send(IT, message).await
    }

    /// Sends a message if there is room for it.
    ///
    /// # Errors
    /// [`Unsent`] with the message.
    pub fn try_send(&self, message: W::Message) -> Result<(), Unsent<W::Message>> {
        self.0.try_send(IT, message)
    }

    /// As [`send`](Self::send), for threads that await nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendRefusal::WouldBlock`] on a shard.
    pub fn send_blocking(&self, message: W::Message) -> Result<(), Unsent<W::Message>> {
        self.0.send_blocking(IT, message)
    }

    /// As [`send_blocking`](Self::send_blocking), for no longer than `limit`.
    ///
    /// # Errors
    /// As [`send_blocking`](Self::send_blocking), and [`SendRefusal::TimedOut`].
    pub fn send_timeout(
        &self,
        message: W::Message,
        limit: Duration,
    ) -> Result<(), Unsent<W::Message>> {
        self.0.send_timeout(IT, message, limit)
    }

    /// Sends a message and resolves to the reply.
    ///
    /// # Errors
    /// [`CallFault`].
    pub async fn call(&self, message: W::Message) -> Result<W::Reply, CallFault<W::Message>> {
        self.0.call(IT, message).await
    }

    /// As [`call`](Self::call), for threads that await nothing.
    ///
    /// # Errors
    /// As [`call`](Self::call), and [`SendRefusal::WouldBlock`] on a shard.
    pub fn call_blocking(&self, message: W::Message) -> Result<W::Reply, CallFault<W::Message>> {
        self.0.call_blocking(IT, message)
    }

    /// Lets messages wait, from the one after that which is handled now.
    pub fn pause(&self) -> Soon<Result<(), SendRefusal>> {
        self.0.pause(0)
    }

    /// Lets a paused worker go on.
    pub fn resume(&self) -> Soon<Result<(), SendRefusal>> {
        self.0.resume(0)
    }

    /// Asks for a sign of life: how long it took to come.
    pub fn ping(&self) -> Soon<Result<Duration, SendRefusal>> {
        self.0.ping(0)
    }

    /// What it has counted.
    #[must_use]
    pub fn stats(&self) -> WorkerStats {
        self.0.stats().workers[0]
    }

    /// Refuses new messages, handles every one that waits, and waits until the worker has left. For
    /// all handles; asking again does nothing.
    ///
    /// # Errors
    /// [`PoolError::Ended`] if it failed.
    ///
    /// # Panics
    /// On a shard, which would wait for ever: await [`stopped`](Self::stopped) there.
    pub fn stop(&self) -> Result<(), PoolError> {
        self.0.end()
    }

    /// As [`stop`](Self::stop), for who awaits.
    pub fn stopped(&self) -> Soon<Result<(), PoolError>> {
        self.0.stop()
    }
}

impl<W: Worker> Clone for WorkerHandle<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W: Worker> fmt::Debug for WorkerHandle<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerHandle")
            .field("stats", &self.stats())
            .finish()
    }
}
