//! Through which door a connection came in. It decides what its commands may touch, and goes where the connection
//! goes.

use corelane::ShardId;

/// A connection's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// An address of the whole node: every command finds its keys, on whichever shard.
    Main,
    /// This shard's own port. The connection stays on that shard, and that shard's keys are all it sees; while the shard
    /// sleeps it is elsewhere, and sees none.
    Shard(ShardId),
}

impl Door {
    /// Whether the connection may not leave its shard.
    #[inline]
    pub fn is_pinned(self) -> bool {
        matches!(self, Self::Shard(_))
    }

    /// The shard whose port it is, on which and for which the connection is.
    #[inline]
    pub fn home(self) -> Option<ShardId> {
        match self {
            Self::Main => None,
            Self::Shard(home) => Some(home),
        }
    }

    /// What `INFO` and `HELLO` say that the server is.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Main => "standalone",
            Self::Shard(_) => "cluster",
        }
    }
}
