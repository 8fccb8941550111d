//! What the tests on threads and the tests in the simulator share: the service that they ask, the
//! scenarios that they run, and the two ways to run one.
#![allow(dead_code, unreachable_pub)] // Each test binary uses its part.

pub mod probe;
pub mod scenarios;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use corelane::{IoBackend, LaunchOptions, Mesh, NodeFailure, Running, ShardId, launch};

use probe::Probe;

/// Far above what any test here takes: reaching it means that somebody waits for ever.
pub const HANGS: Duration = Duration::from_secs(60);

/// A node of `shards` shards; `capacity` requests outstanding per pair.
pub fn options(shards: usize, capacity: usize) -> LaunchOptions {
    let mut options = LaunchOptions::unpinned(shards);
    options.lane_capacity = Some(capacity);
    options
}

/// Launches a node of probes on threads.
pub fn start<M>(options: &LaunchOptions, main: M) -> Running<Probe>
where
    M: AsyncFn(Mesh<Probe>) -> Result<(), String> + Send + Sync + 'static,
{
    let shards = options.shards.len();
    let init = async move |shard: ShardId| Ok(Probe::new(shard, shards));
    launch(options, init, main).expect("the node starts")
}

/// Waits for a node's end, not for ever.
pub fn join(node: Running<Probe>) -> Result<(), NodeFailure> {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(node.join()));
    end.recv_timeout(HANGS).expect("the node hangs")
}

/// Runs a node of probes on threads to its end, on each driver.
pub fn run<M>(options: &LaunchOptions, main: M) -> Result<(), NodeFailure>
where
    M: AsyncFn(Mesh<Probe>) -> Result<(), String> + Send + Sync + 'static,
{
    let main = Arc::new(main);
    let on = |io| {
        let options = LaunchOptions {
            io,
            ..options.clone()
        };
        let main = main.clone();
        join(start(&options, async move |mesh| main(mesh).await))
    };
    let best = on(IoBackend::Auto);
    assert_eq!(on(IoBackend::Polling), best, "the drivers differ");
    best
}
