//! Asks one shard at a steady rate, whatever comes: latency counts from the time a request ought to
//! have been sent, so that a stall delays all the requests that fall into it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::process::setpriority_process;

use super::phase::{Latency, Phase};
use crate::server::Client;

/// Time between two requests.
const INTERVAL: Duration = Duration::from_millis(1);

/// The longest latency that is told from longer ones.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// Above the loader beside it, so that the probe waits for the server and not for us.
const NICENESS: i32 = -10;

/// Connections tried until every shard has got one: the kernel chooses.
const TRIES_MAX: usize = 1_000;

/// A probe for each shard, at work.
pub(super) struct Probes {
    phase: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<io::Result<Latencies>>>,
}

/// Nanoseconds, by phase.
type Latencies = Vec<Histogram<u64>>;

impl Probes {
    /// Begins with the first phase; one probe where the server has no shards.
    ///
    /// # Errors
    /// If not every shard got a connection.
    pub(super) fn start(port: u16, shards: usize) -> Result<Self, String> {
        let (phase, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let start = |stream| {
            let (phase, stop) = (Arc::clone(&phase), Arc::clone(&stop));
            thread::spawn(move || {
                // Refused to who is not root: then the probe takes its turn like others.
                let _ = setpriority_process(None, NICENESS);
                ask(stream, &phase, &stop)
            })
        };
        let threads = streams(port, shards)?.into_iter().map(start).collect();
        Ok(Self {
            phase,
            stop,
            threads,
        })
    }

    /// From now on requests count to that phase.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as usize, Ordering::Relaxed);
    }

    /// Ends; what all of them saw together, by phase.
    ///
    /// # Errors
    /// If a connection failed.
    pub(super) fn finish(self) -> io::Result<Vec<Latency>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = none()?;
        for thread in self.threads {
            let panicked = |_| io::Error::other("a probe panicked");
            for (all, seen) in all.iter_mut().zip(thread.join().map_err(panicked)??) {
                all.add(seen).map_err(io::Error::other)?;
            }
        }
        Ok(all.iter().map(Latency::of).collect())
    }
}

fn none() -> io::Result<Latencies> {
    let empty = Histogram::new_with_bounds(1_000, LATENCY_NS_MAX, 3).map_err(io::Error::other)?;
    Ok(vec![empty; Phase::ALL.len()])
}

fn ask(mut stream: TcpStream, phase: &AtomicUsize, stop: &AtomicBool) -> io::Result<Latencies> {
    let mut latencies = none()?;
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        due += INTERVAL;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let latencies = &mut latencies[phase.load(Ordering::Relaxed)];
        stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
        let mut reply = [0; 7];
        stream.read_exact(&mut reply)?;
        latencies.saturating_record(due.elapsed().as_nanos() as u64);
    }
    Ok(latencies)
}

/// A connection to each shard; one where the server has no shards.
fn streams(port: u16, shards: usize) -> Result<Vec<TcpStream>, String> {
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
