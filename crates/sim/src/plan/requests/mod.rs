//! Commands as they go over the wire, and what must come back for each.
//!
//! - `request`: a command, and how it is shown to people
//! - `expect`: what must come back, and which object gets which part of it
//! - `groups`: commands on the groups of keys that are checked
//! - `connections`: commands about connections, settings and shards
//! - `aside`: commands that no history is kept of

mod aside;
mod connections;
mod expect;
mod groups;
mod request;

pub use expect::{Expect, Kind, Part, Pick, Standing};
pub(crate) use request::shorten;
pub use request::{Request, Words};
