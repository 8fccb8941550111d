//! The spec of one command.

use super::arg::Arg;
use super::categories::Categories;
use super::flags::Flags;
use super::keys::KeySpec;

/// One command, or one subcommand of a container such as `CONFIG`.
///
/// Written as a static, with [`CommandSpec::BASE`] for whatever does not apply:
///
/// ```
/// use corelane_wire::spec::{Arg, CommandSpec, Flags, Group, KeyFlags, KeySpec};
///
/// static GET: CommandSpec = CommandSpec {
///     name: "get",
///     arity: 2,
///     flags: Flags::of(&[Flags::READONLY, Flags::FAST]),
///     keys: &[KeySpec::at(1).flags(KeyFlags::of(&[KeyFlags::RO, KeyFlags::ACCESS]))],
///     group: Group::String,
///     since: "1.0.0",
///     summary: "Get the value of a key",
///     complexity: "O(1)",
///     args: &[Arg::key("key", 0)],
///     ..CommandSpec::BASE
/// };
/// assert!(GET.arity_ok(2));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    /// The name in lower case, without the container's: `get`, and of `CONFIG GET` too.
    pub name: &'static str,
    /// The container's name in lower case, for a subcommand.
    pub parent: Option<&'static str>,
    /// Whether it has subcommands and does nothing by itself.
    pub container: bool,
    /// Number of arguments, the name (and the container's) included; negative: at least as many.
    pub arity: i16,
    /// What it does and where it may run.
    pub flags: Flags,
    /// Access control categories beside those that group and flags imply.
    pub categories: Categories,
    /// Where its keys stand.
    pub keys: &'static [KeySpec],
    /// The chapter of the reference it is in.
    pub group: Group,
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// How its cost grows; empty if nothing is said about it.
    pub complexity: &'static str,
    /// Its arguments after the name.
    pub args: &'static [Arg],
    /// What later versions changed, oldest first.
    pub history: &'static [Change],
    /// Hints for clients and proxies, such as `nondeterministic_output`.
    pub tips: &'static [&'static str],
    /// Since when it should not be used any more, and what to use instead.
    pub deprecated: Option<Deprecated>,
}

impl CommandSpec {
    /// A spec without name, keys, flags or docs, for `..CommandSpec::BASE`.
    pub const BASE: Self = Self {
        name: "",
        parent: None,
        container: false,
        arity: -1,
        flags: Flags::NONE,
        categories: Categories::NONE,
        keys: &[],
        group: Group::Generic,
        since: "1.0.0",
        summary: "",
        complexity: "",
        args: &[],
        history: &[],
        tips: &[],
        deprecated: None,
    };

    /// Whether a request of `n` arguments, names included, has as many as the command takes.
    #[inline]
    pub const fn arity_ok(&self, n: usize) -> bool {
        let n = n as i64;
        let arity = self.arity as i64;
        if arity < 0 { n >= -arity } else { n == arity }
    }

    /// Whether it takes as long whatever it is asked for, going by [`complexity`](Self::complexity).
    #[inline]
    pub fn is_constant_time(&self) -> bool {
        self.complexity.starts_with("O(1)")
    }

    /// The full name in lower case: `get`, `config|get`.
    pub fn full_name(&self) -> String {
        match self.parent {
            Some(parent) => format!("{parent}|{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// A change to a command: the version, and what changed.
pub type Change = (&'static str, &'static str);

/// That a command is deprecated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// The version that deprecated it.
    pub since: &'static str,
    /// What to use instead; empty if there is nothing.
    pub replaced_by: &'static str,
}

/// The chapter of the reference a command is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Hashes.
    Hash,
    /// Publish and subscribe.
    PubSub,
    /// Transactions.
    Transactions,
    /// The connection itself.
    Connection,
    /// The server.
    Server,
    /// Scripts and functions.
    Scripting,
    /// HyperLogLogs.
    HyperLogLog,
    /// The cluster.
    Cluster,
    /// Positions on earth.
    Geo,
    /// Streams.
    Stream,
    /// Bitmaps.
    Bitmap,
}

impl Group {
    /// The name that `COMMAND DOCS` gives.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Hash => "hash",
            Self::PubSub => "pubsub",
            Self::Transactions => "transactions",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Scripting => "scripting",
            Self::HyperLogLog => "hyperloglog",
            Self::Cluster => "cluster",
            Self::Geo => "geo",
            Self::Stream => "stream",
            Self::Bitmap => "bitmap",
        }
    }
}
