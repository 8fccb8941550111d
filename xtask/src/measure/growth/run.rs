//! The run: one server after the other through all phases.

use std::io;
use std::net::TcpStream;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Serialize;

use super::loader::{KEY_BYTES, Loader, VALUE_BYTES};
use super::phase::{Latency, Mark, Phase, Seen, Span};
use super::probe::Probe;
use crate::measure::client::Client;
use crate::measure::server::{Programs, Server, Start};
use crate::measure::table::Table;
use crate::measure::task::Findings;

/// What `cargo xtask measure growth` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keys at the end
    #[arg(long, default_value_t = 8_000_000)]
    keys: u64,
    /// Keys before the growth that is measured
    #[arg(long, default_value_t = 2_000_000)]
    from: u64,
    /// Numbers of shards, one run each; a single shard gets the first processor for itself, the load
    /// the second
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2], value_name = "COUNTS")]
    shards: Vec<usize>,
    /// Where the keys lie
    #[arg(long, value_delimiter = ',', default_values_t = [Keys::Spread, Keys::Tag], value_name = "WHERE")]
    layout: Vec<Keys>,
    /// Leave redis-server out
    #[arg(long)]
    no_redis: bool,
}

/// Where the keys lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keys {
    /// Over all slots.
    Spread,
    /// All in one slot, under one hash tag.
    Tag,
}

impl std::fmt::Display for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Spread => "spread",
            Self::Tag => "tag",
        })
    }
}

/// How long the probes run alone.
const QUIET: Duration = Duration::from_secs(3);

/// Connections tried until every shard has got one: the kernel chooses.
const TRIES_MAX: usize = 1_000;

/// Memory that a key may take, all in all.
const KEY_BYTES_MAX: f64 = 110.0;

/// One server's run.
#[derive(Serialize)]
struct Row {
    server: String,
    keys: u64,
    layout: Keys,
    phases: Vec<Seen>,
    /// Resident memory per key at the end of the growth, above that of the empty server.
    bytes_per_key: f64,
    rss_bytes: u64,
}

/// Measures.
///
/// # Errors
/// If a server fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let mut rows = Vec::new();
    for &shards in &options.shards {
        let alone = shards == 1;
        let start = Start {
            programs,
            processors: alone.then_some("0"),
        };
        for &layout in &options.layout {
            let name = format!("corelane, {shards} shard(s)");
            eprintln!("measure: {name}, {layout}");
            let server = start.corelane(shards, &["--stall-threshold-ms", "1"])?;
            rows.push(aside(|| go(name, &server, shards, layout, options))?);
        }
    }
    let start = Start {
        programs,
        processors: Some("0"),
    };
    if !options.no_redis
        && let Some(server) = start.redis(&[])?
    {
        rows.push(aside(|| {
            go("redis".into(), &server, 0, Keys::Spread, options)
        })?);
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

/// On a thread of its own, which may choose its processor without binding the next run to it.
fn aside<T: Send>(run: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    let joined = thread::scope(|scope| scope.spawn(run).join());
    joined.unwrap_or_else(|_| Err("the run panicked".into()))
}

/// Takes one server through all phases; one with 0 shards knows nothing of shards.
fn go(
    name: String,
    server: &Server,
    shards: usize,
    layout: Keys,
    options: &Options,
) -> Result<Row, String> {
    let failed = |error: io::Error| format!("{name}: {error}");
    if shards < 2 {
        leave_first_processor();
    }
    let mut client = server.client()?;
    let empty = server.process().memory()?;
    let mut loader = Loader::connect(server.port, layout == Keys::Tag).map_err(failed)?;
    let streams = probe_streams(server.port, shards)?;
    let probes = streams
        .into_iter()
        .map(|stream| Probe::start(stream, Phase::ALL.len()));
    let probes: Vec<Probe> = probes.collect();
    let (mut spans, mut bytes) = (Vec::new(), 0);
    for phase in Phase::ALL {
        probes.iter().for_each(|probe| probe.enter(phase as usize));
        let before = Mark::here(server, &mut client)?;
        let began = Instant::now();
        let written = part(phase, options);
        if written.is_empty() {
            thread::sleep(QUIET);
        }
        loader.write(written.clone()).map_err(failed)?;
        let seconds = began.elapsed().as_secs_f64();
        let (stalls, longest_stall_ms, used) =
            Mark::here(server, &mut client)?.since(&before, server);
        if phase == Phase::Growth {
            bytes = server.process().memory()?.rss;
        }
        spans.push(Span {
            phase,
            seconds,
            keys_per_second: (written.end - written.start) as f64 / seconds,
            stalls,
            longest_stall_ms,
            used,
        });
    }
    let latencies = latencies(probes).map_err(failed)?;
    let seen = |(span, probe_us)| Seen { span, probe_us };
    Ok(Row {
        server: name,
        keys: options.keys,
        layout,
        phases: spans.into_iter().zip(latencies).map(seen).collect(),
        bytes_per_key: bytes.saturating_sub(empty.rss) as f64 / options.keys as f64,
        rss_bytes: bytes,
    })
}

/// The keys that a phase writes.
fn part(phase: Phase, options: &Options) -> Range<u64> {
    match phase {
        Phase::Fill => 0..options.from,
        Phase::Growth => options.from..options.keys,
        Phase::Again => 0..options.keys.saturating_sub(options.from),
        Phase::Quiet => 0..0,
    }
}

/// Ends the probes; what all of them saw together, by phase.
fn latencies(probes: Vec<Probe>) -> io::Result<Vec<Latency>> {
    let mut sum: Option<Vec<Histogram<u64>>> = None;
    for probe in probes {
        let seen = probe.finish()?;
        match &mut sum {
            None => sum = Some(seen),
            Some(sum) => {
                for (sum, seen) in sum.iter_mut().zip(&seen) {
                    sum.add(seen).map_err(io::Error::other)?;
                }
            }
        }
    }
    Ok(sum.unwrap_or_default().iter().map(Latency::of).collect())
}

/// A connection to each shard; one where the server has no shards.
fn probe_streams(port: u16, shards: usize) -> Result<Vec<TcpStream>, String> {
    let mut streams: Vec<Option<TcpStream>> = (0..shards.max(1)).map(|_| None).collect();
    for _ in 0..TRIES_MAX {
        if streams.iter().all(Option::is_some) {
            break;
        }
        let mut client = Client::connect(port)?;
        let shard = if shards > 0 {
            shard_of(&mut client)?
        } else {
            0
        };
        if let Some(free @ None) = streams.get_mut(shard) {
            *free = Some(client.into_stream());
        }
    }
    let count = streams.len();
    let found: Vec<TcpStream> = streams.into_iter().flatten().collect();
    if found.len() < count {
        return Err(format!(
            "{} of {count} shards got a connection",
            found.len()
        ));
    }
    Ok(found)
}

/// The shard that a connection lives on.
fn shard_of(client: &mut Client) -> Result<usize, String> {
    let info = client.call("CLIENT INFO")?;
    let text = String::from_utf8_lossy(info.as_bytes().unwrap_or_default()).into_owned();
    let field = text
        .split(' ')
        .find_map(|field| field.strip_prefix("shard="));
    field
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| format!("CLIENT INFO names no shard: {text:?}"))
}

/// Keeps this thread, and those it starts, off the processor that the server has for itself.
fn leave_first_processor() {
    let mut second = CpuSet::new();
    second.set(1);
    // Refused where there is no second one: then all share.
    let _ = sched_setaffinity(None, &second);
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "server, keys",
        "phase",
        "1000 keys/s",
        "probe p50 µs",
        "p99",
        "p99.9",
        "max",
        "stalls ≥1 ms",
        "longest ms",
        "preempted",
        "waited ms",
        "bytes/key",
    ]);
    for row in rows {
        for (at, seen) in row.phases.iter().enumerate() {
            let name = format!("{}, {}", row.server, row.layout);
            let span = &seen.span;
            let Latency {
                p50,
                p99,
                p99_9,
                max,
                ..
            } = seen.probe_us;
            let ours = row.server.starts_with("corelane");
            let of_ours = |text: String| if ours { text } else { "–".into() };
            table.row(vec![
                if at == 0 { name } else { String::new() },
                span.phase.name().into(),
                format!("{:.0}", span.keys_per_second / 1e3),
                format!("{p50:.0}"),
                format!("{p99:.0}"),
                format!("{p99_9:.0}"),
                format!("{max:.0}"),
                of_ours(format!("{:.0}", span.stalls)),
                of_ours(span.longest_stall_ms.to_string()),
                span.used.preempted.to_string(),
                format!("{:.0}", span.used.waited_ns as f64 / 1e6),
                if span.phase == Phase::Growth {
                    format!("{:.1}", row.bytes_per_key)
                } else {
                    String::new()
                },
            ]);
        }
    }
    let keys = rows.first().map_or(0, |row| row.keys);
    format!(
        "{}{keys} keys of {KEY_BYTES} bytes, values of {VALUE_BYTES}; the probe asks every shard \
         1000 times a second\n",
        table.render()
    )
}

fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.server.starts_with("corelane")) {
        let name = format!("{}, {}", row.server, row.layout);
        if row.bytes_per_key > KEY_BYTES_MAX {
            missed.push(format!("{name}: {:.1} bytes per key", row.bytes_per_key));
        }
        let spans = row.phases.iter().map(|seen| &seen.span);
        for span in spans.filter(|span| span.phase == Phase::Growth) {
            if span.stalls > 0.0 {
                missed.push(format!(
                    "{name}: {} stalls of 1 ms and more by the clock, the longest of {} ms, while its \
                     threads lost their processor {} times",
                    span.stalls, span.longest_stall_ms, span.used.preempted
                ));
            }
        }
    }
    missed
}
