//! The rounds: each measures every way once, in turn.

use super::count::count;
use super::load::load;
use super::report::{Row, middle, missed, render};
use super::way::Way;
use crate::measure::server::{Programs, Server, Start};
use crate::measure::task::Findings;
use crate::place::has_program;

/// What `cargo xtask measure cluster` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Interleaved rounds of the processor time; medians are shown
    #[arg(long, default_value_t = 7)]
    pub(super) rounds: usize,
    /// Requests of one measurement of the processor time
    #[arg(long, default_value_t = 400_000)]
    pub(super) requests: u64,
    /// Connections for each shard
    #[arg(long, default_value_t = 25)]
    pub(super) connections: usize,
    /// Pipeline depth
    #[arg(long, default_value_t = 16)]
    pub(super) pipeline: u32,
    /// Requests whose instructions are counted
    #[arg(long, default_value_t = 40_000)]
    pub(super) counted: u64,
    /// Leave the instructions out
    #[arg(long)]
    pub(super) no_instructions: bool,
}

/// Requests that write them.
const FILL_REQUESTS: u64 = 400_000;

/// Measures.
///
/// # Errors
/// If a server or the generator fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    if !has_program("redis-benchmark") {
        return Err("no redis-benchmark: install it with `apt-get install redis-tools`".into());
    }
    let mut rows = Vec::new();
    for command in ["GET", "SET"] {
        rows.extend(rounds(options, programs, command)?);
    }
    if !options.no_instructions {
        if !has_program("valgrind") {
            return Err("no valgrind: install it with `apt-get install valgrind`, or give --no-instructions".into());
        }
        for way in Way::ALL {
            let counts = count(options, programs, way)?;
            for (command, instructions) in counts {
                let mut of_way = rows.iter_mut();
                if let Some(row) = of_way.find(|row| row.way == way && row.command == command) {
                    row.instructions = Some(instructions);
                }
            }
        }
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

/// Processor time of one command by each way, round after round.
fn rounds(
    options: &Options,
    programs: &Programs,
    command: &'static str,
) -> Result<Vec<Row>, String> {
    let mut servers = Vec::new();
    for way in Way::ALL {
        let start = Start {
            programs,
            processors: Some(way.processors().0),
        };
        let server = start.corelane(way.shards(), &["--shard-ports", "auto"])?;
        load(options, way, &server, "SET", FILL_REQUESTS)?;
        servers.push((way, server));
    }
    let mut samples: Vec<Vec<Row>> = vec![Vec::new(); servers.len()];
    for _ in 0..options.rounds {
        for ((way, server), samples) in servers.iter().zip(&mut samples) {
            samples.push(round(options, *way, server, command)?);
        }
    }
    Ok(samples.iter().map(|rows| middle(rows)).collect())
}

fn round(
    options: &Options,
    way: Way,
    server: &Server,
    command: &'static str,
) -> Result<Row, String> {
    let mut client = server.client()?;
    let (info, used) = (client.info("stats shards")?, server.process().used()?);
    let per_second = load(options, way, server, command, options.requests)?;
    let used = server.process().used()? - used;
    let now = client.info("stats shards")?;
    let grown = |name: &str| now.get(name) - info.get(name);
    Ok(Row {
        command,
        way,
        requests_per_second: per_second,
        cpu_us: used.cpu_ns as f64 / 1e3 / grown("total_commands_processed").max(1.0),
        hops: grown("hops"),
        instructions: None,
    })
}
