//! The plan: from a [`Machine`](crate::Machine) and a [`Request`] to shards, each choice with its reason.
//!
//! `request` is what is asked for, `placement` chooses CPUs, `decide` chooses the rest, `error` says
//! what is impossible, `table` prints. All of it is pure.

mod decide;
mod error;
mod placement;
mod request;
mod table;

pub use decide::{Chosen, Io, Plan, SPIN_US, ShardPlan};
pub use error::PlanError;
pub use placement::MAX_SHARDS;
pub use request::{IoRequest, MemoryRequest, Request};
