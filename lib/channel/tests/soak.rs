//! Lanes and sleep flags over real threads: full queues, tiny rings, sleeping on both sides. Nothing
//! is lost, doubled or reordered, and nobody sleeps for ever.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use corelane_channel::{Receiver, Sender, SleepFlag, lane};

/// Far above any scheduling delay: reaching it means that a wake was lost.
const LOST_WAKE: Duration = Duration::from_secs(30);

/// A doorbell that remembers one ring, like an eventfd.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    signal: Condvar,
    rings: AtomicU64,
}

impl Bell {
    fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        *self.rung.lock().unwrap() = true;
        self.signal.notify_one();
    }

    fn wait(&self) {
        let rung = self.rung.lock().unwrap();
        let (mut rung, timed_out) = self
            .signal
            .wait_timeout_while(rung, LOST_WAKE, |rung| !*rung)
            .unwrap();
        assert!(!timed_out.timed_out(), "a wake was lost");
        *rung = false;
    }
}

/// One side of the handshake: its flag and its bell.
#[derive(Default)]
struct Sleeper {
    flag: SleepFlag,
    bell: Bell,
    sleeps: AtomicU64,
}

impl Sleeper {
    /// Sleeps unless one of the lanes has something after the announcement.
    fn sleep_unless(&self, has_work: impl Fn() -> bool) {
        self.flag.announce();
        self.sleeps.fetch_add(1, Ordering::Relaxed);
        if !has_work() {
            self.bell.wait();
        }
        self.flag.retract();
    }

    fn wake(&self) {
        if self.flag.claim_wake() {
            self.bell.ring();
        }
    }
}

/// Sends 0..count in random batches; a full lane is tried again, so it is full most of the time.
fn send_all(mut tx: Sender<u64>, count: u64, receiver: &Sleeper, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut staged = VecDeque::new();
    let mut next = 0;
    while next < count || !staged.is_empty() {
        while next < count && staged.len() < rng.usize(1..20) {
            staged.push_back(next);
            next += 1;
        }
        if tx.push_batch(&mut staged) > 0 {
            receiver.wake();
        } else {
            thread::yield_now();
        }
    }
}

/// Receives from all lanes until every sender's last value has come, in order.
fn receive_all(lanes: &mut [Receiver<u64>], count: u64, me: &Sleeper, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut expected = vec![0; lanes.len()];
    while expected.iter().any(|&next| next < count) {
        let mut found = 0;
        for (lane, next) in lanes.iter_mut().zip(&mut expected) {
            found += lane.pop_batch(rng.usize(1..20), |value| {
                assert_eq!(value, *next, "lost, doubled or reordered");
                *next += 1;
            });
        }
        if found == 0 {
            me.sleep_unless(|| lanes.iter().any(|lane| !lane.is_empty()));
        }
    }
}

fn soak(senders: usize, capacity: usize, count: u64) {
    let receiver = Arc::new(Sleeper::default());
    let (txs, mut rxs): (Vec<_>, Vec<_>) = (0..senders).map(|_| lane(capacity)).unzip();
    thread::scope(|scope| {
        for (seed, tx) in (0u64..).zip(txs) {
            let receiver = receiver.clone();
            scope.spawn(move || send_all(tx, count, &receiver, seed));
        }
        receive_all(&mut rxs, count, &receiver, 99);
    });
    let rings = receiver.bell.rings.load(Ordering::Relaxed);
    let sleeps = receiver.sleeps.load(Ordering::Relaxed);
    assert!(rings <= sleeps, "{rings} rings for {sleeps} sleeps");
    for rx in &rxs {
        assert!(rx.is_closed());
        assert_eq!(rx.counters().received, count);
        assert_eq!(rx.sender_counters().sent, count);
    }
}

#[test]
fn full_lanes_lose_nothing() {
    for (senders, capacity, count) in [
        (1, 1, 20_000),
        (1, 7, 200_000),
        (3, 2, 20_000),
        (3, 64, 100_000),
    ] {
        soak(senders, capacity, count);
    }
}

/// Two threads, each asleep whenever the other is awake: the wake-up is on every message's path.
#[test]
fn ping_pong_asleep_to_asleep() {
    const ROUNDS: u64 = 20_000;
    let (mut ping_tx, mut ping_rx) = lane(1);
    let (mut pong_tx, mut pong_rx) = lane(1);
    let here = Arc::new(Sleeper::default());
    let there = Arc::new(Sleeper::default());
    thread::scope(|scope| {
        let (back, me) = (here.clone(), there.clone());
        scope.spawn(move || {
            for round in 0..ROUNDS {
                assert_eq!(next(&mut ping_rx, &me), round);
                pong_tx.push(round).unwrap();
                back.wake();
            }
        });
        for round in 0..ROUNDS {
            ping_tx.push(round).unwrap();
            there.wake();
            assert_eq!(next(&mut pong_rx, &here), round);
        }
    });
}

fn next(rx: &mut Receiver<u64>, me: &Sleeper) -> u64 {
    loop {
        if let Some(value) = rx.pop() {
            return value;
        }
        me.sleep_unless(|| !rx.is_empty());
    }
}
