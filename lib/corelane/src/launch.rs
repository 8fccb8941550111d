//! Starting a node: what is asked for, what can go wrong, and the two ways to run it. Real threads
//! are in `threads`, the watch over them in `running`, the simulator in `simulated`; the shard's life
//! itself is the same for both and lies in `shard`.

mod error;
mod gate;
mod join_set;
mod options;
mod running;
mod simulated;
mod threads;

pub use error::LaunchError;
pub use options::{LaunchOptions, MAX_SHARDS, ShardSpec, WhileDown};
pub use running::Running;
#[cfg(test)]
pub(crate) use running::WatchMetrics;
pub use simulated::{SimNode, launch_sim};
pub use threads::launch;
