//! Moving whole parts of a keyspace: databases for each other, partitions to other shards.

use super::space::settle;
use super::{Counts, Keyspace, Partition};

impl Keyspace {
    /// Exchanges two databases (`SWAPDB`).
    pub fn swap(&mut self, a: u16, b: u16) {
        for partition in self.partitions.iter_mut().flatten() {
            partition.dbs.swap(a as usize, b as usize);
        }
        self.totals.swap(a as usize, b as usize);
    }

    /// Whether this shard holds a partition.
    pub fn holds(&self, partition: usize) -> bool {
        self.partitions[partition].is_some()
    }

    /// Gives a partition away, to be [attached](Self::attach) by another shard; `None` if it is not
    /// held.
    pub fn detach(&mut self, partition: usize) -> Option<Box<Partition>> {
        let gone = self.partitions[partition].take()?;
        for db in 0..self.databases() {
            let (total, bytes) = (&mut self.totals[db as usize], &mut self.live_bytes);
            settle(total, bytes, gone.counts(db), Counts::default());
        }
        Some(gone)
    }

    /// Takes a partition over.
    ///
    /// # Panics
    /// If one of that number is held already, or if it comes from a keyspace with another number of
    /// databases. It must come from one with the same seed: its keys are not found otherwise.
    pub fn attach(&mut self, partition: usize, new: Box<Partition>) {
        assert!(
            self.partitions[partition].is_none(),
            "partition {partition} is here already"
        );
        assert_eq!(
            new.dbs.len(),
            self.totals.len(),
            "all shards have the same databases"
        );
        for db in 0..self.databases() {
            let (total, bytes) = (&mut self.totals[db as usize], &mut self.live_bytes);
            settle(total, bytes, Counts::default(), new.counts(db));
        }
        self.partitions[partition] = Some(new);
    }
}
