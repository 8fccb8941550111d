//! A pool that grows and shrinks: its partitions move by the node's own protocol, and what waits in a mailbox for a
//! partition moves along.

use super::handle::Soon;
use super::host::Host;
use super::placement::Placement;
use super::{PoolError, PoolHandle};
use crate::worker::{Item, Movable};
use crate::{Handoff, Resized};

/// A partition on its way from one worker to another.
pub(crate) struct Moved<W: Movable> {
    parcel: W::Parcel,
    waiting: Vec<Item<W>>,
}

impl<W: Movable> Handoff for Host<W> {
    type Parcel = Moved<W>;

    fn export(&mut self, partition: usize) -> Option<Moved<W>> {
        let parcel = self.worker.export(&mut self.state, partition)?;
        let waiting = Vec::new();
        Some(Moved { parcel, waiting })
    }

    fn hand_over(&mut self, partition: usize) -> Moved<W> {
        Moved {
            parcel: self.worker.hand_over(&mut self.state, partition),
            waiting: self.desk.give_away(partition as u16),
        }
    }

    fn import(&mut self, partition: usize, moved: Moved<W>) {
        self.worker.import(&mut self.state, partition, moved.parcel);
        self.desk.take_in(moved.waiting);
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
