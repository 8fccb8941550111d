//! Which worker a key belongs to.

use std::sync::Arc;

use crate::partitioner::Partitioner;
use crate::worker::Worker;
use crate::{Handle, PARTITIONS, ShardId, ShardMap, Target, partition_of};

use super::SendRefusal;
use super::host::Host;

/// No partition: the message is for the worker.
pub(super) const TO_WORKER: u16 = u16::MAX;

/// How keys find their workers.
#[derive(Clone)]
pub(super) enum Placement {
    /// By their partitions, which stay where they are.
    Even(Arc<[u16]>),
    /// By their partitions, which may move.
    Elastic,
    /// As somebody else says.
    By(Arc<dyn Partitioner>),
}

/// Where a message goes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) worker: usize,
    /// Its partition, if it may move, else [`TO_WORKER`].
    pub(super) partition: u16,
}

impl Place {
    pub(super) fn at(worker: usize) -> Self {
        let partition = TO_WORKER;
        Self { worker, partition }
    }

    pub(super) fn target(self) -> Target {
        match self.partition {
            TO_WORKER => Target::Shard(ShardId::at(self.worker)),
            partition => Target::Partition(usize::from(partition)),
        }
    }
}

impl Placement {
    pub(super) fn even(workers: usize) -> Self {
        let map = ShardMap::even(workers);
        Self::Even((0..PARTITIONS).map(|p| map.owner(p).number()).collect())
    }

    pub(super) fn place<W: Worker>(
        &self,
        key: &[u8],
        handle: &Handle<Host<W>>,
    ) -> Result<Place, SendRefusal> {
        match self {
            Self::Even(owners) => Ok(Place::at(usize::from(owners[partition_of(key)]))),
            Self::Elastic => {
                let partition = partition_of(key);
                Ok(Place {
                    worker: handle.shard_of(Target::Partition(partition)).index(),
                    partition: partition as u16,
                })
            }
            Self::By(partitioner) => match partitioner.place(key) {
                worker if worker < partitioner.targets() => Ok(Place::at(worker)),
                worker => Err(SendRefusal::Misplaced {
                    worker,
                    workers: partitioner.targets(),
                }),
            },
        }
    }
}
