//! Idle connections: what they cost a processor (nothing) and how much memory each holds.
//!
//! Each connection has had one PING, one SET and one GET answered before it falls silent, so that it
//! holds what a real one holds. Memory is what the process has more than before the connections
//! came; a few connections come and go before, so that what all share is not counted as theirs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;

use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;

/// What `cargo xtask measure idle` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Numbers of connections, growing
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000], value_name = "COUNTS")]
    connections: Vec<usize>,
    /// Seconds of silence that are watched at each number
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Shards
    #[arg(long, default_value_t = 2)]
    shards: usize,
}

/// Connections that come and go first.
const WARM_UP: usize = 100;

/// How long a server has to fall silent before it is watched.
const SETTLE: Duration = Duration::from_secs(2);

/// Ticks of 10 ms that a server may use while it is watched: the clock's grain.
const TICKS_MAX: u64 = 1;

/// Memory that an idle connection may hold.
const CONNECTION_BYTES_MAX: f64 = 4096.0;

/// One server at one number of connections.
#[derive(Serialize)]
struct Row {
    server: &'static str,
    connections: usize,
    seconds: u64,
    /// Ticks of 10 ms it used.
    cpu_ticks: u64,
    /// The same to the nanosecond, in parts of one processor.
    cpu_share: f64,
    rss_bytes: u64,
    /// Proportional memory above that without connections, per connection.
    bytes_per_connection: f64,
}

/// Measures.
///
/// # Errors
/// If a server fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let most = options.connections.iter().max().copied().unwrap_or(0);
    allow_descriptors(most + 1_000)?;
    let clients = (most + 1_000).to_string();
    let flags = ["--maxclients", clients.as_str()];
    let start = Start {
        programs,
        processors: None,
    };
    let mut rows = watch(
        "corelane",
        &start.corelane(options.shards, &flags)?,
        options,
    )?;
    if let Some(redis) = start.redis(&flags)? {
        rows.extend(watch("redis", &redis, options)?);
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

fn watch(name: &'static str, server: &Server, options: &Options) -> Result<Vec<Row>, String> {
    let open = || open(server.port).map_err(|error| format!("{name}: {error}"));
    drop(
        (0..WARM_UP)
            .map(|_| open())
            .collect::<Result<Vec<_>, _>>()?,
    );
    thread::sleep(SETTLE);
    let empty = server.process().memory()?;
    let mut connections = Vec::new();
    let mut rows = Vec::new();
    for &count in &options.connections {
        while connections.len() < count {
            connections.push(open()?);
        }
        thread::sleep(SETTLE);
        let before = server.process().used()?;
        thread::sleep(Duration::from_secs(options.seconds));
        let used = server.process().used()? - before;
        let memory = server.process().memory()?;
        rows.push(Row {
            server: name,
            connections: count,
            seconds: options.seconds,
            cpu_ticks: used.ticks,
            cpu_share: used.cpu_ns as f64 / 1e9 / options.seconds as f64,
            rss_bytes: memory.rss,
            bytes_per_connection: memory.pss.saturating_sub(empty.pss) as f64 / count as f64,
        });
    }
    Ok(rows)
}

/// A connection that has been used.
fn open(port: u16) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    for (request, reply) in [
        ("PING\r\n", "+PONG\r\n"),
        ("SET key value\r\n", "+OK\r\n"),
        ("GET key\r\n", "$5\r\nvalue\r\n"),
    ] {
        stream.write_all(request.as_bytes())?;
        stream.read_exact(&mut vec![0; reply.len()])?;
    }
    Ok(stream)
}

/// Lets this process, and the servers it starts, open so many.
fn allow_descriptors(count: usize) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = count as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum.map(|maximum| maximum.max(wanted)),
        };
        setrlimit(Resource::Nofile, raised)
            .map_err(|error| format!("{count} descriptors are not allowed here: {error}"))?;
    }
    Ok(())
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "server",
        "connections",
        "CPU ticks",
        "of a CPU",
        "RSS MB",
        "bytes/connection",
    ]);
    for row in rows {
        table.row(vec![
            row.server.into(),
            row.connections.to_string(),
            format!("{} in {} s", row.cpu_ticks, row.seconds),
            format!("{:.3}%", row.cpu_share * 100.0),
            format!("{:.1}", row.rss_bytes as f64 / 1e6),
            format!("{:.0}", row.bytes_per_connection),
        ]);
    }
    table.render()
}

fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.server == "corelane") {
        let at = format!("with {} idle connections", row.connections);
        if row.cpu_ticks > TICKS_MAX {
            missed.push(format!("{} ticks in {} s {at}", row.cpu_ticks, row.seconds));
        }
        if row.bytes_per_connection > CONNECTION_BYTES_MAX {
            missed.push(format!("{:.0} bytes each {at}", row.bytes_per_connection));
        }
    }
    missed
}
