//! The executor: `async-task` tasks in one run queue per scheduling group, the same code on a real driver and
//! in the simulator.

mod group;
mod queue;
mod spawn;

pub use group::Group;
pub(crate) use queue::{Exec, Meta};
pub(crate) use spawn::spawn_on;
pub use spawn::{JoinHandle, Panicked};
