//! How far a resize has come, for people who wait for it. Written by whoever moves partitions, read by anybody.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{Mesh, Service};

/// A resize that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resizing {
    /// Shards that will serve.
    pub shards: usize,
    /// Partitions that are to move.
    pub moves: usize,
    /// Of these, moved.
    pub moved: usize,
}

/// The node's.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Partitions that have moved since the node began.
    moves: AtomicU64,
    /// What a resize goes to; 0 while there is none.
    to: AtomicUsize,
    planned: AtomicUsize,
    moved: AtomicUsize,
}

impl Progress {
    pub(crate) fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// A resize begins to move partitions. It is over when what this returns is dropped.
    pub(crate) fn resize(&self, to: usize, planned: usize) -> OfResize<'_> {
        self.planned.store(planned, Ordering::Relaxed);
        self.moved.store(0, Ordering::Relaxed);
        self.to.store(to, Ordering::Release);
        OfResize(self)
    }
}

/// One resize's progress.
pub(crate) struct OfResize<'p>(&'p Progress);

impl OfResize<'_> {
    /// One of its partitions has moved.
    pub(crate) fn one_more(&self) {
        self.0.moved.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for OfResize<'_> {
    fn drop(&mut self) {
        self.0.to.store(0, Ordering::Release);
    }
}

impl<S: Service> Mesh<S> {
    /// The resize that is going on, if there is one.
    #[must_use]
    pub fn resizing(&self) -> Option<Resizing> {
        let progress = &self.core.life.node.progress;
        let shards = progress.to.load(Ordering::Acquire);
        (shards > 0).then(|| Resizing {
            shards,
            moves: progress.planned.load(Ordering::Relaxed),
            moved: progress.moved.load(Ordering::Relaxed),
        })
    }

    /// Partitions that have moved since the node began, to and fro.
    #[must_use]
    pub fn partitions_moved(&self) -> u64 {
        self.core.life.node.progress.moves.load(Ordering::Relaxed)
    }
}
