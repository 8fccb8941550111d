//! Through which door a connection came in. It decides what its commands may touch, and goes where the connection
//! goes.

/// A connection's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// An address of the whole node: every command finds its keys, on whichever shard.
    Main,
    /// A shard's own port. The connection stays on that shard, and that shard's keys are all it sees.
    Shard,
}

impl Door {
    /// Whether the connection may not leave its shard.
    #[inline]
    pub fn is_pinned(self) -> bool {
        self == Self::Shard
    }

    /// What `INFO` and `HELLO` say that the server is.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Main => "standalone",
            Self::Shard => "cluster",
        }
    }
}
