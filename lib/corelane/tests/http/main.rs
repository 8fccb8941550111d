//! HTTP over the runtime: what goes over the wire, the limits, and the drain; in the simulator under many seeds
//! and, where it takes no long time, on each real driver.

mod client;
mod limits;
mod service;
mod wire;

use std::future::{Future, pending};

use corelane::http::{Options, Server};
use corelane::net::{Addr, ListenOptions, Listener};
use corelane::sim::{World, WorldOptions};
use corelane::{IoBackend, task};
use corelane_rt::{Runtime, RuntimeOptions};

use service::Tested;

/// Seeds per test.
const SEEDS: u64 = 30;

/// Starts a server of [`Tested`] that serves until `stop` resolves.
fn start_until(
    options: Options,
    stop: impl Future<Output = ()> + 'static,
) -> (Addr, Server, task::JoinHandle<()>) {
    let any = Addr::Tcp(([127, 0, 0, 1], 0).into());
    let listener = Listener::bind(&any, &ListenOptions::default()).expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let server = Server::new(options);
    let serving = server.clone();
    let served = task::spawn(async move { serving.serve(listener, Tested, stop).await });
    (addr, server, served)
}

/// Starts a server of [`Tested`].
fn start(options: Options) -> (Addr, Server) {
    let (addr, server, _) = start_until(options, pending());
    (addr, server)
}

/// Runs `test` in a world of each seed.
fn simulate(test: impl AsyncFn() + Copy + 'static) {
    for seed in 0..SEEDS {
        let world = World::new(seed, WorldOptions::default());
        let shard = world.shard(0, "shard");
        if let Err(stuck) = world.block_on(shard, async move { test().await }) {
            panic!("seed {seed}: {stuck}");
        }
    }
}

/// Runs `test` in a world of each seed, and on each real driver.
fn everywhere(test: impl AsyncFn() + Copy + 'static) {
    simulate(test);
    for io in [IoBackend::Auto, IoBackend::Polling] {
        let options = RuntimeOptions {
            io,
            ..RuntimeOptions::default()
        };
        let runtime = Runtime::new(&options).expect("a runtime");
        runtime.block_on(async move { test().await });
    }
}
