//! Serves rooms until it is interrupted.
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use corelane::{Stopper, launch};
use corelane_example_rooms::node;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A chat server whose rooms and clients stay while the node grows and shrinks.
#[derive(Parser)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:7000")]
    addr: SocketAddr,
    /// Shards that serve from the start.
    #[arg(long, default_value_t = 1)]
    shards: usize,
    /// Shards that `/resize` may let serve.
    #[arg(long, default_value_t = 8)]
    max_shards: usize,
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
    let addr = args.addr;
    let options = node::options(args.max_shards, args.shards);
    let running = launch(&options, node::init, async move |mesh| {
        node::serve(mesh, addr).await
    })?;
    stop_on_signal(running.stopper())?;
    println!(
        "{} shards serve, {} may; come in:",
        args.shards, args.max_shards
    );
    println!("  nc {} {}", addr.ip(), addr.port());
    println!("and say /resize {} there", args.max_shards);
    running.join()?;
    Ok(())
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
