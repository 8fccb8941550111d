//! Settings as other crates use them: plain structs by meaning. Whoever needs a setting takes the
//! struct; a name is looked up here only. They are cheap to make, once per epoch and shard.

mod clients;
mod network;
mod placement;
mod process;
mod security;
#[cfg(test)]
mod tests;
mod tls;

pub use clients::{ClientLimits, MemoryShare, WireLimits};
pub use network::{Announce, Endpoint, Listen, ProxyProtocol, ShardPorts};
pub use placement::{MaxMemory, MemoryLimits, Placement};
pub use process::{KeyspaceOptions, Logging};
pub use security::{LocalAccess, Security};
pub use tls::{ClientCertificates, Tls};
