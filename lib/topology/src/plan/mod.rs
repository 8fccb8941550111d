//! The plan: from a [`Machine`](crate::Machine) and a [`Request`] to shards, each choice with its reason.
//!
//! `request` is what is asked for, `profile` names a bundle of wishes for the rest and `profiles` holds
//! them, `placement` chooses CPUs, `split` gives some of them to connections, `memory` and `decide` choose
//! the rest, `error` says what is impossible, `explain` prints. All of it is pure.

mod decide;
mod error;
mod explain;
mod memory;
mod placement;
mod profile;
mod profiles;
mod request;
mod split;

pub use decide::{Chosen, Io, Plan, Role, ShardPlan};
pub use error::PlanError;
pub use placement::MAX_SHARDS;
pub use profile::{Profile, ProfileError};
pub use request::{IoRequest, Layout, MemoryRequest, Request};
