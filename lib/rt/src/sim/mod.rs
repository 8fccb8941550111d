//! The simulated twin: many runtimes on one thread, with virtual time, simulated sockets and files, and every
//! choice (who runs, how long a message travels, where bytes are cut) taken from one seed. The same seed and the
//! same program give the same run; [`World::trace_hash`] tells whether they did.
//!
//! Only what goes through this crate is simulated. Code that reads a real clock, iterates over a `HashMap` with
//! its random order, or starts threads is not repeatable.

mod core;
mod disk;
mod event;
mod net;
mod options;
mod stuck;
mod trace;
mod world;

pub(crate) use self::core::SimPort;
pub(crate) use disk::SimFile;
pub(crate) use net::{SimConnection, SimListener, SimShared, SimStream, SimUdp, connect};
pub use options::WorldOptions;
pub use stuck::{Stuck, StuckReason};
pub use world::{SimShard, World};
