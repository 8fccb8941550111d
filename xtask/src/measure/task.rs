//! One measurement from the command line to its table and its JSON.

use std::fs;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::moment::Moment;
use super::server::Programs;
use super::{cluster, fairness, growth, hops, hostile, idle, migrations, resize, routing, tls};
use crate::place::{cargo, target};

/// What `cargo xtask measure` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
    /// Take the release binary as it is
    #[arg(long, global = true)]
    no_build: bool,
    /// The corelane to measure, instead of the one built here
    #[arg(long, global = true, value_name = "PATH")]
    corelane: Option<std::path::PathBuf>,
}

#[derive(clap::Subcommand)]
enum What {
    /// Hops, instructions and processor time of requests by the shards' own ports
    Cluster(cluster::Options),
    /// Processor time and memory of idle connections
    Idle(idle::Options),
    /// What a client waits for beside others' long pipelines
    Fairness(fairness::Options),
    /// Stalls and memory while tables grow to millions of keys
    Growth(growth::Options),
    /// Broken, oversized, stalled and half-closed clients
    Hostile(hostile::Options),
    /// Processor time, wakes and system calls of two shards beside one
    Hops(hops::Options),
    /// Processor time of TLS, per request and per handshake, beside redis-server
    Tls(tls::Options),
    /// Connections under routing hop, migrate and adaptive, in turns
    Routing(routing::Options),
    /// Connections sent from shard to shard under pipelines, every reply checked
    Migrations(migrations::Options),
    /// What clients wait for while the server grows and shrinks
    Resize(resize::Options),
}

/// What a measurement found: its figures, how they are shown, and what is wrong with them.
pub(crate) struct Findings {
    pub(crate) figures: serde_json::Value,
    pub(crate) table: String,
    /// Each target that is missed, in one sentence.
    pub(crate) missed: Vec<String>,
}

impl Findings {
    /// # Panics
    /// If the figures are no plain data.
    pub(crate) fn new(figures: &impl Serialize, table: String, missed: Vec<String>) -> Self {
        let figures = serde_json::to_value(figures).expect("figures are plain data");
        Self {
            figures,
            table,
            missed,
        }
    }
}

/// Measures.
pub(crate) fn run(options: &Options) -> ExitCode {
    match measure(options) {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            missed
                .iter()
                .for_each(|target| println!("MISSED: {target}"));
            ExitCode::FAILURE
        }
        Err(problem) => {
            eprintln!("measure: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<Vec<String>, String> {
    if !options.no_build && options.corelane.is_none() {
        build()?;
    }
    let built = || target().join("release/corelane");
    let programs = Programs {
        corelane: options.corelane.clone().unwrap_or_else(built),
    };
    let before = Moment::now();
    let (name, findings) = match &options.what {
        What::Cluster(options) => ("cluster", cluster::measure(options, &programs)?),
        What::Idle(options) => ("idle", idle::measure(options, &programs)?),
        What::Fairness(options) => ("fairness", fairness::measure(options, &programs)?),
        What::Growth(options) => ("growth", growth::measure(options, &programs)?),
        What::Hostile(options) => ("hostile", hostile::measure(options, &programs)?),
        What::Hops(options) => ("hops", hops::measure(options, &programs)?),
        What::Tls(options) => ("tls", tls::measure(options, &programs)?),
        What::Routing(options) => ("routing", routing::measure(options, &programs)?),
        What::Migrations(options) => ("migrations", migrations::measure(options, &programs)?),
        What::Resize(options) => ("resize", resize::measure(options, &programs)?),
    };
    let during = Moment::now().since(&before);
    println!("{}\n{during}", findings.table);
    let command: Vec<String> = std::env::args().skip(1).collect();
    write(
        name,
        &json!({
            "command": format!("cargo xtask {}", command.join(" ")),
            "machine": during,
            "figures": findings.figures,
            "missed": findings.missed,
        }),
    )?;
    Ok(findings.missed)
}

fn build() -> Result<(), String> {
    match cargo(["build", "--release", "-p", "corelane-cli"]).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the release build failed".into()),
    }
}

fn write(name: &str, report: &serde_json::Value) -> Result<(), String> {
    let folder = target().join("measure");
    let file = folder.join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(report).expect("JSON can be written");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text + "\n"))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    println!("written to {}", file.display());
    Ok(())
}
