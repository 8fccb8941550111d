//! A pool that grows and shrinks: its partitions move by the node's own protocol, and what waits in a mailbox for a
//! partition moves along.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::handle::{Shared, Soon};
use super::host::Host;
use super::placement::Placement;
use super::{PoolError, PoolHandle};
use crate::worker::{Item, Movable};
use crate::{Handoff, Resized};

/// A partition on its way from one worker to another.
pub(crate) struct Moved<W: Movable> {
    parcel: W::Parcel,
    waiting: Waiting<W>,
}

/// What waits for a partition on its way.
struct Waiting<W: Movable> {
    items: Vec<Item<W>>,
    shared: Arc<Shared<W>>,
}

impl<W: Movable> Waiting<W> {
    fn new(items: Vec<Item<W>>, shared: &Arc<Shared<W>>) -> Self {
        let shared = shared.clone();
        Self { items, shared }
    }
}

/// Dropped on the way, because neither worker could take it: a pool that stops must not wait for it.
impl<W: Movable> Drop for Waiting<W> {
    fn drop(&mut self) {
        let lost = self.items.len() as u64;
        if lost > 0 {
            tracing::error!(
                lost,
                "messages were lost with a partition that nobody could take"
            );
            self.shared.moving.fetch_sub(lost, Ordering::SeqCst);
        }
    }
}

impl<W: Movable> Handoff for Host<W> {
    type Parcel = Moved<W>;

    fn export(&mut self, partition: usize) -> Option<Moved<W>> {
        let parcel = self.worker.export(&mut self.state, partition)?;
        let waiting = Waiting::new(Vec::new(), &self.mailbox.shared);
        Some(Moved { parcel, waiting })
    }

    fn hand_over(&mut self, partition: usize) -> Moved<W> {
        let parcel = self.worker.hand_over(&mut self.state, partition);
        let waiting = self.mailbox.give_away(partition as u16);
        let waiting = Waiting::new(waiting, &self.mailbox.shared);
        Moved { parcel, waiting }
    }

    fn import(&mut self, partition: usize, mut moved: Moved<W>) {
        // First: should the worker panic over the parcel, its next state handles them.
        self.mailbox
            .take_in(std::mem::take(&mut moved.waiting.items));
        self.worker.import(&mut self.state, partition, moved.parcel);
    }

    fn abandon(&mut self, partition: usize) {
        self.worker.abandon(&mut self.state, partition);
    }
}

impl<W: Movable> PoolHandle<W> {
    /// Lets so many workers serve from now on, while messages come: as few keys move as an even spread allows, their
    /// state and what waits for them with them. No message is lost, handled twice or overtaken by another for
    /// its key.
    ///
    /// For pools that were built with [`max_workers`](super::PoolConfig::max_workers).
    ///
    /// # Errors
    /// [`PoolError::Fixed`] or [`PoolError::Resize`].
    pub fn resize(&self, workers: usize) -> Soon<Result<Resized, PoolError>> {
        let pool = self.clone();
        Soon::new(async move {
            if !matches!(pool.shared.placement, Placement::Elastic) {
                return Err(PoolError::Fixed);
            }
            match pool.handle() {
                Ok(handle) => Ok(handle.resize(workers).await?),
                Err(_) => Err(PoolError::Fixed),
            }
        })
    }
}
