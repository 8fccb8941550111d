//! Why a node did not start. One failing shard is enough; the others have left again by then.

use crate::ShardId;
use crate::launch::MAX_SHARDS;
use crate::supervision::SupervisionError;

/// Why a launch failed. No shard runs on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// No shards, or too many.
    #[error("a node has 1 to {MAX_SHARDS} shards, not {count}")]
    Shards {
        /// How many were asked for.
        count: usize,
    },
    /// None of the shards would serve, or more than there are.
    #[error("{active} shards cannot serve from the start: this node can have {least} to {room}")]
    Active {
        /// How many were asked for.
        active: usize,
        /// One more than are for connections alone.
        least: usize,
        /// How many there are.
        room: usize,
    },
    /// A shard for connections stands behind one that owns data.
    #[error("shards for connections alone come first: put those with `io` before the others")]
    IoNotFirst,
    /// A lane without room.
    #[error("lane_capacity is 0, so shards could never ask each other; give at least 1")]
    NoLaneCapacity,
    /// The rules by which services restart are none.
    #[error("supervision: {0}")]
    Supervision(#[from] SupervisionError),
    /// The system gave no thread for a shard.
    #[error("shard {shard} got no thread: {source}")]
    Thread {
        /// The shard without a thread.
        shard: ShardId,
        /// What the system said.
        source: std::io::Error,
    },
    /// A shard could not start: its runtime, or its `init`, said why.
    #[error("shard {shard} did not start: {reason}")]
    Shard {
        /// The first shard to fail.
        shard: ShardId,
        /// What it said.
        reason: String,
    },
}
