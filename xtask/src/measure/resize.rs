//! Resizing: what clients wait for while the server goes from one shard to two, to four and back, beside what they wait
//! for while nothing moves. Every reply is checked: a counter per client and key range tells what is lost or doubled.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corelane_wire::{encode_command, slot::slot_of};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;

/// What `cargo xtask measure resize` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Times to go from 1 to 2 to 4 to 1
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Milliseconds without a resize before each one
    #[arg(long, default_value_t = 1_000)]
    quiet_ms: u64,
    /// Clients, each with a counter in every key range
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Pipelines that each client sends per second
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Commands of a pipeline
    #[arg(long, default_value_t = 8)]
    pipeline: usize,
}

/// Key ranges: what moves.
const PARTITIONS: usize = 256;

/// Longer than this no request for a key may take because of a resize.
const LONGEST_MS: f64 = 5.0;

/// Shards before and after each step of a round.
const STEPS: [(usize, usize); 3] = [(1, 2), (2, 4), (4, 1)];

/// Phases: without a resize before each step, and each step.
const PHASES: usize = STEPS.len() * 2;

/// What came of one phase, all rounds together.
#[derive(Serialize)]
struct Row {
    phase: String,
    partitions_moved: f64,
    duration_ms: f64,
    requests: u64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    longest_ms: f64,
}

/// What clients see of the conductor.
struct Stage {
    phase: AtomicUsize,
    over: AtomicBool,
}

/// Measures.
///
/// # Errors
/// If the server fails, or answers anything but what it must.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let start = Start {
        programs,
        processors: None,
    };
    let flags = [
        "--overprovisioned",
        "yes",
        "--max-shards",
        "4",
        "--shards",
        "1",
    ];
    let server = start.corelane(1, &flags)?;
    let stage = Arc::new(Stage {
        phase: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    });
    let clients: Vec<_> = (0..options.clients)
        .map(|number| {
            let stream = server.client().map(|client| client.into_stream());
            let (stage, rate, length) = (stage.clone(), options.rate, options.pipeline);
            thread::spawn(move || count(stream?, number, rate, length, &stage))
        })
        .collect();
    let conducted = conduct(&server, options, &stage);
    stage.over.store(true, Ordering::Relaxed);
    let mut seen = phases();
    for client in clients {
        let of_client = client.join().map_err(|_| "a client panicked")??;
        for (sum, more) in seen.iter_mut().zip(of_client) {
            sum.add(more).map_err(|error| error.to_string())?;
        }
    }
    let conducted = conducted?;
    let rows: Vec<Row> = (0..PHASES)
        .map(|n| row(n, &seen[n], conducted[n]))
        .collect();
    let quiet = rows.iter().step_by(2).map(|row| row.longest_ms);
    let allowed = quiet.fold(LONGEST_MS, f64::max);
    let missed = rows.iter().skip(1).step_by(2);
    let missed = missed.filter(|row| row.longest_ms > allowed).map(|row| {
        let (phase, longest) = (&row.phase, row.longest_ms);
        format!("{phase}: a request took {longest:.1} ms, above {allowed:.1} ms")
    });
    Ok(Findings::new(&rows, render(&rows), missed.collect()))
}

/// Resizes, and says how many partitions moved and how long each phase took.
fn conduct(
    server: &Server,
    options: &Options,
    stage: &Stage,
) -> Result<[(f64, Duration); PHASES], String> {
    let mut client = server.client()?;
    let mut sums = [(0.0, Duration::ZERO); PHASES];
    for _ in 0..options.rounds {
        for (step, (_, to)) in STEPS.iter().enumerate() {
            stage.phase.store(step * 2, Ordering::Relaxed);
            let began = Instant::now();
            thread::sleep(Duration::from_millis(options.quiet_ms));
            sums[step * 2].1 += began.elapsed();
            let before = client.info("shards")?.get("partitions_moved");
            stage.phase.store(step * 2 + 1, Ordering::Relaxed);
            let began = Instant::now();
            let answer = client.call(&format!("CONFIG SET shards {to}"))?;
            sums[step * 2 + 1].1 += began.elapsed();
            stage
                .phase
                .store((step * 2 + 2) % PHASES, Ordering::Relaxed);
            if answer.as_bytes() != Some(b"OK") {
                return Err(format!("CONFIG SET shards {to}: {answer:?}"));
            }
            sums[step * 2 + 1].0 += client.info("shards")?.get("partitions_moved") - before;
        }
    }
    Ok(sums)
}

fn phases() -> Vec<Histogram<u64>> {
    let histogram = |_| Histogram::new(3).expect("three digits are allowed");
    (0..PHASES).map(histogram).collect()
}

/// A key in each partition that nobody else counts with.
fn keys(client: usize) -> Vec<String> {
    let mut keys = vec![None; PARTITIONS];
    let mut missing = PARTITIONS;
    for n in 0.. {
        let key = format!("counter:{client}:{n}");
        let place = &mut keys[usize::from(slot_of(key.as_bytes())) / 64];
        if place.is_none() {
            *place = Some(key);
            missing -= 1;
        }
        if missing == 0 {
            break;
        }
    }
    keys.into_iter().flatten().collect()
}

/// Counts in all key ranges, a pipeline at each tick, until it is over. What a pipeline took counts from its tick on.
fn count(
    mut stream: std::net::TcpStream,
    client: usize,
    rate: u32,
    length: usize,
    stage: &Stage,
) -> Result<Vec<Histogram<u64>>, String> {
    let (keys, mut counts) = (keys(client), vec![0u64; PARTITIONS]);
    let (mut seen, mut next) = (phases(), client * 7);
    let period = Duration::from_secs(1) / rate.max(1);
    let mut tick = Instant::now();
    while !stage.over.load(Ordering::Relaxed) {
        tick += period;
        thread::sleep(tick.saturating_duration_since(Instant::now()));
        let (mut request, mut expected) = (Vec::new(), String::new());
        let phase = stage.phase.load(Ordering::Relaxed);
        for _ in 0..length {
            // A step that has nothing in common with their number: neighbours move one after the other.
            next = (next + 37) % PARTITIONS;
            counts[next] += 1;
            encode_command(&mut request, [&b"INCR"[..], keys[next].as_bytes()]);
            expected += &format!(":{}\r\n", counts[next]);
        }
        stream
            .write_all(&request)
            .map_err(|error| error.to_string())?;
        let mut reply = vec![0; expected.len()];
        stream
            .read_exact(&mut reply)
            .map_err(|error| error.to_string())?;
        if reply != expected.as_bytes() {
            let reply = String::from_utf8_lossy(&reply);
            return Err(format!("{expected:?} was to come, and {reply:?} came"));
        }
        // Of a request that was under way when a resize began, the resize is to blame.
        let phase = match phase % 2 {
            0 => stage.phase.load(Ordering::Relaxed),
            _ => phase,
        };
        let took_us = tick.elapsed().as_micros() as u64;
        seen[phase]
            .record_n(took_us, length as u64)
            .map_err(|error| error.to_string())?;
    }
    Ok(seen)
}

fn row(number: usize, seen: &Histogram<u64>, (moved, took): (f64, Duration)) -> Row {
    let (from, to) = STEPS[number / 2];
    let at = |quantile: f64| seen.value_at_quantile(quantile) as f64 / 1e3;
    Row {
        phase: match number % 2 {
            0 => format!("{from}, nothing moves"),
            _ => format!("{from} to {to}"),
        },
        partitions_moved: moved,
        duration_ms: took.as_secs_f64() * 1e3,
        requests: seen.len(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        longest_ms: seen.max() as f64 / 1e3,
    }
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "shards",
        "moved",
        "took ms",
        "requests",
        "errors",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "longest ms",
    ]);
    for row in rows {
        table.row(vec![
            row.phase.clone(),
            format!("{:.0}", row.partitions_moved),
            format!("{:.0}", row.duration_ms),
            row.requests.to_string(),
            // One wrong reply, and there is no table.
            "0".to_owned(),
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.2}", row.p999_ms),
            format!("{:.2}", row.longest_ms),
        ]);
    }
    table.render()
}
