//! In the simulator: pauses, resumes, pings, panics and a stop in random orders, under many seeds.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use corelane::pool::{Profile, SendRefusal, To, WorkerPool};
use corelane::sim::{World, WorldOptions};
use corelane::worker::OnFailure;
use corelane::{random, time};

use crate::ledger::{Ledger, Note, eager};

const SEEDS: u64 = 200;

/// One run: what was written, and a hash of all that happened.
fn run(seed: u64) -> u64 {
    let world = World::new(seed, WorldOptions::default());
    let workers = 1 + (seed % 4) as usize;
    let ledger = Ledger::default();
    let made = ledger.clone();
    let builder = WorkerPool::builder()
        .workers(workers)
        .profile(Profile::Testing);
    let builder = builder.queue(1 + (seed % 40) as usize).supervision(eager());
    let pool = builder
        .on_failure(OnFailure::drop_it())
        .spawn_sim(&world, move |_| made.clone())
        .unwrap();
    let handle = pool.handle();
    let done = Rc::new(Cell::new(None));
    let told = done.clone();
    let outside = world.shard(100, "outside");
    world.spawn_on(outside, async move {
        let (mut sent, mut panics) = (vec![0u64; 10], 0u64);
        for _ in 0..150 {
            let worker = random::below(workers as u64) as usize;
            match random::below(12) {
                0 => handle.pause(worker).await.unwrap(),
                1..3 => handle.resume(worker).await.unwrap(),
                3 => drop(handle.ping(worker).await.unwrap()),
                4 if panics < 100 => {
                    match handle.try_send(To::Worker(worker), Note::PanicUntil(9)) {
                        Ok(()) => panics += 1,
                        Err(unsent) => assert_eq!(unsent.reason, SendRefusal::Full),
                    }
                }
                5 => time::sleep(Duration::from_micros(random::below(300))).await,
                _ => {
                    let key = random::below(10);
                    let note = Note::Write(key, sent[key as usize]);
                    // A paused worker's mailbox may be full for ever.
                    if handle.try_send(To::Key(&key.to_be_bytes()), note).is_ok() {
                        sent[key as usize] += 1;
                    }
                }
            }
        }
        handle.stop().await.unwrap();
        told.set(Some((sent, panics)));
    });
    if let Err(stuck) = world.run() {
        panic!("seed {seed}: {stuck}");
    }
    let (sent, panics) = done.take().expect("the stop returned");
    assert_eq!(pool.outcome(), Some(Ok(())), "seed {seed}");
    let written = ledger.written();
    for (key, count) in sent.iter().enumerate() {
        let numbers = written.get(&(key as u64)).cloned().unwrap_or_default();
        assert!(numbers.into_iter().eq(0..*count), "seed {seed}, key {key}");
    }
    let stats = pool.stats();
    let sum =
        |of: fn(&corelane::worker::WorkerStats) -> u64| stats.workers.iter().map(of).sum::<u64>();
    assert_eq!(sum(|w| w.panics), panics, "seed {seed}");
    assert_eq!(sum(|w| w.dropped), panics, "seed {seed}");
    // A worker whose last message was a panic leaves without another state.
    let stateless = panics - sum(|w| w.restarts);
    assert_eq!(stats.waiting(), 0, "seed {seed}");
    assert_eq!(
        ledger.shutdowns() as u64 + stateless,
        workers as u64,
        "seed {seed}"
    );
    world.trace_hash()
}

#[test]
fn pauses_panics_and_stops_in_any_order_lose_nothing() {
    for seed in 0..SEEDS {
        run(seed);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..5 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
