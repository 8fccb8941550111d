//! Fairness: what a client that asks one thing at a time has to wait for on a shard that others keep
//! busy with long pipelines.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corelane_wire::encode_command;
use serde::Serialize;

use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;
use crate::server::Client;

/// What `cargo xtask measure fairness` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Seconds for each row
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Commands of one pipeline
    #[arg(long, default_value_t = 10_000)]
    pipeline: usize,
    /// Shards
    #[arg(long, default_value_t = 1)]
    shards: usize,
}

/// The pings of one row that are thrown away: the first ones meet cold code.
const WARM_UP: usize = 100;

/// Who is beside the client that pings.
#[derive(Clone, Copy)]
struct Beside {
    name: &'static str,
    clients: usize,
    words: &'static [&'static str],
    reply_bytes: usize,
}

const ROWS: &[Beside] = &[
    Beside {
        name: "nobody",
        clients: 0,
        words: &[],
        reply_bytes: 0,
    },
    Beside {
        name: "1 with GETs",
        clients: 1,
        words: &["GET", "short"],
        reply_bytes: "$5\r\nvalue\r\n".len(),
    },
    Beside {
        name: "1 with LCS of 300 bytes",
        clients: 1,
        words: &["LCS", "long", "long", "LEN"],
        reply_bytes: ":300\r\n".len(),
    },
    Beside {
        name: "8 with LCS of 300 bytes",
        clients: 8,
        words: &["LCS", "long", "long", "LEN"],
        reply_bytes: ":300\r\n".len(),
    },
];

/// What the pings took.
#[derive(Serialize)]
struct Row {
    beside: &'static str,
    pings: usize,
    p50_us: f64,
    p99_us: f64,
    longest_us: f64,
    /// Commands per second that the others had answered.
    others_per_s: f64,
}

/// Measures.
///
/// # Errors
/// If the server fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let start = Start {
        programs,
        processors: None,
    };
    let server = start.corelane(options.shards, &[])?;
    let mut client = server.client()?;
    client.call("SET short value")?;
    client.call(&format!("SET long {}", "v".repeat(300)))?;
    let rows = ROWS
        .iter()
        .map(|beside| row(*beside, &server, options))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Findings::new(&rows, render(&rows), Vec::new()))
}

fn row(beside: Beside, server: &Server, options: &Options) -> Result<Row, String> {
    let over = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..beside.clients)
        .map(|_| {
            let (over, port, length) = (Arc::clone(&over), server.port, options.pipeline);
            thread::spawn(move || pump(port, beside, length, &over))
        })
        .collect();
    let pings = ping(&mut server.client()?, Duration::from_secs(options.seconds));
    over.store(true, Ordering::Relaxed);
    let mut answered = 0;
    for other in others {
        let counted = other.join().map_err(|_| "a client panicked")?;
        answered += counted.map_err(|error| format!("{}: {error}", beside.name))?;
    }
    let mut pings = pings?;
    pings.sort_unstable();
    let at = |share: f64| {
        let last = pings.len().saturating_sub(1);
        let index = (last as f64 * share) as usize;
        pings
            .get(index)
            .map_or(0.0, |took| took.as_secs_f64() * 1e6)
    };
    Ok(Row {
        beside: beside.name,
        pings: pings.len(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        longest_us: at(1.0),
        others_per_s: answered as f64 / options.seconds as f64,
    })
}

/// One PING after the other; how long each took.
fn ping(client: &mut Client, how_long: Duration) -> Result<Vec<Duration>, String> {
    for _ in 0..WARM_UP {
        client.call("PING")?;
    }
    let (began, mut took) = (Instant::now(), Vec::new());
    while began.elapsed() < how_long {
        let sent = Instant::now();
        client.call("PING")?;
        took.push(sent.elapsed());
    }
    Ok(took)
}

/// Whole pipelines, one after the other; how many commands were answered.
fn pump(port: u16, beside: Beside, length: usize, over: &AtomicBool) -> io::Result<usize> {
    let mut one = Vec::new();
    encode_command(&mut one, beside.words.iter().map(|word| word.as_bytes()));
    let pipeline = one.repeat(length);
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let mut answered = 0;
    while !over.load(Ordering::Relaxed) {
        stream.write_all(&pipeline)?;
        let bytes = (beside.reply_bytes * length) as u64;
        let read = io::copy(&mut Read::by_ref(&mut stream).take(bytes), &mut io::sink())?;
        if read < bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answered += length;
    }
    Ok(answered)
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "beside",
        "pings",
        "p50 us",
        "p99 us",
        "longest us",
        "their commands/s",
    ]);
    for row in rows {
        table.row(vec![
            row.beside.into(),
            row.pings.to_string(),
            format!("{:.0}", row.p50_us),
            format!("{:.0}", row.p99_us),
            format!("{:.0}", row.longest_us),
            format!("{:.0}", row.others_per_s),
        ]);
    }
    table.render()
}
