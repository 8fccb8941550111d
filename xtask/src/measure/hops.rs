//! What a second shard adds to a request: processor time beside one shard's, and the loop's and the
//! mesh's own counters per request, which say where it goes.
//!
//! `compare --shards 1,2` holds the same targets beside other servers; here every counter is shown.

use std::process::Command as Process;

use serde::Serialize;

use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;
use crate::place::has_program;
use crate::server::{Client, median, succeed};

/// What `cargo xtask measure hops` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Interleaved rounds; medians are shown
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds of one measurement
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Connections
    #[arg(long, default_value_t = 50)]
    connections: u32,
    /// Pipeline depth
    #[arg(long, default_value_t = 16)]
    pipeline: u32,
    /// Different keys, uniformly chosen, all of them written first
    #[arg(long, default_value_t = 100_000)]
    keys: u64,
}

/// The most processor time per request with two shards, in parts of that with one.
const CPU_RATIO_MAX: f64 = 1.8;

/// The most wakes of a sleeping shard per request.
const WAKES_MAX: f64 = 0.05;

/// The most system calls per request.
const CALLS_MAX: f64 = 0.2;

/// Requests under perf's counter, per pipeline depth.
const COUNTED_REQUESTS: u64 = 50_000;

/// Counters shown, as `INFO shards` names them.
const COUNTERS: [&str; 8] = [
    "hops",
    "mesh_batches",
    "mesh_wakes",
    "loop_enters",
    "loop_turns",
    "loop_tasks_run",
    "loop_spins",
    "loop_sleeps",
];

/// One server: how it is loaded, and what was measured in each round.
struct Contender {
    shards: usize,
    server: Server,
    client: Client,
    /// Processors of the generator.
    generator: &'static str,
}

/// One server and command; all figures but the first two are per request.
#[derive(Clone, Serialize)]
struct Row {
    command: &'static str,
    shards: usize,
    requests_per_second: f64,
    cpu_us: f64,
    /// By [`COUNTERS`].
    counters: [f64; COUNTERS.len()],
    /// System calls by perf, where it may count.
    calls: Option<f64>,
}

impl Row {
    fn counter(&self, name: &str) -> f64 {
        let at = COUNTERS.iter().position(|counter| *counter == name);
        at.map_or(0.0, |at| self.counters[at])
    }

    /// System calls by the server's own counters: entries into the ring, and a write for each wake.
    fn counted_calls(&self) -> f64 {
        self.counter("loop_enters") + self.counter("mesh_wakes")
    }
}

/// Measures.
///
/// # Errors
/// If a server or the generator fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let mut contenders = [
        contender(programs, 1, "0", "1")?,
        contender(programs, 2, "0,1", "0,1")?,
    ];
    for contender in &contenders {
        let mut fill = bench(options, programs, contender, "SET");
        succeed(fill.args(["--fill", "--requests", "1"]))?;
    }
    let mut rows = Vec::new();
    for command in ["GET", "SET"] {
        let mut rounds: [Vec<Row>; 2] = Default::default();
        for _ in 0..options.rounds {
            for (contender, rounds) in contenders.iter_mut().zip(&mut rounds) {
                rounds.push(round(options, programs, contender, command)?);
            }
        }
        for (contender, rounds) in contenders.iter().zip(&rounds) {
            let mut row = middle(rounds);
            row.calls = count_calls(options, programs, contender, command)?;
            rows.push(row);
        }
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

fn contender(
    programs: &Programs,
    shards: usize,
    processors: &'static str,
    generator: &'static str,
) -> Result<Contender, String> {
    let start = Start {
        programs,
        processors: Some(processors),
    };
    let server = start.corelane(shards, &[])?;
    Ok(Contender {
        shards,
        client: server.client()?,
        server,
        generator,
    })
}

fn bench(options: &Options, programs: &Programs, contender: &Contender, command: &str) -> Process {
    let ratio = if command == "GET" { "1:0" } else { "0:1" };
    let mut bench = Process::new("taskset");
    bench
        .args(["-c", contender.generator])
        .arg(&programs.corelane);
    bench.args(["bench", "--json", "--ratio", ratio]);
    bench.args(["--port", &contender.server.port.to_string()]);
    bench.args(["--connections", &options.connections.to_string()]);
    bench.args(["--pipeline", &options.pipeline.to_string()]);
    bench.args(["--keys", &options.keys.to_string()]);
    bench
}

fn round(
    options: &Options,
    programs: &Programs,
    contender: &mut Contender,
    command: &'static str,
) -> Result<Row, String> {
    let process = contender.server.process();
    let (info, used) = (contender.client.info("stats shards")?, process.used()?);
    let mut load = bench(options, programs, contender, command);
    succeed(load.args(["--seconds", &options.seconds.to_string()]))?;
    let used = process.used()? - used;
    let now = contender.client.info("stats shards")?;
    let grown = |name: &str| now.get(name) - info.get(name);
    let requests = grown("total_commands_processed").max(1.0);
    Ok(Row {
        command,
        shards: contender.shards,
        requests_per_second: requests / options.seconds,
        cpu_us: used.cpu_ns as f64 / 1e3 / requests,
        counters: COUNTERS.map(|name| grown(name) / requests),
        calls: None,
    })
}

/// System calls per request by perf; nothing where perf is missing or may not count.
fn count_calls(
    options: &Options,
    programs: &Programs,
    contender: &Contender,
    command: &str,
) -> Result<Option<f64>, String> {
    if !has_program("perf") {
        return Ok(None);
    }
    let requests = COUNTED_REQUESTS * u64::from(options.pipeline);
    let load = bench(options, programs, contender, command);
    let mut perf = Process::new("perf");
    perf.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p"]);
    perf.arg(contender.server.process().0.to_string()).arg("--");
    perf.arg(load.get_program()).args(load.get_args());
    perf.args(["--requests", &requests.to_string()]);
    let output = succeed(&mut perf)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let counts = text.lines().filter(|line| line.contains("raw_syscalls"));
    let count = counts
        .filter_map(|line| line.split(',').next()?.parse::<f64>().ok())
        .next();
    Ok(count.map(|count| count / requests as f64))
}

fn middle(rounds: &[Row]) -> Row {
    let of = |read: &dyn Fn(&Row) -> f64| median(rounds.iter().map(read));
    Row {
        requests_per_second: of(&|row| row.requests_per_second),
        cpu_us: of(&|row| row.cpu_us),
        counters: std::array::from_fn(|i| of(&|row| row.counters[i])),
        ..rounds[0].clone()
    }
}

fn render(rows: &[Row]) -> String {
    let short = COUNTERS.map(|name| name.trim_start_matches("mesh_").trim_start_matches("loop_"));
    let mut header = vec![
        "",
        "shards",
        "1000/s",
        "CPU µs",
        "×1 shard",
        "calls",
        "by perf",
    ];
    header.extend(short);
    let mut table = Table::new(&header);
    for row in rows {
        let mut cells = vec![
            row.command.into(),
            row.shards.to_string(),
            format!("{:.0}", row.requests_per_second / 1e3),
            format!("{:.3}", row.cpu_us),
            format!("{:.2}", ratio(rows, row)),
            format!("{:.3}", row.counted_calls()),
            row.calls
                .map_or_else(|| "–".into(), |calls| format!("{calls:.3}")),
        ];
        cells.extend(row.counters.map(|counter| format!("{counter:.4}")));
        table.row(cells);
    }
    format!("{}all but the first figure per request\n", table.render())
}

/// Processor time in parts of one shard's.
fn ratio(rows: &[Row], row: &Row) -> f64 {
    let one = rows
        .iter()
        .find(|one| one.shards == 1 && one.command == row.command);
    row.cpu_us / one.map_or(f64::NAN, |one| one.cpu_us)
}

fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.shards == 2) {
        let calls = row.calls.unwrap_or(row.counted_calls());
        for (what, is, at_most) in [
            (
                "times one shard's processor time",
                ratio(rows, row),
                CPU_RATIO_MAX,
            ),
            ("wakes per request", row.counter("mesh_wakes"), WAKES_MAX),
            ("system calls per request", calls, CALLS_MAX),
        ] {
            if is > at_most {
                missed.push(format!(
                    "{}: {is:.3} {what}, at most {at_most}",
                    row.command
                ));
            }
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(shards: usize, cpu_us: f64) -> Row {
        Row {
            command: "GET",
            shards,
            requests_per_second: 1.0,
            cpu_us,
            counters: [0.01; COUNTERS.len()],
            calls: None,
        }
    }

    #[test]
    fn medians_and_targets() {
        let rows = [row(1, 1.0), row(2, 1.7)];
        assert!(missed(&rows).is_empty());
        assert_eq!(missed(&[row(1, 1.0), row(2, 1.9)]).len(), 1);
        assert_eq!(middle(&[row(1, 3.0), row(1, 1.0), row(1, 2.0)]).cpu_us, 2.0);
    }
}
