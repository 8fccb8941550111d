//! The least a server can cost: the limit that `cargo xtask compare` holds the real servers against.
//!
//! One thread, io_uring with multishot accept and receive over provided buffers, no table and no
//! runtime. It splits pipelines into commands and answers GET and SET with fixed replies, or with
//! `map` from a `HashMap`; whatever a real server costs above it is that server's own doing, the
//! rest is the kernel's.
//!
//! Usage: `bare_loop PORT [map]`. Listens on 127.0.0.1, prints one `ready:` line, runs until it is
//! killed.

#[cfg(target_os = "linux")]
mod answer;
#[cfg(target_os = "linux")]
mod buffers;
#[cfg(target_os = "linux")]
mod server;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let source = match args[..] {
        [_] => answer::Source::Fixed,
        [_, "map"] => answer::Source::Map(std::collections::HashMap::new()),
        _ => return usage(),
    };
    let Ok(port) = args[0].parse::<u16>() else {
        return usage();
    };
    let result = std::net::TcpListener::bind(("127.0.0.1", port)).and_then(|listener| {
        println!("ready: {}", listener.local_addr()?);
        server::serve(listener, source)
    });
    if let Err(error) = result {
        eprintln!("bare_loop on port {port}: {error}");
    }
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn usage() -> ExitCode {
    eprintln!("usage: bare_loop PORT [map]");
    ExitCode::from(2)
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("bare_loop needs Linux: it is a raw io_uring loop");
    ExitCode::FAILURE
}
