//! Connections that move between simulated shards, over many seeds: cut, delayed, reset, dropped on the way, and with
//! shards that crash under them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use corelane_rt::net::{Addr, Connection, ListenOptions, Listener, Stream};
use corelane_rt::sim::{SimShard, World, WorldOptions};
use corelane_rt::task::spawn;
use corelane_rt::{random, time};

const SHARDS: usize = 3;
const CLIENTS: usize = 4;
const BYTES: usize = 20_000;

/// Connections under way to each shard. A simulated world runs on one thread.
type Inboxes = Rc<[RefCell<VecDeque<Connection>>; SHARDS]>;

#[derive(Default)]
struct Seen {
    moves: Cell<u64>,
    whole: Cell<u64>,
    broken: Cell<u64>,
}

fn addr() -> Addr {
    Addr::Tcp("127.0.0.1:7".parse().expect("an address"))
}

/// Echoes for a while, then hands the connection to another shard (or, now and then, drops it on the way).
async fn session(mut stream: Stream, shard: usize, inboxes: Inboxes, seen: Rc<Seen>, drops: bool) {
    loop {
        if random::next_u64().is_multiple_of(3) {
            let connection = stream.detach().await;
            seen.moves.set(seen.moves.get() + 1);
            if drops && random::next_u64().is_multiple_of(200) {
                return drop(connection);
            }
            let elsewhere = (shard + 1 + random::next_u64() as usize % (SHARDS - 1)) % SHARDS;
            return inboxes[elsewhere].borrow_mut().push_back(connection);
        }
        let Ok(chunk) = stream.recv().await else {
            return;
        };
        if chunk.is_empty() {
            return;
        }
        let half = chunk.len() / 2;
        stream.put_back(chunk[half..].to_vec());
        let echo = chunk[..half.max(1)].to_vec();
        if half == 0 {
            // One byte: it is echoed, so it must not come again.
            let _ = stream.recv().await;
        }
        if stream.send_in_flight() && stream.sent().await.is_err() {
            return;
        }
        stream.start_send(echo);
    }
}

async fn shard_main(shard: usize, inboxes: Inboxes, seen: Rc<Seen>, drops: bool) {
    if shard == 0 {
        let (inboxes, seen) = (inboxes.clone(), seen.clone());
        let listener = Listener::bind(&addr(), &ListenOptions::default()).expect("bind");
        drop(spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(spawn(session(
                    stream,
                    0,
                    inboxes.clone(),
                    seen.clone(),
                    drops,
                )));
            }
        }));
    }
    loop {
        let arrived = inboxes[shard].borrow_mut().pop_front();
        match arrived {
            Some(connection) => {
                let stream = Stream::attach(connection).expect("attach");
                drop(spawn(session(
                    stream,
                    shard,
                    inboxes.clone(),
                    seen.clone(),
                    drops,
                )));
            }
            None => time::sleep(Duration::from_micros(20)).await,
        }
    }
}

/// Sends bytes and wants them back, in order and whole; the connection may break, but nothing may be wrong.
async fn client(seen: Rc<Seen>) {
    let mut stream = loop {
        match Stream::connect(&addr()).await {
            Ok(stream) => break stream,
            Err(_) => time::sleep(Duration::from_micros(50)).await,
        }
    };
    let data: Vec<u8> = (0..BYTES).map(|_| random::next_u64() as u8).collect();
    stream.start_send(data.clone());
    let mut got = Vec::new();
    while got.len() < data.len() {
        match stream.recv().await {
            Ok(chunk) if !chunk.is_empty() => got.extend_from_slice(&chunk),
            _ => break,
        }
    }
    assert!(
        data.starts_with(&got),
        "bytes were lost, doubled or reordered"
    );
    let ended = if got.len() == data.len() {
        &seen.whole
    } else {
        &seen.broken
    };
    ended.set(ended.get() + 1);
}

struct Run {
    hash: u64,
    seen: Rc<Seen>,
}

fn run(seed: u64, options: WorldOptions, drops: bool, crash: bool) -> Run {
    let world = World::new(seed, options);
    let inboxes = Inboxes::default();
    let seen = Rc::new(Seen::default());
    let shards: Vec<SimShard> = (0..SHARDS)
        .map(|number| world.shard(number as u16, "shard"))
        .collect();
    for (number, &shard) in shards.iter().enumerate() {
        let main = shard_main(number, inboxes.clone(), seen.clone(), drops);
        world.enter(shard, || drop(spawn(main)));
    }
    let clients = world.shard(99, "clients");
    for _ in 0..CLIENTS {
        drop(world.spawn_on(clients, client(seen.clone())));
    }
    if crash {
        world
            .run_for(Duration::from_millis(3))
            .unwrap_or_else(|stuck| panic!("{stuck}"));
        world.crash(&[shards[1]]);
        let main = shard_main(1, inboxes.clone(), seen.clone(), drops);
        world.enter(shards[1], || drop(spawn(main)));
    }
    world
        .run()
        .unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}"));
    Run {
        hash: world.trace_hash(),
        seen,
    }
}

fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("CORELANE_SIM_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    0..count.unwrap_or(60)
}

#[test]
fn nothing_is_lost_where_nothing_breaks() {
    let mut moves = 0;
    for seed in seeds() {
        let Run { hash, seen } = run(seed, WorldOptions::default(), false, false);
        assert_eq!(
            (seen.whole.get(), seen.broken.get()),
            (CLIENTS as u64, 0),
            "seed {seed}"
        );
        moves += seen.moves.get();
        if seed % 10 == 0 {
            let again = run(seed, WorldOptions::default(), false, false);
            assert_eq!(again.hash, hash, "seed {seed} did not repeat");
        }
    }
    assert!(moves > seeds().end * 20, "only {moves} moves");
}

#[test]
fn resets_drops_and_crashes_break_connections_and_nothing_else() {
    let options = WorldOptions {
        resets_per_10k: 5,
        ..WorldOptions::default()
    };
    let mut broken = 0;
    for seed in seeds() {
        let Run { seen, .. } = run(seed, options.clone(), true, seed % 2 == 0);
        assert_eq!(
            seen.whole.get() + seen.broken.get(),
            CLIENTS as u64,
            "seed {seed}"
        );
        broken += seen.broken.get();
    }
    let all = seeds().end * CLIENTS as u64;
    assert!(
        (1..all).contains(&broken),
        "{broken} of {all} connections broke"
    );
}

#[test]
fn a_connection_stays_in_its_world() {
    let worlds = [1, 2].map(|seed| World::new(seed, WorldOptions::default()));
    let [here, there] = [0, 1].map(|i| worlds[i].shard(0, "shard"));
    let connection = worlds[0]
        .block_on(here, async {
            let listener = Listener::bind(&addr(), &ListenOptions::default()).expect("bind");
            let client = Stream::connect(&addr()).await.expect("connect");
            drop(listener.accept().await.expect("accept"));
            client.detach().await
        })
        .unwrap_or_else(|stuck| panic!("{stuck}"));
    worlds[1].enter(there, || {
        let error = Stream::attach(connection).expect_err("another world's");
        assert!(
            error.to_string().contains("another simulated world"),
            "{error}"
        );
    });
}
