//! The run: the flood twice, the server held against its state before, and errors counted exactly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::crowd::{self, Tally};
use crate::measure::server::{Programs, Server, Start};
use crate::measure::table::Table;
use crate::measure::task::Findings;
use crate::server::{Client, Info};

/// What `cargo xtask measure hostile` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Bytes of each flood: a number, with K, M or G behind it
    #[arg(long, default_value = "1G", value_parser = parse_bytes)]
    bytes: u64,
    /// How often the flood comes
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Threads that send it, 200 connections each
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Shards
    #[arg(long, default_value_t = 2)]
    shards: usize,
    /// What all bytes come from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The server's backend: auto, uring or polling
    #[arg(long, default_value = "auto")]
    io: String,
}

/// The limit on data that the server gets.
const MAX_MEMORY: &str = "256mb";

/// Clients of our own: one that asks for figures, one that watches.
const OWN_CLIENTS: f64 = 2.0;

/// How long connections may take to be gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the allocator has to give memory back.
const SETTLE: Duration = Duration::from_secs(2);

/// Memory that a later flood may add to what the first one left: what an allocator's pools differ by.
const RSS_GROWTH_MAX: u64 = 32 << 20;

/// What an emptied keyspace may hold: the frames of its tables.
const EMPTY_BYTES_MAX: f64 = (1 << 20) as f64;

/// The longest that the polite client may wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Clients in the test that counts errors one by one.
const COUNTED_ERRORS: u64 = 1_000;

/// What one flood did, and the server after it.
#[derive(Serialize)]
struct Round {
    seconds: f64,
    connections: u64,
    sent_bytes: u64,
    read_bytes: u64,
    /// Clients that waited in vain for the end of their connection.
    hung: u64,
    /// Protocol errors that clients were told of, and that the server counted.
    told_errors: u64,
    protocol_errors: f64,
    commands: f64,
    error_replies: f64,
    /// The polite client's pings, and the longest of them.
    pings: u64,
    longest_ping_ms: f64,
    /// Left over: clients, descriptors above those before, resident memory.
    clients: f64,
    descriptors: i64,
    rss_bytes: u64,
    peak_rss_bytes: u64,
}

/// Measures.
///
/// # Errors
/// If the server does not start, or cannot be asked any more.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let start = Start {
        programs,
        processors: None,
    };
    let flags = ["--maxmemory", MAX_MEMORY, "--io", options.io.as_str()];
    let mut server = start.corelane(options.shards, &flags)?;
    let mut client = server.client()?;
    let before = client.info("all")?;
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        eprintln!("measure: flood {} of {}", number + 1, options.rounds);
        let round = round(options, number as u64, &server, &mut client);
        rounds.push(round.map_err(|problem| said(&server, &problem))?);
    }
    let mut missed = missed(&rounds);
    missed.extend(sums(&before, &client.info("all")?, &rounds));
    missed.extend(count_errors(&server, &mut client)?);
    if !server.is_alive() || server.log_from(0).contains("panicked") {
        missed.push(said(&server, "the server panicked"));
    }
    Ok(Findings::new(&rounds, render(&rounds), missed))
}

fn said(server: &Server, problem: &str) -> String {
    let log = server.log_from(0);
    let lines: Vec<&str> = log.lines().collect();
    let end = &lines[lines.len().saturating_sub(20)..];
    format!("{problem}; the server's last words: {}", end.join("\n"))
}

fn round(
    options: &Options,
    number: u64,
    server: &Server,
    client: &mut Client,
) -> Result<Round, String> {
    let before = client.info("stats")?;
    let began = Instant::now();
    let over = AtomicBool::new(false);
    let mut polite = server.client()?;
    // Answered, and so accepted: its descriptor is there.
    polite.call("PING")?;
    let descriptors = server.process().descriptors()?;
    let (tally, pings) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&mut polite, &over));
        let tally = flood(options, number, server);
        over.store(true, Ordering::Relaxed);
        (tally, watch.join())
    });
    let tally = tally?;
    let (pings, longest_ping) = pings.map_err(|_| "the polite client panicked")??;
    let seconds = began.elapsed().as_secs_f64();
    let clients = until_gone(client, server, descriptors)?;
    client.call("FLUSHALL")?;
    thread::sleep(SETTLE);
    let now = client.info("stats")?;
    let memory = server.process().memory()?;
    Ok(Round {
        seconds,
        connections: tally.connections,
        sent_bytes: tally.sent_bytes,
        read_bytes: tally.read_bytes,
        hung: tally.hung,
        told_errors: tally.told_errors,
        protocol_errors: now.get("protocol_errors") - before.get("protocol_errors"),
        commands: now.get("total_commands_processed") - before.get("total_commands_processed"),
        error_replies: now.get("total_error_replies") - before.get("total_error_replies"),
        pings,
        longest_ping_ms: longest_ping.as_secs_f64() * 1e3,
        clients,
        descriptors: server.process().descriptors()? as i64 - descriptors as i64,
        rss_bytes: memory.rss,
        peak_rss_bytes: memory.peak_rss,
    })
}

/// All threads' floods.
fn flood(options: &Options, number: u64, server: &Server) -> Result<Tally, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], server.port));
    let threads = options.threads.max(1);
    let seed = |thread| options.seed + 1_000 * number + thread;
    thread::scope(|scope| {
        let floods: Vec<_> = (0..threads)
            .map(|thread| {
                let bytes = options.bytes / threads;
                scope.spawn(move || crowd::flood(address, seed(thread), bytes))
            })
            .collect();
        let mut sum = Tally::default();
        for flood in floods {
            let tally = flood.join().map_err(|_| "a client panicked")?;
            sum.add(&tally.map_err(|error| format!("no more connections: {error}"))?);
        }
        Ok(sum)
    })
}

/// A client that behaves, while others do not: how often it was answered, and the longest it waited.
fn watch(polite: &mut Client, over: &AtomicBool) -> Result<(u64, Duration), String> {
    let (mut pings, mut longest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        polite.call("PING")?;
        longest = longest.max(asked.elapsed());
        pings += 1;
        thread::sleep(Duration::from_millis(5));
    }
    Ok((pings, longest))
}

/// Waits until the flood's connections and their descriptors are gone; how many clients are left.
fn until_gone(client: &mut Client, server: &Server, descriptors: usize) -> Result<f64, String> {
    let started = Instant::now();
    loop {
        let clients = client.info("clients")?.get("connected_clients");
        let gone = clients <= OWN_CLIENTS && server.process().descriptors()? <= descriptors;
        if gone || started.elapsed() > PATIENCE {
            return Ok(clients - OWN_CLIENTS);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// What each round must be like.
fn missed(rounds: &[Round]) -> Vec<String> {
    let mut missed = Vec::new();
    for (number, round) in rounds.iter().enumerate() {
        let at = format!("after flood {}", number + 1);
        if round.clients != 0.0 {
            missed.push(format!("{} clients are left {at}", round.clients));
        }
        if round.descriptors != 0 {
            missed.push(format!("{} descriptors are left {at}", round.descriptors));
        }
        if round.hung > 0 {
            missed.push(format!("{} clients were never let go {at}", round.hung));
        }
        if round.longest_ping_ms > ANSWER_MAX.as_secs_f64() * 1e3 {
            missed.push(format!("a PING took {:.0} ms {at}", round.longest_ping_ms));
        }
        let (told, counted) = (round.told_errors as f64, round.protocol_errors);
        if told > counted || counted > round.connections as f64 {
            missed.push(format!(
                "{told} protocol errors told, {counted} counted {at}"
            ));
        }
        if round.rss_bytes > rounds[0].rss_bytes + RSS_GROWTH_MAX {
            let grown = (round.rss_bytes - rounds[0].rss_bytes) as f64 / 1e6;
            missed.push(format!("{grown:.1} MB more than after the first {at}"));
        }
    }
    missed
}

/// Counters that must add up.
fn sums(before: &Info, now: &Info, rounds: &[Round]) -> Vec<String> {
    let mut missed = Vec::new();
    let grown = |name: &str| now.get(name) - before.get(name);
    let connections: u64 = rounds.iter().map(|round| round.connections + 1).sum();
    let commands = now.sum("cmdstat_", ".calls");
    let errors = now.sum("errorstat_", ".count");
    for (what, is, must) in [
        (
            "connections received",
            grown("total_connections_received"),
            connections as f64,
        ),
        (
            "commands by kind",
            commands,
            now.get("total_commands_processed"),
        ),
        ("errors by kind", errors, now.get("total_error_replies")),
        ("tasks that panicked", now.get("loop_panics"), 0.0),
    ] {
        if is != must {
            missed.push(format!("{what}: {is}, must be {must}"));
        }
    }
    let left = now.get("used_memory_dataset");
    if left > EMPTY_BYTES_MAX {
        missed.push(format!("{left} bytes of data are left after FLUSHALL"));
    }
    missed
}

/// Clients that each break the protocol once and read to the end: every one is told and counted.
fn count_errors(server: &Server, client: &mut Client) -> Result<Vec<String>, String> {
    let before = client.info("stats")?.get("protocol_errors");
    let mut told = 0;
    for _ in 0..COUNTED_ERRORS {
        let mut reply = String::new();
        let read = TcpStream::connect(("127.0.0.1", server.port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(b"*1\r\n!\r\n")?;
            stream.read_to_string(&mut reply)
        });
        told += u64::from(read.is_ok() && reply.starts_with("-ERR Protocol error"));
    }
    let counted = client.info("stats")?.get("protocol_errors") - before;
    if told == COUNTED_ERRORS && counted == COUNTED_ERRORS as f64 {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "of {COUNTED_ERRORS} protocol errors {told} were told and {counted} counted"
    )])
}

fn render(rounds: &[Round]) -> String {
    let mut table = Table::new(&[
        "flood",
        "s",
        "connections",
        "sent MB",
        "read MB",
        "commands",
        "error replies",
        "protocol errors",
        "told",
        "longest ping ms",
        "clients left",
        "descriptors left",
        "RSS MB",
        "peak",
    ]);
    for (number, round) in rounds.iter().enumerate() {
        let megabytes = |bytes: u64| format!("{:.0}", bytes as f64 / 1e6);
        table.row(vec![
            (number + 1).to_string(),
            format!("{:.0}", round.seconds),
            round.connections.to_string(),
            megabytes(round.sent_bytes),
            megabytes(round.read_bytes),
            round.commands.to_string(),
            round.error_replies.to_string(),
            round.protocol_errors.to_string(),
            round.told_errors.to_string(),
            format!("{:.1}", round.longest_ping_ms),
            round.clients.to_string(),
            round.descriptors.to_string(),
            megabytes(round.rss_bytes),
            megabytes(round.peak_rss_bytes),
        ]);
    }
    table.render()
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is no number of bytes such as 64M or 1G");
    let digits = text.trim_end_matches(['K', 'M', 'G']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return Err(bad()),
    };
    let number: u64 = digits.parse().map_err(|_| bad())?;
    number.checked_mul(1 << shift).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("5", Some(5)),
            ("1G", Some(1 << 30)),
            ("64M", Some(64 << 20)),
        ] {
            assert_eq!(parse_bytes(text).ok(), bytes);
        }
        for text in ["", "G", "1GG", "1T", "-1", "99999999999G"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
