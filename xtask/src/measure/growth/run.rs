//! The runs: which servers, how started, where the keys lie.

use std::thread;

use serde::Serialize;

use super::report::{missed, render};
use super::walk::walk;
use crate::measure::server::{Programs, Start};
use crate::measure::task::Findings;

/// What `cargo xtask measure growth` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keys at the end
    #[arg(long, default_value_t = 8_000_000)]
    pub(super) keys: u64,
    /// Keys before the growth that is measured
    #[arg(long, default_value_t = 2_000_000)]
    pub(super) from: u64,
    /// Numbers of shards, one run each; a single shard gets the first processor for itself, the load
    /// the second
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2], value_name = "COUNTS")]
    shards: Vec<usize>,
    /// Where the keys lie
    #[arg(long, value_delimiter = ',', default_values_t = [Keys::Spread, Keys::Tag], value_name = "WHERE")]
    layout: Vec<Keys>,
    /// Leave redis-server out
    #[arg(long)]
    no_redis: bool,
}

/// Where the keys lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keys {
    /// Over all slots.
    Spread,
    /// All in one slot, under one hash tag.
    Tag,
}

impl std::fmt::Display for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Spread => "spread",
            Self::Tag => "tag",
        })
    }
}

/// Measures.
///
/// # Errors
/// If a server fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let mut rows = Vec::new();
    for &shards in &options.shards {
        let alone = shards == 1;
        let start = Start {
            programs,
            processors: alone.then_some("0"),
        };
        for &layout in &options.layout {
            let name = format!("corelane, {shards} shard(s)");
            eprintln!("measure: {name}, {layout}");
            let server = start.corelane(shards, &["--stall-threshold-ms", "1"])?;
            rows.push(aside(|| walk(name, &server, shards, layout, options))?);
        }
    }
    let start = Start {
        programs,
        processors: Some("0"),
    };
    if !options.no_redis
        && let Some(server) = start.redis(&[])?
    {
        rows.push(aside(|| {
            walk("redis".into(), &server, 0, Keys::Spread, options)
        })?);
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

/// On a thread of its own, which may choose its processor without binding the next run to it.
fn aside<T: Send>(run: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    let joined = thread::scope(|scope| scope.spawn(run).join());
    joined.unwrap_or_else(|_| Err("the run panicked".into()))
}
