//! Idle connections: what they cost a processor (nothing) and how much memory each holds.
//!
//! What a connection holds depends on what it did before it fell silent, so each history is measured
//! with a server of its own. Memory is what the process has resident above what it had before the
//! connections came; some connections with the same history come and go before, so that what all
//! share is not counted as theirs.

use std::io::{self, Read, Write};
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
    #[arg(long, value_delimiter = ',', default_values_t = [15_000], value_name = "COUNTS")]
    connections: Vec<usize>,
    /// What each connection does before it falls silent
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = After::ALL, value_name = "HISTORIES")]
    after: Vec<After>,
    /// Seconds of silence that are watched at each number
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Shards
    #[arg(long, default_value_t = 2)]
    shards: usize,
    /// Leave redis-server out
    #[arg(long)]
    alone: bool,
}

/// What a connection did before it fell silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum After {
    /// It said nothing at all.
    Nothing,
    /// One GET of a small value.
    Get,
    /// One write with 100 commands on keys of all shards.
    Pipeline,
    /// SET and GET of a value of 1 MB.
    Value,
}

impl After {
    const ALL: [Self; 4] = [Self::Nothing, Self::Get, Self::Pipeline, Self::Value];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Get => "one GET",
            Self::Pipeline => "100 at once",
            Self::Value => "1 MB",
        }
    }
}

/// Connections that come and go first: more than there are receive buffers, which all share.
const WARM_UP: usize = 2_000;

/// Connections that are opened before the server is asked whether it keeps up: what it holds for a backlog is not what
/// idle connections cost.
const IN_A_ROW: usize = 16;

/// How long a server has to fall silent before it is watched.
const SETTLE: Duration = Duration::from_secs(3);

/// Ticks of 10 ms that a server may use while it is watched: the clock's grain.
const TICKS_MAX: u64 = 1;

/// Memory that an idle connection may hold.
const CONNECTION_BYTES_MAX: f64 = 2048.0;

/// Bytes of a big value.
const VALUE_BYTES: usize = 1_000_000;

/// Commands of a pipeline.
const PIPELINE: usize = 100;

/// One server at one number of connections.
#[derive(Serialize)]
struct Row {
    server: &'static str,
    after: After,
    connections: usize,
    seconds: u64,
    /// Ticks of 10 ms it used.
    cpu_ticks: u64,
    /// The same to the nanosecond, in parts of one processor.
    cpu_share: f64,
    rss_bytes: u64,
    /// Resident memory above that without connections, per connection.
    bytes_per_connection: f64,
    /// What a million such connections would hold.
    million_bytes: f64,
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
    let mut rows = Vec::new();
    for &after in &options.after {
        let server = start.corelane(options.shards, &flags)?;
        rows.extend(watch("corelane", &server, after, options)?);
        drop(server);
        if options.alone {
            continue;
        }
        if let Some(redis) = start.redis(&flags)? {
            rows.extend(watch("redis", &redis, after, options)?);
        }
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

fn watch(
    name: &'static str,
    server: &Server,
    after: After,
    options: &Options,
) -> Result<Vec<Row>, String> {
    let failed = |error: io::Error| format!("{name} after {}: {error}", after.name());
    let open = || open(server.port, after).map_err(failed);
    prepare(server.port).map_err(failed)?;
    drop(
        (0..WARM_UP)
            .map(|_| open())
            .collect::<Result<Vec<_>, _>>()?,
    );
    thread::sleep(SETTLE);
    let empty = server.process().memory()?;
    let mut connections = Vec::new();
    let mut rows = Vec::new();
    let mut pacer = server.client()?;
    for &count in &options.connections {
        while connections.len() < count {
            connections.push(open()?);
            if connections.len().is_multiple_of(IN_A_ROW) {
                pacer.call("PING")?;
            }
        }
        thread::sleep(SETTLE);
        let before = server.process().used()?;
        thread::sleep(Duration::from_secs(options.seconds));
        let used = server.process().used()? - before;
        let memory = server.process().memory()?;
        let each = memory.rss.saturating_sub(empty.rss) as f64 / count as f64;
        rows.push(Row {
            server: name,
            after,
            connections: count,
            seconds: options.seconds,
            cpu_ticks: used.ticks,
            cpu_share: used.cpu_ns as f64 / 1e9 / options.seconds as f64,
            rss_bytes: memory.rss,
            bytes_per_connection: each,
            million_bytes: empty.rss as f64 + each * 1e6,
        });
    }
    Ok(rows)
}

/// The keys that connections ask for, and the big value of all of them: values are not what is measured.
fn prepare(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    for n in 0..PIPELINE {
        call(
            &mut stream,
            format!("SET key:{n:02} value\r\n").as_bytes(),
            5,
        )?;
    }
    talk(&mut stream, After::Value)
}

/// A connection that has done so much.
fn open(port: u16, after: After) -> io::Result<TcpStream> {
    let mut stream = connect(port)?;
    talk(&mut stream, after)?;
    Ok(stream)
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

fn talk(stream: &mut TcpStream, after: After) -> io::Result<()> {
    match after {
        After::Nothing => Ok(()),
        After::Get => call(stream, b"GET key:00\r\n", "$5\r\nvalue\r\n".len()),
        After::Pipeline => {
            let lines = (0..PIPELINE).map(|n| format!("*2\r\n$3\r\nGET\r\n$6\r\nkey:{n:02}\r\n"));
            let reply_bytes = "$5\r\nvalue\r\n".len() * PIPELINE;
            call(stream, lines.collect::<String>().as_bytes(), reply_bytes)
        }
        After::Value => {
            let mut set =
                format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${VALUE_BYTES}\r\n").into_bytes();
            set.resize(set.len() + VALUE_BYTES, b'v');
            set.extend_from_slice(b"\r\n");
            call(stream, &set, "+OK\r\n".len())?;
            let head = format!("${VALUE_BYTES}\r\n").len();
            call(stream, b"GET big\r\n", head + VALUE_BYTES + 2)
        }
    }
}

/// Sends, and reads a reply of a known length.
fn call(stream: &mut TcpStream, request: &[u8], reply_bytes: usize) -> io::Result<()> {
    stream.write_all(request)?;
    let read = io::copy(
        &mut Read::by_ref(stream).take(reply_bytes as u64),
        &mut io::sink(),
    )?;
    if read == reply_bytes as u64 {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
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
        "after",
        "connections",
        "CPU ticks",
        "of a CPU",
        "RSS MB",
        "bytes/connection",
        "a million: GB",
    ]);
    for row in rows {
        table.row(vec![
            row.server.into(),
            row.after.name().into(),
            row.connections.to_string(),
            format!("{} in {} s", row.cpu_ticks, row.seconds),
            format!("{:.3}%", row.cpu_share * 100.0),
            format!("{:.1}", row.rss_bytes as f64 / 1e6),
            format!("{:.0}", row.bytes_per_connection),
            format!("{:.2}", row.million_bytes / 1e9),
        ]);
    }
    table.render()
}

fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.server == "corelane") {
        let at = format!(
            "with {} idle connections after {}",
            row.connections,
            row.after.name()
        );
        if row.cpu_ticks > TICKS_MAX {
            missed.push(format!("{} ticks in {} s {at}", row.cpu_ticks, row.seconds));
        }
        if row.bytes_per_connection > CONNECTION_BYTES_MAX {
            missed.push(format!("{:.0} bytes each {at}", row.bytes_per_connection));
        }
    }
    missed
}
