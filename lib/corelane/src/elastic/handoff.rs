//! What a service does so that its partitions can move.

use crate::Service;

/// A service whose state can be taken apart by partition and put together elsewhere.
///
/// State that is `Send` as it is (a map per partition, say) is handed over whole, which takes as long as moving
/// a pointer. State that is tied to its shard is exported in slices while requests go on, with the changes since
/// then at the end; see [`export`](Self::export).
pub trait Handoff: Service {
    /// A partition, or a part of one, on its way.
    type Parcel: Send + 'static;

    /// The next slice of a partition that is about to move, while this shard still serves it; `None` once
    /// everything has been exported but what has changed since, or, by default, at once. Each slice should take
    /// tens of microseconds at most. From the first call on, the service notes what changes in the
    /// partition, until [`hand_over`](Self::hand_over) or [`abandon`](Self::abandon).
    fn export(&mut self, partition: usize) -> Option<Self::Parcel> {
        let _ = partition;
        None
    }

    /// What is left of the partition: all of it, or all that has changed since it was exported. No request
    /// for it is under way, and none comes to this shard after this. The shard keeps nothing of it.
    fn hand_over(&mut self, partition: usize) -> Self::Parcel;

    /// Takes in a parcel. Those of one partition come in the order in which they were made; requests for it come
    /// after the last.
    fn import(&mut self, partition: usize, parcel: Self::Parcel);

    /// The move was given up before [`hand_over`](Self::hand_over). At the owner: forget what was noted for the
    /// export, the partition stays. At the other shard: drop what was imported.
    fn abandon(&mut self, partition: usize) {
        let _ = partition;
    }
}
