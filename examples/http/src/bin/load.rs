//! A client that measures: some connections, each with one request at a time, on one thread of corelane's
//! runtime.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;

use clap::{Parser, ValueEnum};
use corelane::net::Stream;
use corelane::{Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch, task, time};
use hdrhistogram::Histogram;

/// Asks an HTTP service, and says how long the answers took.
#[derive(Clone, Parser)]
struct Args {
    /// The service.
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Requests of each connection.
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    /// Those of each connection that come first and are not counted.
    #[arg(long, default_value_t = 1000)]
    warm_up: usize,
    /// What is asked.
    #[arg(long, value_enum, default_value = "get")]
    ask: Asked,
    /// Keys that are asked for, in turn.
    #[arg(long, default_value_t = 1000)]
    keys: usize,
    /// The processor to run on.
    #[arg(long)]
    cpu: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// `GET /healthz`: what HTTP, axum and the loopback cost.
    Healthz,
    /// `GET /kv/{key}` of values of 64 bytes.
    Get,
    /// `PUT /kv/{key}` of 64 bytes.
    Put,
}

/// A shard without state: the runtime is all that is wanted.
struct Client;

impl Service for Client {
    type Request = ();
    type Reply = ();
    type Control = ();

    fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> Outcome<Self> {
        Outcome::Ready(())
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = match args.cpu {
        Some(cpu) => LaunchOptions::pinned(&[cpu]),
        None => LaunchOptions::unpinned(1),
    };
    let main = async move |_: Mesh<Client>| load(&args).await;
    let ran = launch(&options, async |_| Ok(Client), main);
    let ended = ran.map_err(|error| error.to_string());
    match ended.and_then(|node| node.join().map_err(|failure| failure.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn load(args: &Args) -> Result<(), String> {
    if args.ask == Asked::Get {
        let mut connection = Connection::open(args.addr).await?;
        for key in 0..args.keys {
            connection.ask(request(Asked::Put, key)).await?;
        }
    }
    let latencies = Histogram::new_with_bounds(100, 60_000_000_000, 3).expect("good bounds");
    let latencies = Rc::new(RefCell::new(latencies));
    let began_ns = time::refresh_ns();
    let tasks: Vec<_> = (0..args.connections)
        .map(|number| {
            let (args, latencies) = (args.clone(), latencies.clone());
            task::spawn(async move { ask_in_turn(&args, number, &latencies).await })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|panicked| panicked.to_string())??;
    }
    let took_s = (time::refresh_ns() - began_ns) as f64 / 1e9;
    report(args, &latencies.borrow(), took_s);
    Ok(())
}

async fn ask_in_turn(
    args: &Args,
    number: usize,
    latencies: &RefCell<Histogram<u64>>,
) -> Result<(), String> {
    let mut connection = Connection::open(args.addr).await?;
    for round in 0..args.warm_up + args.requests {
        let request = request(args.ask, (number * 7919 + round) % args.keys.max(1));
        let asked_ns = time::refresh_ns();
        connection.ask(request).await?;
        if round >= args.warm_up {
            let took_ns = time::refresh_ns() - asked_ns;
            latencies.borrow_mut().saturating_record(took_ns);
        }
    }
    Ok(())
}

fn request(ask: Asked, key: usize) -> Vec<u8> {
    let text = match ask {
        Asked::Healthz => "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
        Asked::Get => format!("GET /kv/key:{key} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        Asked::Put => format!(
            "PUT /kv/key:{key} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 64\r\n\r\n{key:064}"
        ),
    };
    text.into_bytes()
}

/// A connection to the service.
struct Connection {
    stream: Stream,
    unread: Vec<u8>,
}

impl Connection {
    async fn open(addr: SocketAddr) -> Result<Self, String> {
        let stream = Stream::connect(&addr.into()).await;
        let stream = stream.map_err(|error| format!("cannot connect to {addr}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let unread = Vec::new();
        Ok(Self { stream, unread })
    }

    /// Sends a request and waits for the whole of its answer, which must be a success.
    async fn ask(&mut self, request: Vec<u8>) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("the connection broke: {error}");
        self.stream.sent().await.map_err(failed)?;
        self.stream.start_send(request);
        loop {
            if let Some(end) = answer_end(&self.unread)? {
                self.unread.drain(..end);
                return Ok(());
            }
            let chunk = self.stream.recv().await.map_err(failed)?;
            if chunk.is_empty() {
                return Err("the service closed the connection".to_owned());
            }
            self.unread.extend_from_slice(&chunk);
        }
    }
}

/// Where the first answer among `bytes` ends, if all of it is there.
fn answer_end(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..head]);
    if !text.starts_with("HTTP/1.1 2") {
        return Err(format!("no success: {text}"));
    }
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    let length = lines.find(|(name, _)| *name == "content-length");
    let length = length.map_or(Ok(0), |(_, length)| length.parse::<usize>());
    let end = head + 4 + length.map_err(|_| format!("a strange length: {text}"))?;
    Ok((end <= bytes.len()).then_some(end))
}

fn report(args: &Args, latencies: &Histogram<u64>, took_s: f64) {
    let us = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    let all = args.connections * (args.requests + args.warm_up);
    println!(
        "{} connections, one request at a time each: {:.0} requests/s; latency in µs: p50 {:.1}, p90 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1}",
        args.connections,
        all as f64 / took_s,
        us(0.5),
        us(0.9),
        us(0.99),
        us(0.999),
        latencies.max() as f64 / 1000.0,
    );
}
