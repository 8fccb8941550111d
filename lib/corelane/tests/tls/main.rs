//! TLS over the runtime: handshakes, certificates, ends, and moves between shards; in the simulator under many seeds and
//! on each real driver.

mod certificates;
mod ends;
mod handshakes;
mod moving;
mod pki;

use std::future::Future;
use std::time::Duration;

use corelane::net::{Addr, ListenOptions, Listener, Stream};
use corelane::sim::{World, WorldOptions};
use corelane::tls::{Acceptor, Connector, TlsStream};
use corelane::{IoBackend, time};
use corelane_rt::{Runtime, RuntimeOptions};

/// Seeds per test.
const SEEDS: u64 = 20;

/// Runs `test` in a world of each seed, and on each real driver.
fn everywhere<F: Future<Output = ()> + 'static>(test: impl Fn() -> F) {
    for seed in 0..SEEDS {
        let world = World::new(seed, WorldOptions::default());
        let shard = world.shard(0, "shard");
        if let Err(stuck) = world.block_on(shard, test()) {
            panic!("seed {seed}: {stuck}");
        }
    }
    for io in [IoBackend::Auto, IoBackend::Polling] {
        runtime(io).block_on(async {
            let in_time = time::timeout(Duration::from_secs(30), test()).await;
            in_time.unwrap_or_else(|_| panic!("no end on {io:?}"));
        });
    }
}

fn runtime(io: IoBackend) -> Runtime {
    let options = RuntimeOptions {
        io,
        ..RuntimeOptions::default()
    };
    Runtime::new(&options).expect("a runtime")
}

/// Two ends of a plain connection: the client's, the server's.
async fn plain_pair() -> (Stream, Stream) {
    let any = Addr::Tcp(([127, 0, 0, 1], 0).into());
    let listener = Listener::bind(&any, &ListenOptions::default()).expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let client = Stream::connect(&addr).await.expect("connect");
    let (server, _) = listener.accept().await.expect("accept");
    (client, server)
}

/// Two ends of TLS that have not spoken yet: the client's, the server's.
async fn pair(connector: &Connector, acceptor: &Acceptor) -> (TlsStream, TlsStream) {
    let (client, server) = plain_pair().await;
    let client = connector.connect(client, &pki::name()).expect("a client");
    (client, acceptor.accept(server))
}

/// Receives to the end.
async fn drained(stream: &mut TlsStream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let chunk = stream.recv().await?;
        match chunk.is_empty() {
            true => return Ok(all),
            false => all.extend_from_slice(&chunk),
        }
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}
