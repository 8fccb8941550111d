//! A server that answers `+PONG` to every request (RESP array), on this crate alone: what the runtime itself costs per request,
//! to be held against a raw io_uring loop (`benches/bare_loop`).
//!
//! Usage: `pong PORT [CPU] [auto|uring|polling]`, then for instance `redis-benchmark -p PORT -t ping_mbulk`.

use std::process::ExitCode;

use corelane_rt::net::{Addr, ListenOptions, Listener, Stream};
use corelane_rt::{IoBackend, Runtime, RuntimeOptions, task};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = options(&args) else {
        eprintln!("usage: pong PORT [CPU] [auto|uring|polling]");
        return ExitCode::from(2);
    };
    let (port, options) = options;
    let served = Runtime::new(&options).and_then(|runtime| runtime.block_on(serve(port)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pong: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(args: &[String]) -> Option<(u16, RuntimeOptions)> {
    let port = args.first()?.parse().ok()?;
    let cpu = args.get(1).map(|cpu| cpu.parse()).transpose().ok()?;
    let io = match args.get(2).map_or("auto", String::as_str) {
        "auto" => IoBackend::Auto,
        "uring" => IoBackend::Uring,
        "polling" => IoBackend::Polling,
        _ => return None,
    };
    let options = RuntimeOptions {
        io,
        cpu,
        ..RuntimeOptions::default()
    };
    Some((port, options))
}

async fn serve(port: u16) -> std::io::Result<()> {
    let addr = Addr::Tcp(([127, 0, 0, 1], port).into());
    let listener = Listener::bind(&addr, &ListenOptions::default())?;
    println!(
        "ready: {}, {}",
        listener.local_addr()?,
        corelane_rt::backend()
    );
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(task::spawn(answer(stream)));
    }
}

/// Answers each request that has begun: PING has nothing that could come later and matter.
async fn answer(mut stream: Stream) {
    let mut out = Vec::new();
    loop {
        let Ok(chunk) = stream.recv().await else {
            return;
        };
        if chunk.is_empty() {
            return;
        }
        for _ in chunk.iter().filter(|&&byte| byte == b'*') {
            out.extend_from_slice(b"+PONG\r\n");
        }
        drop(chunk);
        if out.is_empty() {
            continue;
        }
        match stream.sent().await {
            Ok(buffer) => stream.start_send(std::mem::replace(&mut out, buffer)),
            Err(_) => return,
        }
    }
}
