//! All blocks of a node, by shard and service.
//!
//! The lock in it is taken when a shard starts and when somebody looks, never while a shard works.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::block::{Block, Writer};
use super::snapshot::{Row, Snapshot};
use crate::ShardId;

/// Blocks of one node at most: one of each of 64 services on each of 256 shards.
pub const MAX_BLOCKS: usize = 16_384;

/// A node's metrics, for every thread: whoever counts registers a block, whoever watches takes a
/// [`snapshot`](Self::snapshot). A cheap handle.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Arc<Mutex<Vec<Entry>>>,
}

/// Whose block it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The shard that writes it; `None` for what belongs to the node as a whole.
    pub shard: Option<ShardId>,
    /// The service that it is about; `None` for what all services of the shard share.
    pub service: Option<Arc<str>>,
}

struct Entry {
    owner: Owner,
    block: Arc<dyn Block + Send + Sync>,
    writer: Weak<()>,
}

/// Why a block was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Its owner writes such a block already.
    #[error(
        "this shard and service have a writer of these metrics already; share that one by an Rc"
    )]
    Taken,
    /// There are [`MAX_BLOCKS`].
    #[error(
        "a node has at most {MAX_BLOCKS} blocks of metrics; use one block per service and shard"
    )]
    Full,
}

impl Registry {
    /// A registry without blocks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The block of type `B` of `owner`, to be written by the calling thread.
    ///
    /// If an earlier writer of it is gone, as after a restart of a shard, the numbers go on from where they
    /// were: counters never go back while the node runs.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn register<B: Block + Default>(&self, owner: Owner) -> Result<Writer<B>, RegisterError> {
        let mut entries = self.entries();
        let alive = Arc::new(());
        let known = entries.iter_mut().find_map(|entry| {
            let any: Arc<dyn Any + Send + Sync> = entry.block.clone();
            let block = any.downcast::<B>().ok()?;
            (entry.owner == owner).then_some((entry, block))
        });
        if let Some((entry, block)) = known {
            if entry.writer.strong_count() > 0 {
                return Err(RegisterError::Taken);
            }
            entry.writer = Arc::downgrade(&alive);
            return Ok(Writer::new(block, alive));
        }
        if entries.len() >= MAX_BLOCKS {
            return Err(RegisterError::Full);
        }
        let block = Arc::<B>::default();
        entries.push(Entry {
            owner,
            block: block.clone(),
            writer: Arc::downgrade(&alive),
        });
        Ok(Writer::new(block, alive))
    }

    /// Has `block` read whenever somebody looks: for numbers that lie elsewhere already.
    ///
    /// # Errors
    /// [`RegisterError::Full`].
    pub fn attach(
        &self,
        owner: Owner,
        block: Arc<dyn Block + Send + Sync>,
    ) -> Result<(), RegisterError> {
        let mut entries = self.entries();
        if entries.len() >= MAX_BLOCKS {
            return Err(RegisterError::Full);
        }
        entries.push(Entry {
            owner,
            block,
            writer: Weak::new(),
        });
        Ok(())
    }

    /// All numbers as they are now, by owner and then in the order of each block's list. Takes microseconds per
    /// shard of the calling thread's time and none of the shards'.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut blocks: Vec<_> = self
            .entries()
            .iter()
            .map(|entry| (entry.owner.clone(), entry.block.clone()))
            .collect();
        // Stable: blocks of one owner stay in the order of their registration.
        blocks.sort_by(|(a, _), (b, _)| a.cmp(b));
        let rows = blocks.into_iter().flat_map(|(owner, block)| {
            let metrics = block.metrics().iter().enumerate();
            metrics
                .map(|(index, metric)| Row {
                    owner: owner.clone(),
                    metric,
                    value: block.value(index),
                })
                .collect::<Vec<_>>()
        });
        Snapshot::new(rows.collect())
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Each change is one push or one assignment: what a panicking holder left behind is whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("blocks", &self.entries().len())
            .finish()
    }
}

impl Owner {
    /// What `shard` writes for all its services.
    #[must_use]
    pub fn shard(shard: ShardId) -> Self {
        Self {
            shard: Some(shard),
            service: None,
        }
    }

    /// What `shard` writes for `service`.
    #[must_use]
    pub fn service(shard: ShardId, service: &str) -> Self {
        Self {
            shard: Some(shard),
            service: Some(service.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MAX_BLOCKS, Owner, RegisterError, Registry};
    use crate::ShardId;
    use crate::metrics::{Block, Value, Writer};

    crate::metrics! {
        /// One counter and durations.
        struct Work;
        /// Jobs done.
        counter done = "work_done_total";
        /// How long they took.
        histogram took = "work_took_seconds";
    }

    fn owner(shard: u16) -> Owner {
        Owner::service(ShardId::new(shard), "work")
    }

    #[test]
    fn every_thread_sees_what_the_shards_count() {
        let registry = Registry::new();
        std::thread::scope(|scope| {
            for shard in 0..3 {
                let registry = registry.clone();
                scope.spawn(move || {
                    let work = registry.register::<Work>(owner(shard)).expect("room");
                    for _ in 0..1000 * (shard + 1) {
                        work.done.inc();
                        work.took.record(100);
                    }
                });
            }
        });
        let snapshot = registry.snapshot();
        assert_eq!(snapshot.total("work_done_total"), 6000);
        assert_eq!(snapshot.durations("work_took_seconds").count(), 6000);
        let each: Vec<_> = snapshot
            .named("work_done_total")
            .map(|row| (row.owner.shard.map(ShardId::number), row.value.clone()))
            .collect();
        let count = |shard, n| (Some(shard), Value::Count(n));
        assert_eq!(each, [count(0, 1000), count(1, 2000), count(2, 3000)]);
    }

    #[test]
    fn a_restarted_writer_counts_on() {
        let registry = Registry::new();
        let first: Writer<Work> = registry.register(owner(0)).expect("room");
        first.done.add(5);
        assert_eq!(
            registry.register::<Work>(owner(0)).unwrap_err(),
            RegisterError::Taken
        );
        drop(first);
        let second: Writer<Work> = registry.register(owner(0)).expect("the first is gone");
        second.done.inc();
        assert_eq!(registry.snapshot().total("work_done_total"), 6);
    }

    #[test]
    fn blocks_are_bounded() {
        let registry = Registry::new();
        let block: Arc<dyn Block + Send + Sync> = Arc::new(Work::default());
        for _ in 0..MAX_BLOCKS {
            registry.attach(owner(0), block.clone()).expect("room");
        }
        assert_eq!(registry.attach(owner(0), block), Err(RegisterError::Full));
        assert_eq!(
            registry.register::<Work>(owner(1)).unwrap_err(),
            RegisterError::Full
        );
    }
}
