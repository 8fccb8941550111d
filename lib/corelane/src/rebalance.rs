//! Which partitions should move, and where to.
//!
//! The decisions only: owners and loads in, [`Move`]s out. Nothing here reads a clock or moves anything.
//!
//! - [`plan_resize`]: the fewest moves that make another number of shards even by count.
//! - [`Rebalancer`]: from loads, a few moves per round that relieve shards which stay overloaded, and
//!   none for what passes by itself.
//!
//! ```
//! use corelane::rebalance::plan_resize;
//! use corelane::{PARTITIONS, ShardMap};
//!
//! let map = ShardMap::even(4);
//! let owners: Vec<_> = (0..PARTITIONS).map(|partition| map.owner(partition)).collect();
//! let moves = plan_resize(&owners, 5)?;
//! assert_eq!(moves.len(), PARTITIONS / 5); // the newcomer's share, and nothing else
//! # Ok::<(), corelane::rebalance::RebalanceError>(())
//! ```

mod error;
mod load;
mod options;
mod rebalancer;
mod resize;
#[cfg(test)]
mod tests;

use crate::ShardId;

pub use error::RebalanceError;
pub use options::{MAX_MOVES_PER_ROUND, RebalanceOptions};
pub use rebalancer::{RebalanceStats, Rebalancer};
pub use resize::plan_resize;

/// One partition that changes its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Move {
    /// Which partition.
    pub partition: usize,
    /// Where it is.
    pub from: ShardId,
    /// Where it should be.
    pub to: ShardId,
}
