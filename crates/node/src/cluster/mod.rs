//! The shards as the nodes of a Redis Cluster: what clients of a cluster are told, so that they go straight to
//! the core that owns a key.
//!
//! Each shard has a port of its own (`shard-ports`); to a cluster client it is a master without replicas. Nothing
//! here decides anything: slots come from the shard map of the moment, epochs are that map's, and the shapes of the
//! replies are those of Redis 7.0, which client libraries parse.
//!
//! - [`door`]: whether a connection came by such a port
//! - [`view`]: the map as a cluster's nodes
//! - [`render`]: the replies of `CLUSTER …`
//! - [`keys`]: the keys of one slot
//! - [`pinned`]: what becomes of a data command that came by a shard's own port; [`alone`]: those that must be awaited

mod alone;
mod door;
mod keys;
mod pinned;
mod render;
mod view;

pub use door::Door;
pub use pinned::Refusal;
pub(crate) use pinned::{Verdict, judge};
pub(crate) use render::{info, moved, nodes, shards, slots};
pub(crate) use view::View;

/// The reply of everything that belongs to a cluster, where there are no shard ports.
pub const DISABLED: &str = "ERR This instance has cluster support disabled";
