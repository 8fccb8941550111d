//! Live connections that never stay: pipelined requests, cut anywhere, on connections that change their shard all the
//! time, with half a request and half a reply on the way. Every reply is right and in order, and no descriptor is
//! lost. Alone in its process: other tests open files, too.
//!
//! The long version: `cargo test --release -p corelane-rt --test moving_soak -- --ignored`.

mod support;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use corelane_rt::net::{Addr, Connection, Stream};
use corelane_rt::{IoBackend, task, time};
use support::mailbox::Mailbox;
use support::{listen_tcp, runtime};

const SHARDS: [IoBackend; 3] = [IoBackend::Uring, IoBackend::Polling, IoBackend::Uring];
const CLIENTS: usize = 24;
/// Requests that a client has outstanding at most.
const DEPTH: usize = 48;
/// Requests of one connection; then it is closed, one way or another, and the client opens the next.
const REQUESTS: u64 = 4000;

/// What all shards and clients of one run share.
struct Shared {
    inboxes: [Mailbox<Moving>; SHARDS.len()],
    migrations: AtomicU64,
    /// Sessions that live, wherever.
    sessions: AtomicUsize,
    target: u64,
}

/// A connection with what its session knows: the half of a request, and replies that wait for their turn.
struct Moving {
    connection: Connection,
    input: Vec<u8>,
    output: Vec<u8>,
}

#[test]
fn two_thousand_migrations() {
    soak(2_000);
}

#[test]
#[ignore = "minutes in a debug build; see the head of the file"]
fn two_hundred_thousand_migrations() {
    soak(200_000);
}

fn soak(target: u64) {
    // The process's own descriptors (the doorbells' and the like) are there from the first runtime on.
    runtime(IoBackend::Auto).block_on(async {});
    let before = open_files();
    let shared = Arc::new(Shared {
        inboxes: Default::default(),
        migrations: AtomicU64::new(0),
        sessions: AtomicUsize::new(0),
        target,
    });
    let began = std::time::Instant::now();
    let addr = Mailbox::default();
    std::thread::scope(|scope| {
        for (shard, io) in SHARDS.into_iter().enumerate() {
            let (shared, addr) = (shared.clone(), addr.clone());
            scope.spawn(move || runtime(io).block_on(serve(shard, shared, addr)));
        }
        runtime(IoBackend::Uring).block_on(run_clients(shared.clone(), addr));
    });
    let moved = shared.migrations.load(Ordering::Relaxed);
    println!("{moved} migrations in {:?}", began.elapsed());
    assert!(moved >= target);
    assert_eq!(open_files(), before, "descriptors were lost");
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("the list of open files")
        .count()
}

async fn serve(shard: usize, shared: Arc<Shared>, addr: Mailbox<Addr>) {
    if shard == 0 {
        let (listener, listening) = listen_tcp();
        addr.put(listening);
        let shared = shared.clone();
        drop(task::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accept");
                let moving = Moving {
                    connection: stream.detach().await,
                    input: Vec::new(),
                    output: Vec::new(),
                };
                shared.sessions.fetch_add(1, Ordering::Relaxed);
                shared.inboxes[fastrand::usize(..SHARDS.len())].put(moving);
            }
        }));
    }
    while let Some(moving) = shared.inboxes[shard].take().await {
        drop(task::spawn(session(moving, shard, shared.clone())));
    }
}

/// Answers requests for a while, then moves on.
async fn session(moving: Moving, shard: usize, shared: Arc<Shared>) {
    let Moving {
        connection,
        mut input,
        mut output,
    } = moving;
    let mut stream = Stream::attach(connection).expect("attach");
    loop {
        if fastrand::u8(..) < 100 {
            let elsewhere = (shard + fastrand::usize(1..SHARDS.len())) % SHARDS.len();
            if fastrand::bool() {
                stream.put_back(std::mem::take(&mut input));
            }
            let connection = stream.detach().await;
            shared.migrations.fetch_add(1, Ordering::Relaxed);
            return shared.inboxes[elsewhere].put(Moving {
                connection,
                input,
                output,
            });
        }
        match stream.recv().await {
            Ok(chunk) if !chunk.is_empty() => input.extend_from_slice(&chunk),
            // Closed or reset by a client that left.
            _ => break,
        }
        let whole = input.len() / 8 * 8;
        for request in input.drain(..whole).collect::<Vec<u8>>().chunks(8) {
            let number = u64::from_le_bytes(request.try_into().expect("8 bytes"));
            output.extend_from_slice(&answer(number).to_le_bytes());
        }
        if output.is_empty() {
            continue;
        }
        if stream.sent().await.is_err() {
            break;
        }
        // It moves with the connection, more often than not.
        stream.start_send(std::mem::take(&mut output));
    }
    shared.sessions.fetch_sub(1, Ordering::Relaxed);
}

fn answer(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number >> 7)
}

async fn run_clients(shared: Arc<Shared>, addr: Mailbox<Addr>) {
    let addr = Rc::new(addr.take().await.expect("an address"));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| task::spawn(client(addr.clone(), shared.clone())))
        .collect();
    for client in clients {
        client.await.expect("a client");
    }
    while shared.sessions.load(Ordering::Relaxed) > 0 {
        time::sleep(Duration::from_millis(1)).await;
    }
    shared.inboxes.iter().for_each(Mailbox::close);
}

async fn client(addr: Rc<Addr>, shared: Arc<Shared>) {
    while shared.migrations.load(Ordering::Relaxed) < shared.target {
        let mut stream = Stream::connect(&addr).await.expect("connect");
        let begun = fastrand::u64(..);
        let (mut sent, mut answered) = (0, 0);
        let mut input = Vec::new();
        let mut unsent = Vec::new();
        while answered < REQUESTS {
            while sent < REQUESTS && sent - answered < DEPTH as u64 && fastrand::u8(..) > 20 {
                unsent.extend_from_slice(&begun.wrapping_add(sent).to_le_bytes());
                sent += 1;
            }
            if !unsent.is_empty() && (!stream.send_in_flight() || stream.try_sent().is_some()) {
                let cut = fastrand::usize(..=unsent.len());
                let rest = unsent.split_off(cut);
                stream.start_send(std::mem::replace(&mut unsent, rest));
            }
            // At the end of what was sent, a cut request stands still until its rest is sent.
            let patience = Duration::from_micros(fastrand::u64(..500));
            match time::timeout(patience, stream.recv()).await {
                Ok(chunk) => input.extend_from_slice(&chunk.expect("recv")),
                Err(_) => continue,
            }
            let whole = input.len() / 8 * 8;
            for reply in input.drain(..whole).collect::<Vec<u8>>().chunks(8) {
                let reply = u64::from_le_bytes(reply.try_into().expect("8 bytes"));
                let number = begun.wrapping_add(answered);
                assert_eq!(reply, answer(number), "the reply to request {answered}");
                answered += 1;
            }
        }
        match fastrand::u8(..3) {
            0 => stream.abort(),
            1 => drop(stream),
            _ => {
                stream.shutdown_write().expect("shutdown");
                while !stream.recv().await.expect("recv").is_empty() {}
            }
        }
    }
}
