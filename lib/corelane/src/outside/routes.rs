//! Partition → shard as any thread may read it, and how many requests from outside are under way for each
//! partition.
//!
//! A sender **enters** a partition (counts itself in) and then looks at the route again; who freezes a partition
//! marks the route and then looks at the counts. Both sides write first, fence, and read second, so either the
//! sender sees the mark and turns back, or the freezer sees the sender and waits until its request is handled.
//! Counts of entries and of exits lie apart: senders write the one, the owning shard alone writes the other.

use corelane_channel::CacheLine;

use super::atomics::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use crate::{PARTITIONS, ShardId, ShardMap};

/// Set in a route while its partition is frozen.
const FROZEN: u32 = 1 << 31;

/// Where requests from outside go.
pub(crate) struct Routes {
    /// Shard number, and [`FROZEN`].
    route: Box<[AtomicU32]>,
    /// Requests that have gone in.
    entered: Box<[CacheLine<AtomicU64>]>,
    /// Requests that have been answered. Written by the partition's owner alone.
    left: Box<[CacheLine<AtomicU64>]>,
    shards: AtomicUsize,
}

impl Routes {
    /// The routes that a map says.
    pub(crate) fn of_map(map: &ShardMap) -> Self {
        let owner = |partition| AtomicU32::new(u32::from(map.owner(partition).number()));
        Self::of((0..PARTITIONS).map(owner).collect(), map.shards())
    }

    pub(super) fn of(route: Box<[AtomicU32]>, shards: usize) -> Self {
        let count = |_| CacheLine(AtomicU64::new(0));
        Self {
            entered: (0..route.len()).map(count).collect(),
            left: (0..route.len()).map(count).collect(),
            route,
            shards: AtomicUsize::new(shards),
        }
    }

    /// Counts a request in and says where it goes; `None` while its partition is frozen.
    pub(crate) fn enter(&self, partition: usize) -> Option<ShardId> {
        self.entered[partition].fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let route = self.route[partition].load(Ordering::Acquire);
        if route & FROZEN == 0 {
            return Some(ShardId::at(route as usize));
        }
        self.turn_back(partition);
        None
    }

    /// Counts a request out that did not go in after all.
    pub(crate) fn turn_back(&self, partition: usize) {
        self.entered[partition].fetch_sub(1, Ordering::Release);
    }

    /// Counts requests in that were held while the partition was frozen.
    pub(crate) fn enter_held(&self, partition: usize, requests: usize) {
        self.entered[partition].fetch_add(requests as u64, Ordering::Relaxed);
    }

    /// Counts one out. By the partition's owner alone: a load and a store.
    pub(crate) fn leave(&self, partition: usize) {
        let left = &self.left[partition];
        left.store(left.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Holds new requests back. Those under way are still to come: see [`is_drained`](Self::is_drained).
    pub(crate) fn freeze(&self, partition: usize) {
        self.route[partition].fetch_or(FROZEN, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }

    /// Whether no request for a frozen partition is under way.
    pub(crate) fn is_drained(&self, partition: usize) -> bool {
        // In this order: a request that is counted out has been counted in before.
        let left = self.left[partition].load(Ordering::Acquire);
        let entered = self.entered[partition].load(Ordering::Acquire);
        entered == left
    }

    pub(crate) fn is_frozen(&self, partition: usize) -> bool {
        self.route[partition].load(Ordering::Acquire) & FROZEN != 0
    }

    /// Lets requests go to `owner`.
    pub(crate) fn thaw(&self, partition: usize, owner: ShardId) {
        self.route[partition].store(u32::from(owner.number()), Ordering::Release);
    }

    /// The shard that a partition's requests go to, or went to before it froze.
    pub(crate) fn owner(&self, partition: usize) -> ShardId {
        let route = self.route[partition].load(Ordering::Acquire);
        ShardId::at((route & !FROZEN) as usize)
    }

    /// Shards that serve at this moment: 0 to this many less one.
    pub(crate) fn shards(&self) -> usize {
        self.shards.load(Ordering::Acquire)
    }

    pub(crate) fn set_shards(&self, shards: usize) {
        self.shards.store(shards, Ordering::Release);
    }
}
