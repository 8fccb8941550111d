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

/// Time between two requests.
const INTERVAL: Duration = Duration::from_millis(1);

/// The longest latency that is told from longer ones.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// Above the loader beside it, so that the probe waits for the server and not for us.
const NICENESS: i32 = -10;

/// A probe at work.
pub(super) struct Probe {
    phase: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Histogram<u64>>>>,
}

impl Probe {
    /// Begins on that connection, with the first of so many phases.
    pub(super) fn start(stream: TcpStream, phases: usize) -> Self {
        let (phase, stop) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (now, until) = (Arc::clone(&phase), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            // Refused to who is not root: then the probe takes its turn like others.
            let _ = setpriority_process(None, NICENESS);
            ask(stream, phases, &now, &until)
        });
        Self {
            phase,
            stop,
            thread,
        }
    }

    /// From now on requests count to that phase.
    pub(super) fn enter(&self, phase: usize) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// Ends; latencies in nanoseconds by phase.
    ///
    /// # Errors
    /// If the connection failed.
    pub(super) fn finish(self) -> io::Result<Vec<Histogram<u64>>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| io::Error::other("the probe panicked"))?
    }
}

fn ask(
    mut stream: TcpStream,
    phases: usize,
    phase: &AtomicUsize,
    stop: &AtomicBool,
) -> io::Result<Vec<Histogram<u64>>> {
    let empty = Histogram::new_with_bounds(1_000, LATENCY_NS_MAX, 3).map_err(io::Error::other)?;
    let mut latencies = vec![empty; phases];
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
