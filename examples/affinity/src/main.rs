//! The binary: `affinity serve` and `affinity client`.
#![forbid(unsafe_code)]

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use corelane::{IoBackend, LaunchOptions};
use corelane_example_affinity::client::{LoadOptions, load};
use corelane_example_affinity::{Routing, ServeOptions, Started, serve};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A sharded server whose connections move to their data, and its client.
///
/// Send a number from 0 to 186 as a line, get its Fibonacci number as a line. The line `stats` is answered with what
/// all shards have counted.
#[derive(Parser)]
#[command(name = "affinity", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server until SIGINT or SIGTERM.
    Serve(Serve),
    /// Puts a server under load and checks every reply.
    Client(Client),
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 picks one.
    #[arg(long, default_value = "127.0.0.1:7042")]
    listen: SocketAddr,
    /// Shards; by default one per CPU that may be used.
    #[arg(long)]
    shards: Option<NonZero<usize>>,
    /// The CPUs to pin the shards to, one each: 0,1
    #[arg(long, value_delimiter = ',', conflicts_with = "shards")]
    cpus: Vec<usize>,
    /// How a request reaches the shard of its number.
    #[arg(long, value_enum, default_value_t)]
    routing: Routing,
    /// Connections that may be open at once.
    #[arg(long, default_value_t = 10_000)]
    max_connections: usize,
    /// Seconds in which a connection must bring a whole line, or take its replies.
    #[arg(long, default_value_t = 300.0)]
    patience: f64,
    /// Numbers that each shard keeps.
    #[arg(long, default_value = "64")]
    cached: NonZero<usize>,
    /// Microseconds that a shard spins for replies before it sleeps; 0 where shards share CPUs with others.
    #[arg(long, default_value_t = 20)]
    spin_us: u32,
    /// Do without io_uring.
    #[arg(long)]
    polling: bool,
}

#[derive(Args)]
struct Client {
    /// Where the server is.
    #[arg(long, default_value = "127.0.0.1:7042")]
    connect: SocketAddr,
    /// Connections.
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Questions that each has outstanding.
    #[arg(long, default_value_t = 1)]
    depth: usize,
    /// Questions in a row about the same number.
    #[arg(long, default_value_t = 1)]
    run_length: u32,
    /// Seconds before it counts.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds for which it counts.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// The CPU to pin it to.
    #[arg(long)]
    cpu: Option<usize>,
}

fn main() -> ExitCode {
    // Standard output is for the line that says ready, and for results.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    let ended = match Cli::parse().command {
        Command::Serve(args) => run_server(args),
        Command::Client(args) => run_client(args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("affinity: {error}");
            ExitCode::FAILURE
        }
    }
}

type Ended = Result<(), Box<dyn std::error::Error>>;

fn run_server(args: Serve) -> Ended {
    let one_per_cpu = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut launch = match args.cpus.is_empty() {
        true => LaunchOptions::unpinned(args.shards.map_or_else(one_per_cpu, NonZero::get)),
        false => LaunchOptions::pinned(&args.cpus),
    };
    launch.spin_us = args.spin_us;
    if args.polling {
        launch.io = IoBackend::Polling;
    }
    let options = ServeOptions {
        listen: args.listen.into(),
        routing: args.routing,
        max_connections: args.max_connections,
        patience: Duration::try_from_secs_f64(args.patience)?,
        cached: args.cached,
    };
    // Before the shards start, so that no signal ends the process by itself.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let started: Started = Arc::new(|addr| {
        println!("ready on {addr}");
        // Whoever waits for this line may read it through a pipe.
        let _ = std::io::stdout().flush();
    });
    let running = serve(&launch, options, started)?;
    let stopper = running.stopper();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            stopper.stop("a signal");
        }
    });
    Ok(running.join()?)
}

fn run_client(args: Client) -> Ended {
    let mut launch = match args.cpu {
        Some(cpu) => LaunchOptions::pinned(&[cpu]),
        None => LaunchOptions::unpinned(1),
    };
    launch.spin_us = 0;
    let options = LoadOptions {
        connect: args.connect.into(),
        connections: args.connections,
        depth: args.depth,
        run_length: args.run_length,
        warm_up: Duration::try_from_secs_f64(args.warm_up)?,
        time: Duration::try_from_secs_f64(args.seconds)?,
    };
    println!("{}", load(&launch, options)?);
    Ok(())
}
