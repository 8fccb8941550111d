//! The same server in a simulated world, over many seeds: connections that move while their bytes are cut and delayed,
//! shards that are behind, connections that break.

use std::cell::{Cell, RefCell};
use std::num::NonZero;
use std::rc::Rc;
use std::time::Duration;

use corelane::net::framing::{FrameReader, Lines};
use corelane::net::{Addr, Stream};
use corelane::sim::{World, WorldOptions};
use corelane::{LaunchOptions, SimNode, random, time};
use corelane_example_affinity::{FibShard, NUMBER_MAX, Routing, ServeOptions, fibonacci, simulate};

const CLIENTS: usize = 6;
const REQUESTS: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);

fn addr() -> Addr {
    Addr::Tcp("127.0.0.1:7042".parse().expect("an address"))
}

/// Asks in bursts and wants every answer, in order; how many it got.
async fn client(breaks: bool, answered: Rc<Cell<usize>>) {
    let mut stream = loop {
        match Stream::connect(&addr()).await {
            Ok(stream) => break stream,
            Err(_) => time::sleep(Duration::from_micros(100)).await,
        }
    };
    let mut reader = FrameReader::new(Lines { max_bytes: 128 });
    let mut asked = 0;
    while asked < REQUESTS {
        let burst = 1 + random::next_u64() as usize % 10;
        let lines: Vec<String> = (0..burst)
            .map(|_| (random::next_u64() % 200).to_string())
            .collect();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if stream.send_all(text.into_bytes()).await.is_err() {
            break;
        }
        for line in &lines {
            let reply = match reader.next(&mut stream).await {
                Ok(Some(reply)) => reply,
                ended => {
                    assert!(breaks, "a connection ended where none breaks: {ended:?}");
                    return;
                }
            };
            let expected = match line.parse() {
                Ok(number) if number <= NUMBER_MAX => fibonacci(number).to_string(),
                _ => "error: too large: Fibonacci numbers up to that of 186 fit into 128 bits"
                    .to_owned(),
            };
            assert_eq!(
                String::from_utf8_lossy(reply),
                expected,
                "the reply to {line}"
            );
            answered.set(answered.get() + 1);
        }
        asked += burst;
    }
}

/// A node of one to four shards.
fn start(world: &World, seed: u64, routing: Routing) -> SimNode<FibShard> {
    let mut launch = LaunchOptions::unpinned(1 + seed as usize % 4);
    // Little room, so that moves are refused, too.
    launch.lane_capacity = Some(2 + seed as usize % 7);
    let serve = ServeOptions {
        listen: addr(),
        routing,
        max_connections: CLIENTS,
        patience: PATIENCE,
        cached: NonZero::new(8).expect("not 0"),
    };
    simulate(world, &launch, serve).expect("a node")
}

/// One world; how many requests were answered, and the trace's hash.
fn run(seed: u64, routing: Routing, breaks: bool) -> (usize, u64) {
    let options = WorldOptions {
        resets_per_10k: if breaks { 20 } else { 0 },
        ..WorldOptions::default()
    };
    let world = World::new(seed, options);
    let node = start(&world, seed, routing);
    let clients = world.shard(99, "clients");
    let answered = Rc::new(Cell::new(0));
    let stopper = node.stopper();
    let left = Rc::new(Cell::new(CLIENTS));
    for _ in 0..CLIENTS {
        let (answered, left, stopper) = (answered.clone(), left.clone(), stopper.clone());
        drop(world.spawn_on(clients, async move {
            client(breaks, answered).await;
            left.set(left.get() - 1);
            if left.get() == 0 {
                stopper.stop("the test is over");
            }
        }));
    }
    world
        .run()
        .unwrap_or_else(|stuck| panic!("seed {seed}, {routing:?}: {stuck}"));
    let outcome = node.outcome().expect("it has ended");
    outcome.unwrap_or_else(|failure| panic!("seed {seed}, {routing:?}: {failure}"));
    (answered.get(), world.trace_hash())
}

fn seeds() -> u64 {
    let count = std::env::var("CORELANE_SIM_SEEDS").ok();
    count.and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[test]
fn every_reply_is_right_and_in_order() {
    for routing in [Routing::Migrate, Routing::Hop, Routing::Adaptive] {
        for seed in 0..seeds() {
            let (answered, hash) = run(seed, routing, false);
            assert!(
                answered >= CLIENTS * REQUESTS,
                "seed {seed}, {routing:?}: {answered} answers"
            );
            if seed % 20 == 0 {
                assert_eq!(
                    run(seed, routing, false).1,
                    hash,
                    "seed {seed} did not repeat"
                );
            }
        }
    }
}

#[test]
fn broken_connections_harm_nobody_else() {
    let mut answered = 0;
    for seed in 0..seeds() {
        answered += run(seed, Routing::Migrate, true).0;
    }
    assert!(answered > 0);
}

/// Begins a line and never ends it; what the server says, and after how long.
async fn loiterer(said: Rc<RefCell<String>>) {
    let mut stream = Stream::connect(&addr()).await.expect("connect");
    let began_ns = time::now_ns();
    stream.send_all(b"10\n4".to_vec()).await.expect("send");
    loop {
        let chunk = stream.recv().await.expect("recv");
        if chunk.is_empty() {
            break;
        }
        said.borrow_mut().push_str(&String::from_utf8_lossy(&chunk));
    }
    let waited = Duration::from_nanos(time::now_ns() - began_ns);
    assert!(
        waited >= PATIENCE && waited < PATIENCE * 2,
        "closed after {waited:?}"
    );
}

#[test]
fn a_client_that_never_ends_its_line_is_told_and_closed() {
    let world = World::new(11, WorldOptions::default());
    let node = start(&world, 11, Routing::Migrate);
    let clients = world.shard(99, "clients");
    let said = Rc::new(RefCell::new(String::new()));
    let (heard, stopper) = (said.clone(), node.stopper());
    drop(world.spawn_on(clients, async move {
        loiterer(heard).await;
        stopper.stop("the test is over");
    }));
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
    assert_eq!(*said.borrow(), "55\nerror: no whole line came for 60s\n");
}
