//! Serves keys over HTTP until it is interrupted.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Parser;
use corelane::{LaunchOptions, Stopper};
use corelane_example_http::node;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A key-value service over HTTP, on corelane's shards.
#[derive(Parser)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port of all shards.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Shards, as many as there are processors by default.
    #[arg(long)]
    shards: Option<usize>,
    /// Processors to pin shards to, one each, in place of `--shards`.
    #[arg(long, value_delimiter = ',', conflicts_with = "shards")]
    cpus: Vec<usize>,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_target(false).init();
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let addr = SocketAddr::new(args.host, args.port);
    let options = options(args)?;
    let running = node::start(&options, addr)?;
    stop_on_signal(running.stopper())?;
    let shards = options.shards.len();
    println!("{shards} shards listen on http://{addr}; try:");
    println!("  curl -X PUT -d hello http://{addr}/kv/greeting");
    println!("  curl http://{addr}/kv/greeting");
    println!("  curl http://{addr}/stats");
    running.join()?;
    Ok(())
}

fn options(args: &Args) -> std::io::Result<LaunchOptions> {
    if !args.cpus.is_empty() {
        return Ok(LaunchOptions::pinned(&args.cpus));
    }
    let shards = match args.shards {
        Some(shards) => shards,
        None => std::thread::available_parallelism()?.get(),
    };
    Ok(LaunchOptions::unpinned(shards))
}

/// The first signal drains the node, a second one ends the process.
fn stop_on_signal(stopper: Stopper) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            stopper.stop("a signal asked for it");
        }
        if signals.next().is_some() {
            std::process::exit(1);
        }
    });
    Ok(())
}
