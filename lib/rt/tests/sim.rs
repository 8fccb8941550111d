//! The simulated twin: the same programs as on the real backends, repeatable to the last step.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use corelane_rt::net::{Addr, ListenOptions, Listener, Stream};
use corelane_rt::sim::{StuckReason, World, WorldOptions};
use corelane_rt::task::{spawn, yield_now};
use corelane_rt::{Doorbell, Poller, random, time};

fn addr() -> Addr {
    Addr::Tcp("127.0.0.1:6379".parse().expect("an address"))
}

/// A server that answers everything with itself.
async fn serve() {
    let listener = Listener::bind(&addr(), &ListenOptions::default()).expect("bind");
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        drop(spawn(async move {
            let mut buffer = Vec::new();
            while let Ok(chunk) = stream.recv().await {
                if chunk.is_empty() {
                    return;
                }
                buffer.extend_from_slice(&chunk);
                match stream.send_all(buffer).await {
                    Ok(empty) => buffer = empty,
                    Err(_) => return,
                }
            }
        }));
    }
}

/// A client that sends `len` bytes and wants them back; false: the connection broke.
async fn echo_client(len: usize) -> bool {
    let mut stream = loop {
        match Stream::connect(&addr()).await {
            Ok(stream) => break stream,
            Err(_) => time::sleep(Duration::from_micros(50)).await,
        }
    };
    let data: Vec<u8> = (0..len).map(|_| random::next_u64() as u8).collect();
    stream.start_send(data.clone());
    let mut got = Vec::new();
    while got.len() < len {
        match stream.recv().await {
            Ok(chunk) if chunk.is_empty() => return false,
            Ok(chunk) => got.extend_from_slice(&chunk),
            Err(_) => return false,
        }
    }
    assert!(got == data, "the echo differs");
    stream.sent().await.is_ok()
}

/// A server shard and a client shard with some connections; the trace's hash and how many clients came through.
fn echo_world(seed: u64, options: WorldOptions) -> (u64, u32) {
    let world = World::new(seed, options);
    let server = world.shard(0, "server");
    let clients = world.shard(1, "clients");
    world.enter(server, || drop(spawn(serve())));
    let whole = Rc::new(Cell::new(0));
    for i in 0..4 {
        let whole = whole.clone();
        drop(world.spawn_on(clients, async move {
            if echo_client(1 + i * 3001).await {
                whole.set(whole.get() + 1);
            }
        }));
    }
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
    (world.trace_hash(), whole.get())
}

#[test]
fn a_seed_repeats_and_another_differs() {
    let mut hashes = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let (hash, whole) = echo_world(seed, WorldOptions::default());
        assert_eq!(whole, 4, "seed {seed}");
        assert_eq!(
            echo_world(seed, WorldOptions::default()).0,
            hash,
            "seed {seed} did not repeat"
        );
        hashes.insert(hash);
    }
    assert_eq!(hashes.len(), 40, "different seeds went the same way");
}

#[test]
fn resets_break_connections_and_nothing_else() {
    let options = WorldOptions {
        resets_per_10k: 500,
        ..WorldOptions::default()
    };
    let broken: u32 = (0..40)
        .map(|seed| 4 - echo_world(seed, options.clone()).1)
        .sum();
    assert!(
        (1..160).contains(&broken),
        "{broken} of 160 connections broke"
    );
}

#[test]
fn a_world_that_cannot_go_on_says_what_waits() {
    let world = World::new(7, WorldOptions::default());
    let shard = world.shard(0, "lonely");
    drop(world.spawn_on(shard, std::future::pending::<()>()));
    let stuck = world.run().expect_err("it waits for ever");
    assert_eq!(stuck.reason, StuckReason::Deadlock);
    let text = stuck.to_string();
    assert!(
        text.contains("seed 7") && text.contains("lonely: core::future::pending"),
        "{text}"
    );
}

#[test]
fn limits_end_a_run() {
    let busy = WorldOptions {
        step_limit: 1000,
        ..WorldOptions::default()
    };
    let late = WorldOptions {
        time_limit: Duration::from_secs(1),
        ..WorldOptions::default()
    };
    let ticking = async || loop {
        time::sleep(Duration::from_millis(10)).await;
    };
    let spinning = async || loop {
        yield_now().await;
    };
    let run = |options, spin| {
        let world = World::new(1, options);
        let shard = world.shard(0, "busy");
        drop(world.spawn_on(shard, async move {
            if spin {
                spinning().await
            } else {
                ticking().await
            }
        }));
        world.run().expect_err("it never ends").reason
    };
    assert_eq!(run(busy, true), StuckReason::StepLimit);
    assert_eq!(run(late, false), StuckReason::TimeLimit);
}

#[test]
fn a_panic_ends_the_run() {
    let world = World::new(1, WorldOptions::default());
    let shard = world.shard(0, "fragile");
    drop(world.spawn_on(shard, async {
        drop(spawn(async { panic!("oh no") }));
        time::sleep(Duration::from_secs(1)).await;
    }));
    let stuck = world.run().expect_err("a task panicked");
    assert!(
        matches!(&stuck.reason, StuckReason::Panic(text) if text.contains("oh no")),
        "{stuck}"
    );
}

#[test]
fn time_is_virtual() {
    let began = std::time::Instant::now();
    let world = World::new(3, WorldOptions::default());
    let shard = world.shard(0, "sleeper");
    let start = world.now_ns();
    world
        .run_for(Duration::from_secs(1))
        .expect("an empty world");
    assert!(world.now_ns() >= start + 1_000_000_000);
    let slept = world.block_on(shard, async {
        let (ns, ms) = (time::now_ns(), time::unix_ms());
        time::sleep(Duration::from_secs(1800)).await;
        (time::now_ns() - ns, time::unix_ms() - ms)
    });
    let (ns, ms) = slept.expect("it ends");
    assert!((1_800_000_000_000..1_801_000_000_000).contains(&ns), "{ns}");
    assert!(ms.abs_diff(1_800_000) <= 1000, "{ms}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// One end of a message counter between two shards: sends by adding, hears by polling.
struct Post {
    inbox: Arc<AtomicU64>,
    seen: Rc<Cell<u64>>,
    waiting: Rc<RefCell<Option<Waker>>>,
}

impl Poller for Post {
    fn poll(&mut self) -> bool {
        let count = self.inbox.load(Ordering::Acquire);
        let news = count != self.seen.replace(count);
        if news && let Some(waker) = self.waiting.borrow_mut().take() {
            waker.wake();
        }
        news
    }

    fn prepare_sleep(&mut self) -> bool {
        self.inbox.load(Ordering::Acquire) == self.seen.get()
    }

    fn awake(&mut self) {}

    fn busy(&self) -> bool {
        false
    }
}

/// Adds a [`Post`] for `inbox` to the current shard; a function that waits for the count to pass `last`.
fn add_post(inbox: Arc<AtomicU64>) -> impl AsyncFn(u64) -> u64 {
    let seen = Rc::new(Cell::new(0));
    let waiting: Rc<RefCell<Option<Waker>>> = Rc::default();
    corelane_rt::add_poller(Box::new(Post {
        inbox,
        seen: seen.clone(),
        waiting: waiting.clone(),
    }));
    async move |last| {
        poll_fn(|cx| {
            if seen.get() > last {
                return Poll::Ready(seen.get());
            }
            *waiting.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Two shards that throw a ball to each other by doorbells; with `ring` false, one forgets to ring.
fn ping_pong(seed: u64, ring: bool) -> Result<(), StuckReason> {
    let world = World::new(seed, WorldOptions::default());
    let shards = [world.shard(0, "left"), world.shard(1, "right")];
    let boxes: [Arc<AtomicU64>; 2] = Default::default();
    let bells: [Doorbell; 2] = shards.map(|shard| world.enter(shard, corelane_rt::doorbell));
    for (me, shard) in shards.into_iter().enumerate() {
        let wait = world.enter(shard, || add_post(boxes[me].clone()));
        let (to, bell) = (boxes[1 - me].clone(), bells[1 - me].clone());
        drop(world.spawn_on(shard, async move {
            for round in 0..50 {
                if me == 1 {
                    wait(round).await;
                }
                to.fetch_add(1, Ordering::Release);
                if ring || round != 25 {
                    bell.ring();
                }
                if me == 0 {
                    wait(round).await;
                }
            }
        }));
    }
    world.run().map_err(|stuck| stuck.reason)
}

#[test]
fn doorbells_carry_and_a_forgotten_one_is_found() {
    assert!((0..50).all(|seed| ping_pong(seed, true).is_ok()));
    let found = (0..50)
        .filter(|&seed| ping_pong(seed, false) == Err(StuckReason::Deadlock))
        .count();
    assert!(
        found > 25,
        "a lost wake-up was found in only {found} of 50 worlds"
    );
}

#[test]
fn a_bounded_socket_holds_its_sender_up() {
    let world = World::new(5, WorldOptions::default());
    let server = world.shard(0, "server");
    let client = world.shard(1, "client");
    let read = Rc::new(Cell::new(false));
    let reading = read.clone();
    drop(world.spawn_on(server, async move {
        let listener = Listener::bind(&addr(), &ListenOptions::default()).expect("bind");
        let (mut stream, _) = listener.accept().await.expect("accept");
        time::sleep(Duration::from_secs(5)).await;
        reading.set(true);
        let mut got = 0;
        while got < 1_000_000 {
            got += stream.recv().await.expect("recv").len();
        }
    }));
    drop(world.spawn_on(client, async move {
        time::sleep(Duration::from_millis(1)).await;
        let mut stream = Stream::connect(&addr()).await.expect("connect");
        stream.send_all(vec![7; 1_000_000]).await.expect("send");
        assert!(read.get(), "a megabyte went into a socket that nobody read");
    }));
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
}

/// A server goes away while it still sends and its client does too, which resets the connection: the client gets
/// the beginning of what was sent, cut off anywhere, but never with a hole.
#[test]
fn a_reset_cuts_a_stream_off_and_makes_no_hole_in_it() {
    const BYTES: usize = 2_000;
    let mut cut_off = 0;
    for seed in 0..100 {
        let options = WorldOptions {
            socket_bytes: 64..256,
            ..WorldOptions::default()
        };
        let world = World::new(seed, options);
        let (server, clients) = (world.shard(0, "server"), world.shard(1, "clients"));
        let serve = async {
            let listener = Listener::bind(&addr(), &ListenOptions::default()).expect("bind");
            let (mut stream, _) = listener.accept().await.expect("accept");
            stream.start_send((0..BYTES).map(|n| n as u8).collect());
            time::sleep(Duration::from_micros(random::below(500))).await;
        };
        drop(world.spawn_on(server, serve));
        let read = async {
            time::sleep(Duration::from_millis(1)).await;
            let mut stream = Stream::connect(&addr()).await.expect("connect");
            stream.start_send(vec![0; 500]);
            let mut got = Vec::new();
            while let Ok(chunk) = stream.recv().await {
                if chunk.is_empty() {
                    break;
                }
                got.extend_from_slice(&chunk);
                time::sleep(Duration::from_micros(random::below(500))).await;
            }
            got
        };
        let got = world.block_on(clients, read).expect("the client ends");
        let whole = (0..got.len()).all(|n| got[n] == n as u8);
        assert!(whole, "seed {seed}: a hole in {} bytes", got.len());
        cut_off += usize::from(got.len() < BYTES);
    }
    assert!(cut_off > 10, "{cut_off} streams of 100 were cut off");
}

#[test]
fn a_crash_drops_tasks_and_closes_connections() {
    let world = World::new(11, WorldOptions::default());
    let server = world.shard(0, "server");
    let client = world.shard(1, "client");
    let dropped = Rc::new(());
    let held = Rc::downgrade(&dropped);
    world.enter(server, || {
        drop(spawn(async move {
            let _dropped = dropped;
            serve().await;
        }));
    });
    drop(world.spawn_on(client, async { assert!(echo_client(10).await) }));
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
    drop(world.spawn_on(client, async move {
        let mut stream = Stream::connect(&addr()).await.expect("connect");
        // The end, or an error: either way it does not hang.
        let ended = stream.recv().await.map_or(0, |chunk| chunk.len());
        assert_eq!(ended, 0);
        assert!(
            Stream::connect(&addr()).await.is_err(),
            "nobody listens any more"
        );
    }));
    world
        .run_for(Duration::from_millis(10))
        .expect("it goes on");
    assert!(held.upgrade().is_some());
    world.crash(&[server]);
    assert!(held.upgrade().is_none());
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
    world.enter(server, || drop(spawn(serve())));
    drop(world.spawn_on(client, async { assert!(echo_client(10).await) }));
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
}

#[test]
fn a_blocking_call_takes_its_time() {
    let world = World::new(2, WorldOptions::default());
    let shard = world.shard(0, "caller");
    drop(world.spawn_on(shard, async {
        let before = time::now_ns();
        assert_eq!(corelane_rt::blocking::run(|| 5).await, 5);
        assert!(time::now_ns() > before);
    }));
    world.run().expect("it ends");
}

#[test]
fn a_paused_shard_stands_still_and_what_came_for_it_waits() {
    const PAUSE: Duration = Duration::from_millis(50);
    let world = World::new(5, WorldOptions::default());
    let (paused, other) = (world.shard(0, "paused"), world.shard(1, "other"));
    let nap = async || {
        let began_ns = time::now_ns();
        time::sleep(Duration::from_millis(1)).await;
        Duration::from_nanos(time::now_ns() - began_ns)
    };
    let naps = |shard| world.block_on(shard, nap()).expect("it wakes up");
    world
        .run_for(Duration::from_millis(1))
        .expect("nothing is wrong");
    world.pause(other, PAUSE);
    assert!(naps(paused) < PAUSE, "another one is paused");
    world.pause(paused, PAUSE);
    let before_ns = world.now_ns();
    naps(paused);
    assert!(world.now_ns() - before_ns >= PAUSE.as_nanos() as u64);
    assert!(naps(paused) < PAUSE, "the pause is over");
}

#[test]
fn pauses_by_chance_delay_and_repeat() {
    let run = |pauses_per_10k| {
        let options = WorldOptions {
            pauses_per_10k,
            ..WorldOptions::default()
        };
        let world = World::new(5, options);
        let shard = world.shard(0, "alone");
        let work = async {
            for _ in 0..500 {
                yield_now().await;
            }
        };
        world.block_on(shard, work).expect("it ends");
        (world.now_ns(), world.trace_hash())
    };
    assert_eq!(run(500), run(500));
    assert!(run(500).0 > run(0).0 + 1_000_000);
}

/// Both ends send more than the other has room for. One is dropped, so neither will ever read: the other must not wait
/// for ever.
#[test]
fn what_a_dropped_stream_cannot_send_is_given_up_after_a_while() {
    const BYTES: usize = 2_000;
    let options = WorldOptions {
        socket_bytes: 64..256,
        ..WorldOptions::default()
    };
    let world = World::new(3, options);
    let (server, client) = (world.shard(0, "server"), world.shard(1, "client"));
    drop(world.spawn_on(server, async {
        let listener = Listener::bind(&addr(), &ListenOptions::default()).expect("bind");
        let (mut stream, _) = listener.accept().await.expect("accept");
        let began = time::now_ns();
        let sent = stream.send_all(vec![1; BYTES]).await;
        assert!(sent.is_err(), "nobody has read it");
        let took = Duration::from_nanos(time::now_ns() - began);
        assert!((9..11).contains(&took.as_secs()), "{took:?}");
    }));
    drop(world.spawn_on(client, async {
        time::sleep(Duration::from_millis(1)).await;
        let mut stream = Stream::connect(&addr()).await.expect("connect");
        stream.start_send(vec![0; BYTES]);
        // Something has come that it has not read.
        time::sleep(Duration::from_millis(1)).await;
    }));
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
    assert_eq!(world.connections(), 0);
}
