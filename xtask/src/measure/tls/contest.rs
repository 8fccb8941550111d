//! The rounds: each measures every server once, in turn; medians are shown.

use std::process::Command as Process;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};

use super::files::{Files, KEYS, make};
use super::shaker::{Manner, shake};
use crate::measure::server::{Programs, Server, Start};
use crate::measure::table::Table;
use crate::measure::task::Findings;
use crate::server::{free_port, median, succeed};

/// What `cargo xtask measure tls` can be told.
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
}

/// The most processor time, in parts of redis-server's.
const RATIO_MAX: f64 = 1.0;

/// Depths of pipelines.
const DEPTHS: [u32; 2] = [1, 16];

/// A server that speaks TLS.
struct Contender {
    name: &'static str,
    /// Index into [`KEYS`].
    key: usize,
    port: u16,
    server: Server,
}

/// What was measured of one thing, on one server.
#[derive(Clone, Serialize)]
struct Row {
    what: String,
    server: &'static str,
    per_second: f64,
    cpu_us: f64,
}

/// The part of the generator's report that is read.
#[derive(Deserialize)]
struct Report {
    all: All,
    server: Used,
}

#[derive(Deserialize)]
struct All {
    per_second: f64,
}

#[derive(Deserialize)]
struct Used {
    cpu_us_per_request: f64,
}

/// Measures.
///
/// # Errors
/// If a server, the generator or `openssl` fails, or there is no redis-server.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let files = make()?;
    let mut contenders = Vec::new();
    for (key, files) in files.iter().enumerate() {
        contenders.push(corelane(programs, key, files)?);
        contenders.push(redis(programs, key, files)?);
    }
    let mut samples: Vec<Row> = Vec::new();
    for _ in 0..options.rounds {
        for depth in DEPTHS {
            for ratio in ["1:0", "0:1"] {
                // The record's cipher does not depend on the certificate's key.
                for contender in contenders.iter().filter(|contender| contender.key == 0) {
                    samples.push(requests(options, programs, contender, depth, ratio)?);
                }
            }
        }
        for resumes in [false, true] {
            for contender in &contenders {
                for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
                    samples.push(handshakes(options, contender, Manner { version, resumes })?);
                }
            }
        }
    }
    let rows = medians(&samples);
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

fn corelane(programs: &Programs, key: usize, files: &Files) -> Result<Contender, String> {
    let start = Start {
        programs,
        processors: Some("0"),
    };
    let flags = [
        "--tls-port",
        "auto",
        "--tls-cert-file",
        &files.certificate,
        "--tls-key-file",
        &files.key,
        "--tls-auth-clients",
        "no",
    ];
    let server = start.corelane(1, &flags)?;
    Ok(Contender {
        name: "corelane",
        key,
        port: server.port,
        server,
    })
}

fn redis(programs: &Programs, key: usize, files: &Files) -> Result<Contender, String> {
    let start = Start {
        programs,
        processors: Some("0"),
    };
    let port = free_port()?;
    let text = port.to_string();
    let flags = [
        "--tls-port",
        &text,
        "--tls-cert-file",
        &files.certificate,
        "--tls-key-file",
        &files.key,
        "--tls-ca-cert-file",
        &files.certificate,
        "--tls-auth-clients",
        "no",
    ];
    let server = start.redis(&flags)?;
    Ok(Contender {
        name: "redis-server",
        key,
        port,
        server: server.ok_or("there is nothing to hold it beside")?,
    })
}

fn requests(
    options: &Options,
    programs: &Programs,
    contender: &Contender,
    depth: u32,
    ratio: &str,
) -> Result<Row, String> {
    let mut bench = Process::new("taskset");
    bench.args(["-c", "1"]).arg(&programs.corelane);
    bench.args(["bench", "--json", "--tls", "--insecure"]);
    bench.args(["--warm-up", "0.2", "--keys", "100000", "--ratio", ratio]);
    bench.args(["--port", &contender.port.to_string()]);
    bench.args(["--connections", &options.connections.to_string()]);
    bench.args(["--pipeline", &depth.to_string()]);
    bench.args(["--seconds", &options.seconds.to_string()]);
    bench.args(["--watch-pid", &contender.server.process().0.to_string()]);
    let output = succeed(&mut bench)?;
    let report: Report = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the report of corelane bench is unreadable: {error}"))?;
    let command = if ratio == "1:0" { "GET" } else { "SET" };
    Ok(Row {
        what: format!("{command}, depth {depth}"),
        server: contender.name,
        per_second: report.all.per_second,
        cpu_us: report.server.cpu_us_per_request,
    })
}

fn handshakes(options: &Options, contender: &Contender, manner: Manner) -> Result<Row, String> {
    let mut second = CpuSet::new();
    second.set(1);
    // A machine with one processor has no second, and tells as much.
    let _ = sched_setaffinity(None, &second);
    let process = contender.server.process();
    let before = process.used()?;
    let count = shake(
        contender.port,
        manner,
        Duration::from_secs_f64(options.seconds),
    )?;
    let used = process.used()? - before;
    let kind = if manner.resumes { "resumed" } else { "full" };
    Ok(Row {
        what: format!(
            "{kind} handshake, {:?}, {}",
            manner.version.version, KEYS[contender.key]
        ),
        server: contender.name,
        per_second: count as f64 / options.seconds,
        cpu_us: used.cpu_ns as f64 / 1e3 / count.max(1) as f64,
    })
}

/// One row for each thing and server, in the order in which they were first measured.
fn medians(samples: &[Row]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for sample in samples {
        let same = |row: &&Row| row.what == sample.what && row.server == sample.server;
        if rows.iter().any(|row| same(&row)) {
            continue;
        }
        let of = |read: fn(&Row) -> f64| median(samples.iter().filter(same).map(read));
        rows.push(Row {
            per_second: of(|row| row.per_second),
            cpu_us: of(|row| row.cpu_us),
            ..sample.clone()
        });
    }
    rows
}

/// Ours and redis-server's of each thing.
fn pairs(rows: &[Row]) -> impl Iterator<Item = (&Row, &Row)> {
    let ours = rows.iter().filter(|row| row.server == "corelane");
    ours.filter_map(|ours| {
        let same = |row: &&Row| row.what == ours.what && row.server != ours.server;
        Some((ours, rows.iter().find(same)?))
    })
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&["", "1/s", "redis 1/s", "CPU µs", "redis CPU µs", "ratio"]);
    for (ours, redis) in pairs(rows) {
        table.row(vec![
            ours.what.clone(),
            format!("{:.0}", ours.per_second),
            format!("{:.0}", redis.per_second),
            format!("{:.2}", ours.cpu_us),
            format!("{:.2}", redis.cpu_us),
            format!("{:.2}", ours.cpu_us / redis.cpu_us),
        ]);
    }
    format!(
        "{}the server's processor time per request or handshake; one client shakes hands at a time\n",
        table.render()
    )
}

fn missed(rows: &[Row]) -> Vec<String> {
    let over = |(ours, redis): (&Row, &Row)| {
        let ratio = ours.cpu_us / redis.cpu_us;
        (ratio > RATIO_MAX).then(|| {
            format!(
                "{}: {ratio:.2} times redis-server's processor time, at most {RATIO_MAX}",
                ours.what
            )
        })
    };
    pairs(rows).filter_map(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_targets() {
        let row = |server, cpu_us| Row {
            what: "GET".to_owned(),
            server,
            per_second: 1.0,
            cpu_us,
        };
        let samples = [
            row("corelane", 3.0),
            row("redis-server", 2.0),
            row("corelane", 1.0),
            row("redis-server", 2.0),
            row("corelane", 2.5),
        ];
        let rows = medians(&samples);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].cpu_us, 2.5);
        assert_eq!(missed(&rows).len(), 1);
        assert!(missed(&[row("corelane", 1.0), row("redis-server", 1.1)]).is_empty());
    }
}
