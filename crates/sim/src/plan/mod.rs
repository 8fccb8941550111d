//! What one run does: everything that a seed decides before the world starts. Pure: a seed in, a scenario out.
//!
//! - `scenario`: the node, the world's unkindness, the clients, and how it all ends
//! - `keyspace`: the keys, in groups, and which histories they belong to
//! - `actions`: what is asked of one group
//! - `requests`: commands as they go over the wire, and what must come back
//! - `moving`: connections that go from shard to shard in between, and choose how
//! - `resizing`: shards that come and go in between
//! - `client`: a client's connections, and how each behaves

mod actions;
mod client;
mod keyspace;
mod moving;
mod requests;
mod resizing;
mod scenario;
#[cfg(test)]
mod tests;

pub use client::{ClientPlan, Finish, Pace, Reading, SessionPlan};
pub use keyspace::{Keyspace, SETTING_DEFAULT, SETTING_NAME};
pub(crate) use requests::shorten;
pub use requests::{Expect, Kind, Part, Pick, Request, Standing, Words};
pub use scenario::{Limits, Scenario, Tamper};
