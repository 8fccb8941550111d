//! The executor: `async-task` tasks in one run queue per scheduling group, the same code on a real driver and
//! in the simulator.

mod fair;
mod group;
mod queue;
mod spawn;

pub(crate) use fair::QUANTUM_NS;
pub use group::{GROUPS_MAX, Group, GroupError, GroupOptions, GroupStats, SHARES_MAX};
pub(crate) use queue::{Exec, Meta};
pub(crate) use spawn::spawn_on;
pub use spawn::{JoinHandle, Panicked};
