//! Assembly: from settings to a running node, real or simulated, by one path.
//!
//! ```text
//! run:  settings ─▶ plan ─▶ addresses ─▶ launch ─▶ every shard: serve ─▶ ready ─▶ signals ─▶ drain
//! sim:  settings ─────────────────────▶ launch_sim ─▶ every shard: serve
//! ```

#![forbid(unsafe_code)]

mod addresses;
mod assemble;
mod descriptors;
mod entrances;
mod error;
mod plan;
mod ready;
mod reference;
mod run;
mod serve;
mod shard_ports;
mod signals;
mod simulate;

pub use addresses::Addresses;
pub use assemble::{Parts, catalog, registry};
pub use error::ServerError;
pub use plan::plan;
pub use reference::reference_page;
pub use run::run;
pub use serve::serve;
pub use shard_ports::ShardPorts;
pub use simulate::{Simulated, simulate};
