//! The servers under comparison: where they are, how they are started alike, how to get one that is
//! missing.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::plan::Options;
use crate::place::has_program;

/// A server under comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Ours.
    Corelane,
    /// redis-server, which the ratios are to.
    Redis,
    /// A thread-per-core server in Rust, the closest rival.
    Kevy,
    /// `benches/bare_loop` with fixed replies: the least a server can cost.
    Bare,
    /// The same with a `HashMap` behind it: the least a server can cost that keeps what it is told.
    BareMap,
}

impl Kind {
    /// All, in the order of the table.
    pub(crate) const ALL: [Self; 5] = [
        Self::Corelane,
        Self::Redis,
        Self::Kevy,
        Self::BareMap,
        Self::Bare,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Corelane => "corelane",
            Self::Redis => "redis",
            Self::Kevy => "kevy",
            Self::Bare => "bare",
            Self::BareMap => "bare-map",
        }
    }

    /// Finds the program.
    ///
    /// # Errors
    /// Says how to install it.
    pub(crate) fn find(self, options: &Options, release: &Path) -> Result<PathBuf, String> {
        match self {
            Self::Corelane => built(release, "corelane"),
            Self::Bare | Self::BareMap => built(release, "bare_loop"),
            Self::Redis => in_path("redis-server")
                .ok_or("no redis-server: install it with `apt-get install redis-server`".into()),
            Self::Kevy => options.kevy.clone().or_else(|| in_path("kevy")).ok_or(
                "no kevy: install it with `cargo install kevy --version 2.1.0`, or name it with --kevy PATH"
                    .into(),
            ),
        }
    }

    /// The arguments that make all servers alike: in memory only, on `port` of the loopback.
    pub(crate) fn arguments(self, port: u16, shards: usize, dir: &Path) -> Vec<String> {
        let (port, shards, dir) = (
            port.to_string(),
            shards.to_string(),
            dir.display().to_string(),
        );
        let words: &[&str] = match self {
            Self::Corelane => &[
                "serve",
                "--port",
                &port,
                "--cpu-allocation",
                &shards,
                "--dir",
                &dir,
            ],
            Self::Redis => &[
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            Self::Kevy => &[
                "--port",
                &port,
                "--threads",
                &shards,
                "--no-aof",
                "--dir",
                &dir,
            ],
            Self::Bare => &[&port],
            Self::BareMap => &[&port, "map"],
        };
        words.iter().map(ToString::to_string).collect()
    }

    /// Whether it can have several shards or threads.
    fn has_shards(self) -> bool {
        matches!(self, Self::Corelane | Self::Kevy)
    }
}

/// A server with so many shards or threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Contender {
    pub(crate) server: Kind,
    pub(crate) shards: usize,
}

impl Contender {
    /// Every server with every number of shards that it can have.
    pub(crate) fn all(options: &Options) -> Vec<Self> {
        let of = |&server: &Kind| {
            let shards = if server.has_shards() {
                &options.shards[..]
            } else {
                &[1]
            };
            shards.iter().map(move |&shards| Self { server, shards })
        };
        options.servers.iter().flat_map(of).collect()
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shards {
            1 => write!(f, "{}", self.server),
            shards => write!(f, "{} ({shards} shards)", self.server),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn built(release: &Path, name: &str) -> Result<PathBuf, String> {
    let path = release.join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} is not built", path.display()))
    }
}

/// The name of a program that a shell would find.
fn in_path(name: &str) -> Option<PathBuf> {
    has_program(name).then(|| name.into())
}
