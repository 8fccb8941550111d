//! What a shard counts.

use std::fmt;

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What a shard (or, summed, the node) has counted since its start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Stats { $($(#[$doc])* pub $name: u64),* }

        impl Stats {
            /// Adds another shard's.
            #[must_use]
            pub fn plus(mut self, other: &Stats) -> Stats {
                $(self.$name += other.$name;)*
                self
            }
        }

        /// As `name=value`, in one line.
        impl fmt::Display for Stats {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let all = [$((stringify!($name), self.$name)),*];
                for (i, (name, value)) in all.into_iter().enumerate() {
                    let space = if i == 0 { "" } else { " " };
                    write!(f, "{space}{name}={value}")?;
                }
                Ok(())
            }
        }
    };
}

stats! {
    /// Connections accepted.
    accepted,
    /// Connections refused, because as many as allowed were open.
    refused,
    /// Requests answered by the shard that their connection was at.
    local,
    /// Requests answered by another shard than that.
    hops,
    /// Connections that left for another shard.
    moved,
    /// Connections that were to leave and stayed: the other shard was behind, or leaving.
    stayed,
    /// Numbers found in the cache.
    hits,
    /// Numbers computed.
    misses,
    /// Lines that were no request.
    bad_lines,
}
