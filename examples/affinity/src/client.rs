//! The load: connections that ask one question at a time (or a few), and check every reply.

use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use corelane::net::framing::{Decoder, Lines};
use corelane::net::{Addr, Stream};
use corelane::{Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch, random, task, time};
use hdrhistogram::Histogram;

use crate::fibonacci::{NUMBER_MAX, fibonacci};

/// How to load a server.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Where it is.
    pub connect: Addr,
    /// Connections, each with its own questions.
    pub connections: usize,
    /// Questions that a connection has outstanding.
    pub depth: usize,
    /// Questions in a row that a connection asks about the same number.
    pub run_length: u32,
    /// How long before it counts.
    pub warm_up: Duration,
    /// How long it counts.
    pub time: Duration,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Replies, all of them right, while it counted.
    pub replies: u64,
    /// How long it counted.
    pub time: Duration,
    /// From the question (with those sent along with it) to its reply, in nanoseconds.
    pub latency_ns: Histogram<u64>,
}

/// Why a load came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be started.
    #[error(transparent)]
    Launch(#[from] corelane::LaunchError),
    /// A connection failed, or a reply was wrong.
    #[error("{0}")]
    Failed(String),
}

impl Report {
    /// Replies per second.
    pub fn rate(&self) -> f64 {
        self.replies as f64 / self.time.as_secs_f64()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let us = |share: f64| self.latency_ns.value_at_quantile(share) as f64 / 1000.0;
        write!(
            f,
            "{:.0} requests/s, every reply right; latency p50 {:.1} us, p90 {:.1} us, p99 {:.1} us, p99.9 {:.1} us, \
             most {:.1} us",
            self.rate(),
            us(0.5),
            us(0.9),
            us(0.99),
            us(0.999),
            self.latency_ns.max() as f64 / 1000.0,
        )
    }
}

/// Puts a server under load, on one thread of its own.
///
/// # Errors
///
/// [`LoadError`]: the first connection that failed, or the first wrong reply.
pub fn load(launch_options: &LaunchOptions, options: LoadOptions) -> Result<Report, LoadError> {
    let result: Arc<Mutex<Option<Report>>> = Arc::default();
    let put = result.clone();
    let running = launch(
        launch_options,
        async |_| Ok(Nothing),
        async move |_: Mesh<Nothing>| {
            let report = run(&options).await.map_err(|error| error.to_string())?;
            *put.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
            Ok(())
        },
    )?;
    running
        .join()
        .map_err(|failure| LoadError::Failed(failure.to_string()))?;
    let report = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    report.ok_or_else(|| LoadError::Failed("it ended before there was a result".to_owned()))
}

/// The load has no state of its own and nothing to ask its shards.
struct Nothing;

impl Service for Nothing {
    type Request = ();
    type Reply = ();
    type Control = ();

    fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> Outcome<Self> {
        Outcome::Ready(())
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

async fn run(options: &LoadOptions) -> io::Result<Report> {
    let begin_ns = time::now_ns() + options.warm_up.as_nanos() as u64;
    let end_ns = begin_ns + options.time.as_nanos() as u64;
    let expected: Rc<Vec<Vec<u8>>> = Rc::new(
        (0..=NUMBER_MAX)
            .map(|number| fibonacci(number).to_string().into_bytes())
            .collect(),
    );
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        let stream = Stream::connect(&options.connect).await?;
        stream.set_nodelay(true)?;
        let asking = Asking {
            stream,
            expected: expected.clone(),
            decoder: Decoder::new(Lines { max_bytes: 128 }),
            run_length: options.run_length.max(1),
            left_of_run: 0,
            number: 0,
        };
        connections.push(task::spawn(asking.run(
            options.depth.max(1),
            begin_ns,
            end_ns,
        )));
    }
    let mut sum = new_histogram();
    for connection in connections {
        let latency = connection.await.map_err(io::Error::other)??;
        sum.add(latency).map_err(io::Error::other)?;
    }
    Ok(Report {
        replies: sum.len(),
        time: options.time,
        latency_ns: sum,
    })
}

/// One connection.
struct Asking {
    stream: Stream,
    /// The reply to each number.
    expected: Rc<Vec<Vec<u8>>>,
    decoder: Decoder<Lines>,
    run_length: u32,
    left_of_run: u32,
    number: u8,
}

impl Asking {
    /// Asks until the time is over; the latencies of those that count.
    async fn run(mut self, depth: usize, begin_ns: u64, end_ns: u64) -> io::Result<Histogram<u64>> {
        let mut latency_ns = new_histogram();
        let mut asked = Vec::with_capacity(depth);
        let mut output = Vec::new();
        loop {
            let sent_ns = time::now_ns();
            if sent_ns >= end_ns {
                return Ok(latency_ns);
            }
            asked.clear();
            for _ in 0..depth {
                let number = self.next_number();
                asked.push(number);
                output.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
                output.push(b'\n');
            }
            self.stream.start_send(output);
            for &number in &asked {
                self.expect(number).await?;
                let now_ns = time::now_ns();
                if sent_ns >= begin_ns {
                    latency_ns.saturating_record(now_ns - sent_ns);
                }
            }
            output = self.stream.sent().await?;
        }
    }

    fn next_number(&mut self) -> u8 {
        if self.left_of_run == 0 {
            self.left_of_run = self.run_length;
            self.number = (random::next_u64() % (u64::from(NUMBER_MAX) + 1)) as u8;
        }
        self.left_of_run -= 1;
        self.number
    }

    /// Waits for the next reply, which must be right.
    async fn expect(&mut self, number: u8) -> io::Result<()> {
        loop {
            if let Some(reply) = self.decoder.next_frame()? {
                if reply == self.expected[usize::from(number)] {
                    return Ok(());
                }
                let text = format!("the reply to {number} is \"{}\"", reply.escape_ascii());
                return Err(io::Error::other(text));
            }
            let chunk = self.stream.recv().await?;
            if chunk.is_empty() {
                let text = format!("the server closed instead of answering {number}");
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
            self.decoder.push(&chunk);
        }
    }
}

/// Up to ten seconds, to three digits.
fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("sensible bounds")
}
