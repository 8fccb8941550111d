//! Plans: the least moves for a resize, and a rebalancer that comes to rest.

mod refusals;
mod resize;
mod simulated;
mod steady;

use crate::ShardId;

/// Contiguous runs, as a node starts with.
fn even(partitions: usize, shards: usize) -> Vec<ShardId> {
    let owner = |partition| ShardId::at(partition * shards / partitions);
    (0..partitions).map(owner).collect()
}
