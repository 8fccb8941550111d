//! One machine: glues the store to shards, and shards to each other.
//!
//! A [`Shard`] owns its partitions' data, its counters and its list of clients, and answers
//! [`Request`]s. A [`Node`] is a shard's handle on all of them. A [`Pipeline`] takes one
//! connection's commands to the shards that own their keys and brings the replies back in order.
//! Everything between shards goes through `corelane`'s mesh; nothing is shared.

#![forbid(unsafe_code)]

mod across;
mod ahead;
mod asking;
pub mod background;
mod batch;
mod catalog;
mod change;
mod clients;
mod cluster;
mod commands;
mod cross_protocol;
mod elsewhere;
mod identity;
mod info;
mod memory;
mod merge;
mod node;
mod owned;
mod pipeline;
mod place;
mod process;
mod quiet;
mod rates;
mod report;
mod request;
mod retiring;
mod room;
mod routing;
mod rules;
mod seed;
mod shard;
mod slice;
mod stats;
mod steps;
pub mod tls;

pub use ahead::{AHEAD, Ahead};
pub use asking::{Asking, Command, CommandFuture, gone};
pub use batch::{Batch, Call};
pub use catalog::{Catalog, CommandId};
pub use clients::{
    Arrival, Census, Client, ClientAct, ClientFilter, ClientId, ClientInfo, Clients, Counted,
    Departure, Ending, Luggage, Names, Output, Passenger, Traveller, Underway,
};
pub use cluster::{DISABLED as CLUSTER_DISABLED, Door, Refusal};
pub use commands::COMMANDS;
pub use identity::Identity;
pub use info::REDIS_VERSION;
pub use memory::MemoryUse;
pub use node::{Gone, Node};
pub use owned::OwnedArgs;
pub use pipeline::{Flushed, Pipeline, Submitted};
pub use rates::Rates;
pub use report::ShardReport;
pub use request::{Control, Reply, Request, Run};
pub use room::{TooLarge, UNLIMITED_OUTPUT_BYTES};
pub use routing::{Costs, Course, Gauge, History, Load, MoveReason, Pass};
pub use rules::Rules;
pub use seed::ShardSeed;
pub use shard::Shard;
pub use slice::Slice;
pub use stats::{CommandStats, Stats};
