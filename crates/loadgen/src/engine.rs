//! Carrying a plan out: threads, each with a runtime of its own, each with its share of the
//! connections.
//!
//! `coordinator` is the side of the caller: it starts the threads, tells them when a phase begins and adds
//! up what they bring back. `worker` is the side of one thread, `phase_state` what its connections share
//! during a phase, `link` one connection.

mod coordinator;
mod link;
mod phase_state;
mod worker;

pub(crate) use coordinator::Alone;
pub use coordinator::run;
