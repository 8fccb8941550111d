//! What is compared: servers, commands, pipeline depths, and which processors they get.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use clap::ValueEnum;

use super::server::Kind;

/// What `cargo xtask compare` can be told.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// Servers to compare; those that are not installed are left out with a word
    #[arg(long, value_delimiter = ',', default_values_t = Kind::ALL, value_name = "NAMES")]
    pub(crate) servers: Vec<Kind>,
    /// Shards or threads of those servers that can have several, each on its own processor from the
    /// first on; the generator gets the others, or shares if there are none. With a list such as 1,2
    /// each count is a server of its own
    #[arg(long, value_delimiter = ',', default_values_t = [1], value_name = "COUNTS")]
    pub(crate) shards: Vec<usize>,
    /// Rounds; each measures every server once at everything
    #[arg(long, default_value_t = 9)]
    pub(crate) rounds: usize,
    /// Seconds of one measurement
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,
    /// Commands to measure
    #[arg(long, value_delimiter = ',', default_values_t = [Command::Get, Command::Set], value_name = "NAMES")]
    pub(crate) commands: Vec<Command>,
    /// Pipeline depths to measure
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64], value_name = "DEPTHS")]
    pub(crate) pipelines: Vec<u32>,
    /// Connections
    #[arg(long, short = 'c', default_value_t = 50)]
    pub(crate) connections: u32,
    /// Bytes of a value; the bare loop always answers with 64
    #[arg(long, default_value_t = 64)]
    pub(crate) value_size: u32,
    /// Different keys, uniformly chosen, all of them written before the first round
    #[arg(long, default_value_t = 100_000)]
    pub(crate) keys: u64,
    /// What loads the servers
    #[arg(long, default_value = "corelane")]
    pub(crate) generator: Generator,
    /// The kevy to run, if it is not in PATH
    #[arg(long, value_name = "PATH")]
    pub(crate) kevy: Option<PathBuf>,
    /// Count system calls too, in one more round, with perf
    #[arg(long)]
    pub(crate) calls: bool,
    /// Take the release binaries as they are
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Fail if Corelane misses a target: processor time beside redis-server's with one shard, and
    /// beside its own with one shard when it has two
    #[arg(long)]
    pub(crate) hold: bool,
}

/// A command under comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Command {
    /// Reads a key that exists.
    Get,
    /// Overwrites a key.
    Set,
}

/// What loads the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Generator {
    /// `corelane bench`.
    Corelane,
    /// The generator that comes with redis-server, for a second opinion. It costs about twice as
    /// much per request, so it holds servers back sooner.
    RedisBenchmark,
}

impl Command {
    /// The name as clients send it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Set => "SET",
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name().to_ascii_lowercase())
    }
}

/// Which processors are whose, as lists that `taskset` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Processors {
    pub(crate) server: String,
    pub(crate) generator: String,
}

impl Processors {
    /// Shares out the processors that this process may use.
    ///
    /// # Errors
    /// If there are fewer than the servers need.
    pub(crate) fn share(shards: usize) -> Result<Self, String> {
        let status = fs::read_to_string("/proc/self/status")
            .map_err(|error| format!("cannot read which processors may be used: {error}"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        Self::split(line.unwrap_or("").trim(), shards)
    }

    fn split(allowed: &str, shards: usize) -> Result<Self, String> {
        let all: Vec<usize> = parse_list(allowed)?.into_iter().collect();
        if shards == 0 || all.len() < shards {
            return Err(format!(
                "{shards} shards do not fit the {} processors here",
                all.len()
            ));
        }
        let (server, rest) = all.split_at(shards);
        let generator = if rest.is_empty() { &all } else { rest };
        let list = |cpus: &[usize]| {
            cpus.iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(",")
        };
        Ok(Self {
            server: list(server),
            generator: list(generator),
        })
    }
}

/// Parses the kernel's form of a set of processors, `0-3,8`.
fn parse_list(text: &str) -> Result<BTreeSet<usize>, String> {
    let bad = || format!("{text:?} is no list of processors");
    let mut cpus = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.parse().map_err(|_| bad())?;
        let last: usize = last.parse().map_err(|_| bad())?;
        cpus.extend(first..=last);
    }
    Ok(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_shared_out() {
        for (allowed, shards, server, generator) in [
            ("0-1", 1, "0", "1"),
            ("0-1", 2, "0,1", "0,1"),
            ("2-3,8", 2, "2,3", "8"),
            ("5", 1, "5", "5"),
        ] {
            let got = Processors::split(allowed, shards).unwrap();
            assert_eq!(
                (got.server.as_str(), got.generator.as_str()),
                (server, generator)
            );
        }
        for (allowed, shards) in [("0-1", 3), ("0", 0), ("", 1), ("x", 1)] {
            assert!(Processors::split(allowed, shards).is_err(), "{allowed}");
        }
    }
}
