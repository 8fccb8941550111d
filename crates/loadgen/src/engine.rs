//! Carrying a plan out: threads, each with a runtime of its own, each with its share of the
//! connections.
//!
//! `crew` is the side of the caller: it starts the threads, tells them when a phase begins and adds
//! up what they bring back. `worker` is the side of one thread, `stint` what its connections share
//! during a phase, `link` one connection.

mod crew;
mod link;
mod stint;
mod worker;

pub(crate) use crew::Alone;
pub use crew::run;
