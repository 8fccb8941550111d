//! The same in the simulator: every seed another order of events, other delays, and lines in other pieces.

use std::net::SocketAddr;

use corelane::net::framing::{FrameReader, Lines};
use corelane::net::{Addr, Stream};
use corelane::sim::{World, WorldOptions};
use corelane::sync::Gate;
use corelane::{launch_sim, random, task, time};
use corelane_example_rooms::node;
use std::time::Duration;

const SEEDS: u64 = 25;
const CLIENTS: usize = 4;
const SAYS: usize = 40;

struct Client {
    stream: Stream,
    reader: FrameReader<Lines>,
}

impl Client {
    async fn connect(addr: &Addr) -> Self {
        loop {
            match Stream::connect(addr).await {
                Ok(stream) => {
                    let reader = FrameReader::new(Lines { max_bytes: 1000 });
                    return Self { stream, reader };
                }
                Err(_) => time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    async fn say(&mut self, line: &str) {
        let line = format!("{line}\n").into_bytes();
        self.stream.send_all(line).await.expect("it is connected");
    }

    async fn line(&mut self) -> String {
        let line = self.reader.next(&mut self.stream).await;
        let line = line.expect("it is connected").expect("it is not closed");
        String::from_utf8(line.to_vec()).expect("text")
    }

    async fn wait_for(&mut self, what: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(what) {
                return line;
            }
        }
    }
}

/// Says its numbers, now and then a little later, and reads the whole room.
async fn talk(addr: Addr, name: usize, together: Gate) {
    let mut client = Client::connect(&addr).await;
    client.say(&format!("/name c{name}")).await;
    client.say("/join room").await;
    client.wait_for("you are in room").await;
    drop(together.enter());
    // Everybody is in before anybody speaks.
    while together.stats().entered < CLIENTS as u64 {
        time::sleep(Duration::from_micros(100)).await;
    }
    let (mut said, mut seen, mut next) = (0, 0, [0; CLIENTS]);
    while seen < (CLIENTS * SAYS) as u64 {
        if said < SAYS && random::below(2) == 0 {
            client.say(&said.to_string()).await;
            said += 1;
            continue;
        }
        if said == SAYS || random::below(4) > 0 {
            let line = time::timeout(Duration::from_millis(1), client.line()).await;
            let Ok(line) = line else { continue };
            let Some((head, words)) = line
                .strip_prefix("[room ")
                .and_then(|line| line.split_once("] "))
            else {
                panic!("{line}");
            };
            seen += 1;
            assert_eq!(head.parse(), Ok(seen), "a gap or a double: {line}");
            let (speaker, number) = words.split_once(": ").expect("somebody speaks");
            let speaker: usize = speaker[1..].parse().expect("a client");
            assert_eq!(number.parse(), Ok(next[speaker]), "out of order: {line}");
            next[speaker] += 1;
        } else {
            time::sleep(Duration::from_micros(random::below(2000))).await;
        }
    }
}

async fn operate(addr: Addr) {
    let mut client = Client::connect(&addr).await;
    client.say("/join operators").await;
    client.wait_for("you are in operators").await;
    for _ in 0..6 {
        let shards = 1 + random::below(4);
        client.say(&format!("/resize {shards}")).await;
        let told = client.wait_for("*: ").await;
        assert!(told.contains(&format!("{shards} shards serve")), "{told}");
        time::sleep(Duration::from_micros(random::below(5000))).await;
    }
}

#[test]
fn nobody_misses_a_word_under_any_seed() {
    let addr: SocketAddr = ([10, 0, 0, 1], 7000).into();
    for seed in 0..SEEDS {
        let world = World::new(seed, WorldOptions::default());
        let main = async move |mesh| node::serve(mesh, addr).await;
        let options = node::options(4, 1 + seed as usize % 4);
        let node = launch_sim(&world, &options, node::init, main).expect("the node starts");
        let clients = world.shard(100, "clients");
        let stopper = node.stopper();
        world.spawn_on(clients, async move {
            let (addr, together) = (Addr::Tcp(addr), Gate::new());
            let talking = (0..CLIENTS).map(|name| talk(addr.clone(), name, together.clone()));
            let mut tasks: Vec<_> = talking.map(task::spawn).collect();
            tasks.push(task::spawn(operate(addr)));
            for task in tasks {
                task.await.expect("no panic");
            }
            stopper.stop("everybody has said it all");
        });
        world
            .run()
            .unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}"));
        assert_eq!(node.outcome(), Some(Ok(())), "seed {seed}");
    }
}
