//! Connections that are sent from shard to shard, by themselves and by an operator, in the middle of their pipelines:
//! plain and encrypted ones, RESP2 and RESP3, frames cut anywhere. Every reply is checked, and afterwards what the
//! server holds.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use corelane_wanderers::{Credentials, Report, Wire, wander};
use serde::Serialize;

use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;
use crate::place::target;
use crate::server::free_port;

/// What `cargo xtask measure migrations` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Moves that each server is to count
    #[arg(long, default_value_t = 1_000_000)]
    moves: u64,
    /// Numbers of shards, a server each
    #[arg(long, value_delimiter = ',', default_values_t = [2, 4])]
    shards: Vec<usize>,
    /// Connections; half of them encrypted, half of them RESP3
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// The server's `routing`
    #[arg(long, default_value = "adaptive")]
    routing: String,
    /// For all that is chosen at random
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Moves before anything is measured, so that what is taken once and kept has been taken.
const WARM_UP_MOVES: u64 = 20_000;

/// Memory that may stay with the allocator.
const SLACK_BYTES: u64 = 32 << 20;

/// One server.
#[derive(Serialize)]
struct Row {
    shards: usize,
    moves: u64,
    moves_by_kind: BTreeMap<String, u64>,
    commands: BTreeMap<String, u64>,
    checked: u64,
    pipelines: u64,
    wrong: Vec<String>,
    seconds: f64,
    moves_per_second: f64,
    cpu_us_per_move: f64,
    longest_ms: f64,
    rss_before: u64,
    rss_after: u64,
    descriptors_before: usize,
    descriptors_after: usize,
}

/// Measures.
///
/// # Errors
/// If a server does not start or ends.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let mut rows = Vec::new();
    for &shards in &options.shards {
        rows.push(row(options, programs, shards)?);
    }
    let missed = rows.iter().flat_map(|row| row.missed(options)).collect();
    Ok(Findings::new(&rows, table(&rows), missed))
}

fn row(options: &Options, programs: &Programs, shards: usize) -> Result<Row, String> {
    let mut both = Both::start(options, programs, shards)?;
    both.wander(options, shards, WARM_UP_MOVES);
    let process = both.server.process();
    let descriptors_before = both.descriptors_at_rest()?;
    let (rss_before, used_before) = (process.rss()?, process.used()?);
    let report = both.wander(options, shards, options.moves);
    let used = process.used()? - used_before;
    let descriptors_after = both.descriptors_at_rest()?;
    let rss_after = process.rss()?;
    if !both.server.is_alive() {
        return Err(format!("the server ended: {}", both.server.log_from(0)));
    }
    let (seconds, moves) = (report.took.as_secs_f64(), report.moved());
    Ok(Row {
        shards,
        moves,
        checked: report.checked(),
        pipelines: report.pipelines,
        seconds,
        moves_per_second: moves as f64 / seconds,
        cpu_us_per_move: used.cpu_ns as f64 / 1000.0 / moves.max(1) as f64,
        longest_ms: report.longest.as_secs_f64() * 1000.0,
        rss_before,
        rss_after,
        descriptors_before,
        descriptors_after,
        moves_by_kind: report.moves,
        commands: report.commands,
        wrong: report.wrong,
    })
}

/// A server that listens for both kinds of connections.
struct Both {
    server: Server,
    plain: u16,
    encrypted: u16,
    credentials: Credentials,
}

impl Both {
    fn start(options: &Options, programs: &Programs, shards: usize) -> Result<Self, String> {
        let failed = |error: io::Error| format!("no certificate: {error}");
        let folder = target().join("measure");
        fs::create_dir_all(&folder).map_err(failed)?;
        let credentials = Credentials::make(&folder).map_err(failed)?;
        let (plain, encrypted) = (free_port()?, free_port()?);
        let certificate = credentials.certificate.display().to_string();
        let key = credentials.key.display().to_string();
        let flags = [
            ["--port", &plain.to_string()],
            ["--tls-port", &encrypted.to_string()],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
            ["--tls-auth-clients", "no"],
            ["--overprovisioned", "yes"],
            ["--routing", &options.routing],
        ];
        let start = Start {
            programs,
            processors: None,
        };
        Ok(Self {
            server: start.corelane(shards, flags.as_flattened())?,
            plain,
            encrypted,
            credentials,
        })
    }

    /// Lets clients wander until the server has counted so many moves.
    fn wander(&self, options: &Options, shards: usize, moves: u64) -> Report {
        let plain = || -> io::Result<Box<dyn Wire>> { Ok(Box::new(connect(self.plain)?)) };
        let encrypted = || self.credentials.secure(connect(self.encrypted)?);
        let options = corelane_wanderers::Options {
            moves,
            clients: options.connections,
            shards,
            seed: options.seed,
        };
        // By fours: both protocols over both.
        wander(&options, &[&plain, &plain, &encrypted, &encrypted])
    }

    /// Descriptors when nobody but who asks is connected.
    fn descriptors_at_rest(&self) -> Result<usize, String> {
        let mut client = self.server.client()?;
        let began = Instant::now();
        while client.info("clients")?.get("connected_clients") > 1.0 {
            if began.elapsed() > PATIENCE {
                let clients = client.call("CLIENT LIST")?;
                return Err(format!(
                    "clients that have gone are still listed: {clients:?}"
                ));
            }
            thread::sleep(Duration::from_millis(10));
        }
        client.call("FLUSHALL")?;
        self.server.process().descriptors()
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Row {
    fn missed(&self, options: &Options) -> Vec<String> {
        let on = format!("on {} shards", self.shards);
        let mut missed: Vec<String> = self.wrong.clone();
        if self.moves < options.moves {
            missed.push(format!("{} moves {on}", self.moves));
        }
        if self.descriptors_after > self.descriptors_before {
            let (before, after) = (self.descriptors_before, self.descriptors_after);
            missed.push(format!(
                "{before} descriptors before and {after} after, {on}"
            ));
        }
        if self.rss_after > self.rss_before + SLACK_BYTES {
            let (before, after) = (self.rss_before, self.rss_after);
            missed.push(format!(
                "{before} bytes resident before and {after} after, {on}"
            ));
        }
        missed
    }
}

/// What a line of the table shows of a server.
type Cell = fn(&Row) -> String;

const LINES: [(&str, Cell); 15] = [
    ("moves", |row| row.moves.to_string()),
    ("  by order", |row| row.of_kind("order")),
    ("  migrate", |row| row.of_kind("migrate")),
    ("  adaptive", |row| row.of_kind("adaptive")),
    ("replies checked", |row| row.checked.to_string()),
    ("wrong", |row| row.wrong.len().to_string()),
    ("pipelines", |row| row.pipelines.to_string()),
    ("seconds", |row| format!("{:.1}", row.seconds)),
    ("moves per second", |row| {
        format!("{:.0}", row.moves_per_second)
    }),
    ("server's CPU per move with its commands, µs", |row| {
        format!("{:.1}", row.cpu_us_per_move)
    }),
    ("longest pipeline, ms", |row| {
        format!("{:.1}", row.longest_ms)
    }),
    ("resident before, MiB", |row| mib(row.rss_before)),
    ("resident after, MiB", |row| mib(row.rss_after)),
    ("descriptors before", |row| {
        row.descriptors_before.to_string()
    }),
    ("descriptors after", |row| row.descriptors_after.to_string()),
];

impl Row {
    fn of_kind(&self, kind: &str) -> String {
        let name = format!("connections_moved_{kind}");
        self.moves_by_kind
            .get(&name)
            .copied()
            .unwrap_or(0)
            .to_string()
    }
}

fn table(rows: &[Row]) -> String {
    let header = rows.iter().map(|row| format!("{} shards", row.shards));
    let header: Vec<String> = std::iter::once("migrations".to_owned())
        .chain(header)
        .collect();
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, cell) in LINES {
        let cells = std::iter::once(name.to_owned()).chain(rows.iter().map(cell));
        table.row(cells.collect());
    }
    table.render()
}

fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}
