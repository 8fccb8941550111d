//! The threads of a node's shards: who is still there, and waiting for them to leave with a bound.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::ShardId;

/// All threads of a node.
pub(super) struct JoinSet {
    threads: Vec<Option<JoinHandle<()>>>,
    departure: Sender<ShardId>,
    departures: Receiver<ShardId>,
}

/// Held by a shard's thread while it lives; its drop says that the thread leaves.
pub(super) struct Leaving {
    shard: ShardId,
    departure: Sender<ShardId>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // Nobody listens once the handle to the node is gone.
        let _ = self.departure.send(self.shard);
    }
}

impl JoinSet {
    pub(super) fn new(shards: usize) -> Self {
        let (departure, departures) = mpsc::channel();
        Self {
            threads: (0..shards).map(|_| None).collect(),
            departure,
            departures,
        }
    }

    /// What the thread of `shard` is to hold.
    pub(super) fn leaving(&self, shard: ShardId) -> Leaving {
        Leaving {
            shard,
            departure: self.departure.clone(),
        }
    }

    /// Adds a thread that was started with its [`Leaving`].
    pub(super) fn joined(&mut self, shard: ShardId, thread: JoinHandle<()>) {
        self.threads[shard.index()] = Some(thread);
    }

    /// The shards whose threads have not left.
    pub(super) fn present(&self) -> impl Iterator<Item = ShardId> + '_ {
        let present = |&index: &usize| self.threads[index].is_some();
        (0..self.threads.len()).filter(present).map(ShardId::at)
    }

    /// A shard whose thread has not left.
    pub(super) fn anyone(&self) -> Option<ShardId> {
        self.present().next()
    }

    /// Waits up to `patience` for one thread to leave; whether one did.
    pub(super) fn wait_one(&mut self, patience: Duration) -> bool {
        match self.departures.recv_timeout(patience) {
            Ok(shard) => {
                if let Some(thread) = self.threads[shard.index()].take() {
                    // It catches its own panics, reports them, and has left: nothing to learn here.
                    let _ = thread.join();
                }
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the threads keeps a sender"),
        }
    }

    /// Waits up to `patience` for all threads to leave; the first that has not is the error.
    pub(super) fn wait_all(&mut self, patience: Duration) -> Result<(), ShardId> {
        let deadline = Instant::now() + patience;
        while let Some(shard) = self.anyone() {
            let left = deadline.saturating_duration_since(Instant::now());
            if !self.wait_one(left) {
                return Err(shard);
            }
        }
        Ok(())
    }
}
