//! The access control categories a command is in.

use super::command::{CommandSpec, Group};
use super::flags::{Flags, bit_set};

bit_set! {
    /// Categories of commands (`ACL CAT`).
    Categories {
        /// Keys as such, whatever their values.
        KEYSPACE = 0, "keyspace";
        /// Reads data.
        READ = 1, "read";
        /// Writes data.
        WRITE = 2, "write";
        /// Sets.
        SET = 3, "set";
        /// Sorted sets.
        SORTEDSET = 4, "sortedset";
        /// Lists.
        LIST = 5, "list";
        /// Hashes.
        HASH = 6, "hash";
        /// Strings.
        STRING = 7, "string";
        /// Bitmaps.
        BITMAP = 8, "bitmap";
        /// HyperLogLogs.
        HYPERLOGLOG = 9, "hyperloglog";
        /// Positions on earth.
        GEO = 10, "geo";
        /// Streams.
        STREAM = 11, "stream";
        /// Publish and subscribe.
        PUBSUB = 12, "pubsub";
        /// For operators.
        ADMIN = 13, "admin";
        /// Constant or logarithmic time.
        FAST = 14, "fast";
        /// Everything that is not fast.
        SLOW = 15, "slow";
        /// May wait.
        BLOCKING = 16, "blocking";
        /// Dangerous in wrong hands.
        DANGEROUS = 17, "dangerous";
        /// The connection itself.
        CONNECTION = 18, "connection";
        /// Transactions.
        TRANSACTION = 19, "transaction";
        /// Scripts and functions.
        SCRIPTING = 20, "scripting";
    }
}

impl Categories {
    /// The category of that name, in any case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::NAMED
            .iter()
            .find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name))
            .map(|(member, _)| *member)
    }

    /// The names of all categories.
    pub fn all_names() -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().map(|(_, name)| *name)
    }
}

impl CommandSpec {
    /// All categories of the command: those its spec names, those of its group (containers are in none), and those
    /// its flags imply.
    pub const fn all_categories(&self) -> Categories {
        let mut all = self.categories;
        if !self.container {
            all = all.with(of_group(self.group));
        }
        let flags = self.flags;
        if flags.has(Flags::WRITE) {
            all = all.with(Categories::WRITE);
        }
        if flags.has(Flags::READONLY) && !all.has(Categories::SCRIPTING) {
            all = all.with(Categories::READ);
        }
        if flags.has(Flags::ADMIN) {
            all = all.with(Categories::ADMIN).with(Categories::DANGEROUS);
        }
        if flags.has(Flags::PUBSUB) {
            all = all.with(Categories::PUBSUB);
        }
        if flags.has(Flags::BLOCKING) {
            all = all.with(Categories::BLOCKING);
        }
        all.with(if flags.has(Flags::FAST) {
            Categories::FAST
        } else {
            Categories::SLOW
        })
    }
}

/// The category of all of a group's commands.
const fn of_group(group: Group) -> Categories {
    match group {
        Group::String => Categories::STRING,
        Group::List => Categories::LIST,
        Group::Set => Categories::SET,
        Group::SortedSet => Categories::SORTEDSET,
        Group::Hash => Categories::HASH,
        Group::HyperLogLog => Categories::HYPERLOGLOG,
        Group::Geo => Categories::GEO,
        Group::Stream => Categories::STREAM,
        Group::Bitmap => Categories::BITMAP,
        Group::Scripting => Categories::SCRIPTING,
        Group::Connection => Categories::CONNECTION,
        Group::Transactions => Categories::TRANSACTION,
        // Publishing and subscribing come in by flag. The other groups hold commands of several categories.
        Group::PubSub | Group::Generic | Group::Server | Group::Cluster => Categories::NONE,
    }
}
