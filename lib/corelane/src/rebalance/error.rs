//! What a plan cannot be made from, and what to change.

use super::MAX_MOVES_PER_ROUND;
use crate::{MAX_SHARDS, ShardId};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RebalanceError {
    /// Partitions without a place.
    #[error("partitions cannot be spread over 0 shards: ask for 1 or more")]
    NoShards,
    /// More shards than partitions, or than a node has.
    #[error(
        "{partitions} partitions cannot be spread over {shards} shards: ask for {most} or fewer"
    )]
    TooManyShards {
        /// The shards asked for.
        shards: usize,
        /// The partitions there are.
        partitions: usize,
        /// How many shards there can be.
        most: usize,
    },
    /// Lists of different lengths.
    #[error(
        "{loads} loads and {owners} owners were given for {partitions} partitions: give one of each per \
         partition"
    )]
    Lengths {
        /// The loads given.
        loads: usize,
        /// The owners given.
        owners: usize,
        /// The partitions that the rebalancer was made for.
        partitions: usize,
    },
    /// An owner that is not there.
    #[error(
        "partition {partition} is owned by shard {owner}, and there are {shards} shards: finish the \
         resize first"
    )]
    UnknownOwner {
        /// The partition.
        partition: usize,
        /// Its owner.
        owner: ShardId,
        /// How many shards there are.
        shards: usize,
    },
    /// Marks that give no hysteresis.
    #[error(
        "`low_percent` is {low} and `high_percent` is {high}: give 100 <= low < high, such as 110 \
         and 130, so that what has been relieved is not overloaded again at once"
    )]
    Marks {
        /// The low mark.
        low: u32,
        /// The high mark.
        high: u32,
    },
    /// A sample that counts for nothing, or for more than everything.
    #[error("`sample_percent` is {percent}: give 1 to 100, where 100 does not smooth at all")]
    SamplePercent {
        /// What was given.
        percent: u32,
    },
    /// No move at all, or too many at once.
    #[error("`moves_per_round` is {moves}: give 1 to {MAX_MOVES_PER_ROUND}")]
    MovesPerRound {
        /// What was given.
        moves: u32,
    },
    /// A rebalancer that acts on a single sample.
    #[error("`{what}` is 0: give 1 or more rounds")]
    NoRounds {
        /// The option.
        what: &'static str,
    },
}

/// `shards`, if a node can have that many for so many partitions.
pub(super) fn check_shards(shards: usize, partitions: usize) -> Result<(), RebalanceError> {
    let most = partitions.min(MAX_SHARDS);
    match shards {
        0 => Err(RebalanceError::NoShards),
        _ if shards > most => Err(RebalanceError::TooManyShards {
            shards,
            partitions,
            most,
        }),
        _ => Ok(()),
    }
}
