//! The framework in the simulator: the shared scenarios under many seeds, each with its own order of
//! events, and each the same when run again.

mod common;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use common::probe::{Ask, Probe};
use common::{options, scenarios};
use corelane::sim::{World, WorldOptions};
use corelane::{Mesh, NodeFailure, ShardId, launch_sim, random, task, time};

/// Seeds per row. Raise it by hand to look harder.
const SEEDS: u64 = 200;

/// Runs a node of probes in the world of `seed`; how it ended, and the hash of everything it did.
fn run<M>(seed: u64, shards: usize, capacity: usize, main: M) -> (Result<(), NodeFailure>, u64)
where
    M: AsyncFn(Mesh<Probe>) -> Result<(), String> + Send + Sync + 'static,
{
    let world = World::new(seed, WorldOptions::default());
    let init = async move |shard: ShardId| Ok(Probe::new(shard, shards));
    let node = launch_sim(&world, &options(shards, capacity), init, main).expect("the node starts");
    if let Err(stuck) = world.run() {
        panic!("seed {seed}, {shards} shards, lanes of {capacity}: {stuck}");
    }
    let outcome = node.outcome().expect("the world ran until the node ended");
    (outcome, world.trace_hash())
}

/// Runs `main` under all seeds, with a number of shards and a lane capacity that differ by seed.
fn check<M>(shards: std::ops::RangeInclusive<usize>, main: M)
where
    M: AsyncFn(Mesh<Probe>) -> Result<(), String> + Clone + Send + Sync + 'static,
{
    for seed in 0..SEEDS {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (shards, capacity) = (rng.usize(shards.clone()), rng.usize(1..20));
        let (outcome, _) = run(seed, shards, capacity, main.clone());
        assert_eq!(
            outcome,
            Ok(()),
            "seed {seed}, {shards} shards, lanes of {capacity}"
        );
    }
}

#[test]
fn everybody_asks_everybody() {
    check(1..=8, scenarios::everybody_asks_everybody);
}

#[test]
fn floods_keep_their_order_and_end() {
    check(2..=4, scenarios::flood_in_order);
}

#[test]
fn dropped_calls_do_no_harm() {
    check(1..=4, scenarios::drop_calls);
}

#[test]
fn control_passes_full_lanes() {
    check(2..=2, scenarios::control_passes_full_lanes);
}

#[test]
fn a_stop_under_load_loses_nothing() {
    check(1..=4, async |mesh: Mesh<Probe>| {
        if mesh.shard() == ShardId::new(0) {
            let stopper = mesh.stopper();
            task::spawn(async move {
                time::sleep(Duration::from_micros(random::below(20_000))).await;
                stopper.stop("the scenario's time is over");
            });
        }
        scenarios::work_until_stopped(mesh).await
    });
}

/// Every message between two shards that sleep in between, with wakes that take a random time. A wake
/// that is lost is made good by the next tick, so it shows as time: none may take that long.
#[test]
fn ping_pong_between_sleeping_shards() {
    const LOST_WAKE_NS: u64 = 5_000_000;
    check(2..=2, async |mesh: Mesh<Probe>| {
        if mesh.shard() == ShardId::new(1) {
            return Ok(());
        }
        for round in 0..50 {
            let asked_ns = time::now_ns();
            let answer = mesh.call(ShardId::new(1), Ask::Echo(round)).await;
            answer.map_err(|e| e.to_string())?;
            if time::now_ns() - asked_ns > LOST_WAKE_NS {
                return Err(format!(
                    "the answer of round {round} took long: a wake was lost"
                ));
            }
            if random::below(2) == 0 {
                time::sleep(Duration::from_micros(random::below(500))).await;
            }
        }
        Ok(())
    });
}

#[test]
fn a_shard_that_fails_ends_the_node() {
    for seed in 0..SEEDS {
        let failing = ShardId::new((seed % 3) as u16);
        let (outcome, _) = run(seed, 3, 4, async move |mesh: Mesh<Probe>| {
            time::sleep(Duration::from_micros(random::below(1000))).await;
            if mesh.shard() == failing {
                return Err("its disk is gone".to_owned());
            }
            std::future::pending().await
        });
        let failure = NodeFailure {
            shard: failing,
            reason: "its disk is gone".to_owned(),
        };
        assert_eq!(outcome, Err(failure), "seed {seed}");
    }
}

#[test]
fn a_shard_that_cannot_start_ends_the_node_before_any_main() {
    for seed in 0..SEEDS {
        let world = World::new(seed, WorldOptions::default());
        let init = async |shard: ShardId| {
            time::sleep(Duration::from_micros(random::below(100))).await;
            match shard.number() {
                1 => Err("no room for its log".to_owned()),
                _ => Ok(Probe::new(shard, 3)),
            }
        };
        let main = async |_: Mesh<Probe>| panic!("a main ran");
        let node = launch_sim(&world, &options(3, 4), init, main).expect("good options");
        world.run().expect("the node ends");
        let failure = NodeFailure {
            shard: ShardId::new(1),
            reason: "it did not start: no room for its log".to_owned(),
        };
        assert_eq!(node.outcome(), Some(Err(failure)), "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..10 {
        let again = || run(seed, 3, 4, scenarios::everybody_asks_everybody).1;
        assert_eq!(again(), again(), "seed {seed}");
    }
    let other = |seed| run(seed, 3, 4, scenarios::everybody_asks_everybody).1;
    assert_ne!(other(1), other(2));
}

/// Who asks its own shard through a handle has the answer at once, as through the mesh, where the state is free;
/// while it is in use, after that.
#[test]
fn a_handle_on_its_own_shard_is_answered_at_once() {
    check(1..=3, async |mesh: Mesh<Probe>| {
        let (me, handle) = (mesh.shard(), mesh.handle());
        let mut asking = handle.call(me, Ask::Echo(1));
        let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut asking).poll(cx))).await;
        assert!(matches!(polled, Poll::Ready(Ok((shard, 1))) if shard == me));

        let mut asking = mesh.with(|_| handle.call(me, Ask::Echo(2)));
        let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut asking).poll(cx))).await;
        assert!(polled.is_pending(), "its state was in use");
        assert!(matches!(asking.await, Ok((shard, 2)) if shard == me));
        Ok(())
    });
}
