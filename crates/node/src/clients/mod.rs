//! Everything about a connected client: what its shard knows of it, the questions to all clients, the rounds over them, and
//! their way to another shard. Sessions live in `front`; each shares its [`Client`] with its shard's list.
//!
//! | file | what |
//! |---|---|
//! | `client`, `list` | one client: what is known of it and wanted of it; the clients of a shard, and their numbers |
//! | `description`, `filter`, `census` | the line of `CLIENT LIST`; whom a question means; asking all shards |
//! | `sweep`, `resting` | the rounds that end idle clients and slow readers and evict large ones; who falls silent gives buffers back |
//! | `traveller` | a client between two shards, and one that begins on another shard |

mod census;
mod client;
mod description;
mod filter;
mod list;
mod resting;
mod sweep;
mod traveller;

pub use census::{Census, ClientAct, Counted};
pub use client::{Client, Ending, Names, Output};
pub use description::ClientInfo;
pub use filter::ClientFilter;
pub use list::{Arrival, ClientId, Clients, Underway};
pub(crate) use resting::Awake;
pub(crate) use sweep::ClientSweep;
pub use traveller::{Departure, Luggage, Passenger, Traveller};
