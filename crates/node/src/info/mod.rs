//! `INFO`: the one list of its sections, each a function from figures to lines.

mod sections;

pub use sections::REDIS_VERSION;

use std::fmt::Write;

use corelane::{Resizing, ShardId};

use crate::catalog::Catalog;
use crate::cluster::Door;
use crate::identity::Identity;
use crate::node::Node;
use crate::process::ProcessFigures;
use crate::report::ShardReport;

/// Everything that `INFO` can speak of.
#[derive(Debug)]
pub(crate) struct Figures<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) catalog: &'a Catalog,
    pub(crate) process: ProcessFigures,
    pub(crate) shards: usize,
    pub(crate) room: Room,
    /// How many of them own connections and no data; 0 but in the split layout.
    pub(crate) io_shards: usize,
    pub(crate) now_ms: u64,
    /// All shards' figures added up.
    pub(crate) node: &'a ShardReport,
    /// Each shard's own.
    pub(crate) each: &'a [ShardReport],
    /// The number of the first of them.
    pub(crate) first: ShardId,
    /// The door of who asks: by a shard's own port that shard alone is spoken of, as a cluster's node.
    pub(crate) door: Door,
    /// The most that `used_memory` has been.
    pub(crate) peak_bytes: u64,
    /// Rounds of background work a second, while there is some.
    pub(crate) hz: u32,
    pub(crate) max_memory_bytes: u64,
    pub(crate) max_memory_policy: String,
    pub(crate) max_clients: u64,
}

/// How the node grows and shrinks.
#[derive(Debug)]
pub(crate) struct Room {
    max_shards: usize,
    map_epoch: u64,
    partitions_moved: u64,
    resizing: Option<Resizing>,
}

impl Room {
    pub(crate) fn of(node: &Node) -> Self {
        let mesh = node.mesh();
        Self {
            max_shards: mesh.max_shards(),
            map_epoch: mesh.map_epoch(),
            partitions_moved: mesh.partitions_moved(),
            resizing: mesh.resizing(),
        }
    }
}

/// One section.
struct Section {
    /// Its name, as asked for; shown with a capital.
    name: &'static str,
    title: &'static str,
    /// Whether `INFO` without arguments shows it.
    default: bool,
    write: fn(&Figures<'_>, &mut Lines),
}

/// The sections, in the order in which they are shown.
const SECTIONS: &[Section] = &[
    Section {
        name: "server",
        title: "Server",
        default: true,
        write: sections::server,
    },
    Section {
        name: "clients",
        title: "Clients",
        default: true,
        write: sections::clients,
    },
    Section {
        name: "memory",
        title: "Memory",
        default: true,
        write: sections::memory,
    },
    Section {
        name: "persistence",
        title: "Persistence",
        default: true,
        write: sections::persistence,
    },
    Section {
        name: "stats",
        title: "Stats",
        default: true,
        write: sections::stats,
    },
    Section {
        name: "replication",
        title: "Replication",
        default: true,
        write: sections::replication,
    },
    Section {
        name: "cpu",
        title: "CPU",
        default: true,
        write: sections::cpu,
    },
    Section {
        name: "shards",
        title: "Shards",
        default: true,
        write: sections::shards,
    },
    Section {
        name: "modules",
        title: "Modules",
        default: true,
        write: |_, _| (),
    },
    Section {
        name: "commandstats",
        title: "Commandstats",
        default: false,
        write: sections::commands,
    },
    Section {
        name: "errorstats",
        title: "Errorstats",
        default: true,
        write: sections::errors,
    },
    Section {
        name: "cluster",
        title: "Cluster",
        default: true,
        write: sections::cluster,
    },
    Section {
        name: "keyspace",
        title: "Keyspace",
        default: true,
        write: sections::keyspace,
    },
];

/// Lines of the form `name:value`.
#[derive(Debug, Default)]
pub(crate) struct Lines(String);

impl Lines {
    pub(crate) fn line(&mut self, name: impl std::fmt::Display, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{name}:{value}\r\n");
    }
}

/// The text of `INFO section…`. Unknown sections add nothing, as Redis has it.
pub(crate) fn render(wanted: &[String], figures: &Figures<'_>) -> String {
    let asked = |name: &str| wanted.iter().any(|word| word.eq_ignore_ascii_case(name));
    let everything = asked("all") || asked("everything");
    let default = wanted.is_empty() || asked("default");
    let mut lines = Lines::default();
    for section in SECTIONS {
        if everything || asked(section.name) || (default && section.default) {
            if !lines.0.is_empty() {
                lines.0.push_str("\r\n");
            }
            let _ = write!(lines.0, "# {}\r\n", section.title);
            (section.write)(figures, &mut lines);
        }
    }
    lines.0
}
