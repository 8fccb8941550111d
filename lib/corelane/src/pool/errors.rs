//! What a pool refuses, and what to change.

use std::fmt;

use corelane_topology::{PlanError, ReadError};

use super::MAX_QUEUE;
use crate::partitioner::PartitionError;
use crate::{LaunchError, NodeFailure, ResizeError};

/// Why a pool did not start, or how it ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A pool of nobody.
    #[error("a pool needs a worker, and 0 were asked for: give 1 or more, or leave `workers` out")]
    NoWorkers,
    /// Room for fewer workers than there are.
    #[error(
        "`max_workers` is {max} and the pool starts with {workers}: give {workers} or more, or leave it out"
    )]
    MaxWorkers {
        /// What was given.
        max: usize,
        /// How many the pool starts with.
        workers: usize,
    },
    /// A mailbox without room, or with too much.
    #[error("`queue` is {queue}: give 1 to {MAX_QUEUE}")]
    Queue {
        /// What was given.
        queue: usize,
    },
    /// As many CPUs as workers, or none.
    #[error("{cpus} CPUs are named for {workers} workers: name one for each, or leave `cpus` out")]
    Cpus {
        /// CPUs named.
        cpus: usize,
        /// Workers they are for.
        workers: usize,
    },
    /// A partitioner that does not fit.
    #[error(transparent)]
    Partitioner(#[from] PartitionError),
    /// A pool with a partitioner of its own that is to grow.
    #[error(
        "a pool that is to be resized places keys by its partitions: leave `partitioner` or `max_workers` out"
    )]
    PartitionerMoves,
    /// The machine could not be read.
    #[error(transparent)]
    Machine(#[from] ReadError),
    /// The machine has no place for the pool.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The node did not start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The system gave no thread to watch over the workers.
    #[error("the pool got no thread to watch over its workers: {0}")]
    Keeper(std::io::Error),
    /// The pool's size was fixed when it was built.
    #[error(
        "this pool is not made to be resized: build it with `max_workers`, and without `partitioner`"
    )]
    Fixed,
    /// The pool was not resized, or not all the way.
    #[error(transparent)]
    Resize(#[from] ResizeError),
    /// The pool ended by a failure: a worker that panicked too often, most likely.
    #[error("the pool ended: {0}")]
    Ended(NodeFailure),
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendRefusal {
    /// The worker's mailbox is full.
    Full,
    /// The mailbox was full for as long as the sender would wait.
    TimedOut,
    /// The pool stops, or has ended.
    Stopped,
    /// There is no such worker.
    NoWorker {
        /// The number asked for.
        worker: usize,
        /// Workers there are.
        workers: usize,
    },
    /// The pool's partitioner named a worker that is not there.
    Misplaced {
        /// The worker it named.
        worker: usize,
        /// Workers there are.
        workers: usize,
    },
    /// A shard would have blocked, and served nobody meanwhile.
    WouldBlock,
    /// The pool is still starting: workers do not send before all of them are there.
    Starting,
}

impl fmt::Display for SendRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "the worker's mailbox is full: wait with `send`, or allow a longer `queue`",
            ),
            Self::TimedOut => {
                f.write_str("the worker's mailbox stayed full for as long as allowed")
            }
            Self::Stopped => f.write_str("the pool stops, or has ended"),
            Self::NoWorker { worker, workers } => {
                write!(
                    f,
                    "there is no worker {worker}: they are 0 to {}",
                    workers.saturating_sub(1)
                )
            }
            Self::Misplaced { worker, workers } => write!(
                f,
                "the pool's partitioner named worker {worker} of {workers}: see what its closure returns"
            ),
            Self::WouldBlock => f.write_str(
                "a shard must not block: await `send` there, under `time::timeout` if need be",
            ),
            Self::Starting => {
                f.write_str("the pool is still starting: send from `handle_message` or `tick`")
            }
        }
    }
}

/// A message that was not sent, and why.
#[derive(PartialEq, Eq)]
pub struct Unsent<M> {
    /// The message, unchanged.
    pub message: M,
    /// Why it comes back.
    pub reason: SendRefusal,
}

/// Messages that were not sent, oldest first, and why.
#[derive(PartialEq, Eq)]
pub struct UnsentMany<M> {
    /// The messages, unchanged.
    pub messages: Vec<M>,
    /// Why they come back.
    pub reason: SendRefusal,
}

/// What became of a message that has no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Its handler says that it failed.
    Failed(String),
    /// Its handler panicked.
    Panicked(String),
}

/// Why a call has no reply.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFault<M> {
    /// The message was not sent and comes back.
    Unsent(Unsent<M>),
    /// It was handled, and failed.
    Fault(Fault),
    /// The pool ended before the reply came, or the worker's `handle_batch` gave none.
    NoReply,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => write!(f, "the message failed: {reason}"),
            Self::Panicked(reason) => write!(f, "the worker panicked: {reason}"),
        }
    }
}

impl<M> fmt::Display for CallFault<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(unsent) => unsent.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
            Self::NoReply => {
                f.write_str("no reply came: the pool has ended, or its worker gave none")
            }
        }
    }
}

impl<M> fmt::Display for Unsent<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<M> fmt::Display for UnsentMany<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages: {}", self.messages.len(), self.reason)
    }
}

impl<M> fmt::Debug for CallFault<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(unsent) => unsent.fmt(f),
            Self::Fault(fault) => fmt::Debug::fmt(fault, f),
            Self::NoReply => f.write_str("NoReply"),
        }
    }
}

impl<M> fmt::Debug for Unsent<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsent({:?})", self.reason)
    }
}

impl<M> fmt::Debug for UnsentMany<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnsentMany({}, {:?})", self.messages.len(), self.reason)
    }
}

impl<M> std::error::Error for Unsent<M> {}
impl<M> std::error::Error for UnsentMany<M> {}
impl<M> std::error::Error for CallFault<M> {}
impl std::error::Error for Fault {}
