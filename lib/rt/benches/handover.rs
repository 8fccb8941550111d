//! How long a live connection takes from one shard to another: from the decision to leave, with the receive armed,
//! until it is attached elsewhere. `cargo bench -p corelane-rt --bench handover`
//!
//! `detach` is the part before the value exists; `rested` lets both threads fall asleep before each move, so that the
//! wake-up of a sleeping thread is in it; `at once` moves back as soon as it has arrived.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use corelane_rt::net::{Addr, Connection, ListenOptions, Listener, Stream};
use corelane_rt::{IoBackend, Runtime, RuntimeOptions, time};

#[path = "../tests/support/mailbox.rs"]
mod mailbox;
use mailbox::Mailbox;

const MOVES: usize = 20_000;
const REST: Duration = Duration::from_micros(300);
const RESTED_MOVES: usize = 2_000;

/// A connection under way, and when its move began.
type Moving = (Connection, Instant);

fn main() {
    println!(
        "{:<10} {:<8} {:>12} {:>12} {:>12} {:>12}",
        "backend", "", "detach p50", "detach p99", "move p50", "move p99"
    );
    for io in [IoBackend::Uring, IoBackend::Polling] {
        measure(io, "at once", Duration::ZERO, MOVES);
        measure(io, "rested", REST, RESTED_MOVES);
    }
}

fn measure(io: IoBackend, name: &str, rest: Duration, moves: usize) {
    let inboxes: [Mailbox<Moving>; 2] = Default::default();
    let (results, measured) = channel();
    std::thread::scope(|scope| {
        for shard in 0..2 {
            let (inboxes, results) = (inboxes.clone(), results.clone());
            scope.spawn(move || {
                let options = RuntimeOptions {
                    io,
                    cpu: std::thread::available_parallelism()
                        .is_ok_and(|cpus| cpus.get() > 1)
                        .then_some(shard),
                    ..RuntimeOptions::default()
                };
                let runtime = Runtime::new(&options).expect("a runtime");
                runtime.block_on(relay(shard, inboxes, results, rest, moves));
            });
        }
    });
    drop(results);
    report(io, name, measured);
}

/// Takes the connection, waits until its receive is armed, and hands it on.
async fn relay(
    shard: usize,
    inboxes: [Mailbox<Moving>; 2],
    results: Sender<(Duration, Duration)>,
    rest: Duration,
    moves: usize,
) {
    let _client = if shard == 0 {
        let any = Addr::Tcp(([127, 0, 0, 1], 0).into());
        let listener = Listener::bind(&any, &ListenOptions::default()).expect("bind");
        let client = Stream::connect(&listener.local_addr().expect("addr"))
            .await
            .expect("connect");
        let (server, _) = listener.accept().await.expect("accept");
        inboxes[0].put((server.detach().await, Instant::now()));
        Some(client)
    } else {
        None
    };
    let mut detached = Duration::ZERO;
    for _ in 0..moves {
        let Some((connection, began)) = inboxes[shard].take().await else {
            return;
        };
        let mut stream = Stream::attach(connection).expect("attach");
        results
            .send((detached, began.elapsed()))
            .expect("a receiver");
        let armed = time::timeout(rest.max(Duration::from_micros(20)), stream.recv()).await;
        assert!(armed.is_err(), "the client says nothing");
        let began = Instant::now();
        let connection = stream.detach().await;
        detached = began.elapsed();
        inboxes[1 - shard].put((connection, began));
    }
    inboxes[1 - shard].close();
    // The client stays until the other shard is done, too.
    while inboxes[shard].take().await.is_some() {}
}

fn report(io: IoBackend, name: &str, measured: Receiver<(Duration, Duration)>) {
    // The first of each shard say nothing.
    let (mut detach, mut moved): (Vec<_>, Vec<_>) = measured.into_iter().skip(2).unzip();
    detach.retain(|taken| !taken.is_zero());
    let us = |times: &mut Vec<Duration>, share: f64| {
        times.sort_unstable();
        times[((times.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1000.0
    };
    println!(
        "{:<10} {name:<8} {:>9.1} us {:>9.1} us {:>9.1} us {:>9.1} us",
        format!("{io:?}"),
        us(&mut detach, 0.5),
        us(&mut detach, 0.99),
        us(&mut moved, 0.5),
        us(&mut moved, 0.99),
    );
}
