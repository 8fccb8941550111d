//! Real threads, tiny queues, everybody asleep half of the time: nothing is lost, doubled or reordered,
//! and nobody sleeps for ever.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use corelane_channel::{Full, Options, RecvError, mpmc, mpsc, spsc};

const VALUES: u64 = if cfg!(miri) { 60 } else { 30_000 };

/// Far above any scheduling delay: reaching it means that a wake was lost.
const LOST_WAKE: Duration = Duration::from_secs(30);

/// A value that tells whose it is and which: sender in the upper half, number in the lower.
fn value(sender: u64, n: u64) -> u64 {
    sender << 32 | n
}

/// Sends 0..VALUES, by turns alone, with a time limit, and in batches.
macro_rules! send_all {
    ($tx:ident, $sender:expr) => {{
        let mut rng = fastrand::Rng::with_seed($sender);
        let mut next = 0;
        while next < VALUES {
            let mut staged = VecDeque::new();
            for _ in 0..rng.u64(1..8).min(VALUES - next) {
                staged.push_back(value($sender, next));
                next += 1;
            }
            match (rng.bool(), staged.len()) {
                (true, 1) => $tx.send_blocking(staged[0]).unwrap(),
                (false, 1) => $tx.send_timeout(staged[0], LOST_WAKE).unwrap(),
                _ => $tx.send_batch_blocking(&mut staged).unwrap(),
            }
        }
    }};
}

/// Receives until the channel is closed, each sender's values in order; all of them.
macro_rules! receive_all {
    ($rx:ident, $seed:expr) => {{
        let mut rng = fastrand::Rng::with_seed($seed);
        let mut received = Vec::new();
        loop {
            let outcome = if rng.bool() {
                $rx.recv_timeout(LOST_WAKE)
                    .map(|value| received.push(value))
            } else {
                $rx.recv_batch_blocking(&mut received, rng.usize(1..8))
                    .map(drop)
            };
            match outcome {
                Ok(()) => {}
                Err(RecvError::Closed) => break,
                Err(error) => panic!("a wake was lost: {error}"),
            }
        }
        received
    }};
}

/// Checks that each receiver saw each sender's values in order, and all of them were seen once.
fn complete(received: Vec<Vec<u64>>, senders: u64) {
    for one in &received {
        for sender in 0..senders {
            let mine: Vec<_> = one.iter().filter(|&&value| value >> 32 == sender).collect();
            assert!(mine.is_sorted(), "reordered");
        }
    }
    let mut all: Vec<u64> = received.into_iter().flatten().collect();
    all.sort_unstable();
    let expected = (0..senders).flat_map(|sender| (0..VALUES).map(move |n| value(sender, n)));
    assert!(all.into_iter().eq(expected), "lost or doubled");
}

/// Sleeping at once, and after a spin.
fn options(capacity: usize) -> [Options; 2] {
    [Options::new(capacity).spin(0, 0), Options::new(capacity)]
}

#[test]
fn spsc_loses_nothing() {
    let bounded = [1, 7, 64].into_iter().flat_map(options).map(Some);
    for options in bounded.chain([None]) {
        let (mut tx, mut rx) = match options {
            Some(options) => spsc::with(options).unwrap(),
            None => spsc::unbounded(),
        };
        let received = thread::scope(|scope| {
            scope.spawn(move || send_all!(tx, 0));
            scope.spawn(move || receive_all!(rx, 9)).join().unwrap()
        });
        complete(vec![received], 1);
    }
}

#[test]
fn mpsc_loses_nothing() {
    let bounded = [1, 7, 64].into_iter().flat_map(options).map(Some);
    for options in bounded.chain([None]) {
        let (tx, mut rx) = match options {
            Some(options) => mpsc::with(options).unwrap(),
            None => mpsc::unbounded(),
        };
        let gauge = tx.gauge();
        let received = thread::scope(|scope| {
            for sender in 0..3 {
                let mut tx = tx.clone();
                scope.spawn(move || send_all!(tx, sender));
            }
            drop(tx);
            scope.spawn(move || receive_all!(rx, 9)).join().unwrap()
        });
        complete(vec![received], 3);
        let stats = gauge.stats();
        assert_eq!(
            (stats.send.sent, stats.receive.received),
            (3 * VALUES, 3 * VALUES)
        );
    }
}

#[test]
fn mpmc_loses_nothing() {
    let bounded = [1, 7, 64].into_iter().flat_map(options).map(Some);
    for options in bounded.chain([None]) {
        let (tx, rx) = match options {
            Some(options) => mpmc::with(options).unwrap(),
            None => mpmc::unbounded(),
        };
        let received = thread::scope(|scope| {
            for sender in 0..3 {
                let mut tx = tx.clone();
                scope.spawn(move || send_all!(tx, sender));
            }
            drop(tx);
            let receivers: Vec<_> = (0..3)
                .map(|seed| {
                    let mut rx = rx.clone();
                    scope.spawn(move || receive_all!(rx, seed))
                })
                .collect();
            drop(rx);
            receivers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        complete(received, 3);
    }
}

/// Every value that is sent into a queue that drops its oldest is either received or counted as dropped.
#[test]
fn dropping_the_oldest_loses_what_it_counts() {
    let options = Options::new(4).full(Full::DropOldest);
    let (mut tx, mut rx) = spsc::with::<u64>(options).unwrap();
    let gauge = tx.gauge();
    let received = thread::scope(|scope| {
        scope.spawn(move || (0..VALUES).for_each(|n| tx.send_blocking(n).unwrap()));
        scope.spawn(move || receive_all!(rx, 1)).join().unwrap()
    });
    assert!(received.is_sorted(), "reordered");
    assert_eq!(
        received.last(),
        Some(&(VALUES - 1)),
        "the newest is never dropped"
    );
    let stats = gauge.stats();
    assert_eq!(stats.send.sent, VALUES);
    assert_eq!(received.len() as u64 + stats.send.dropped_oldest, VALUES);
}

/// Receivers that keep giving up must not swallow the wakes of one that stays.
#[test]
fn a_receiver_that_stays_is_woken_beside_those_that_give_up() {
    let (mut tx, rx) = mpmc::with::<u64>(Options::new(2).spin(0, 0)).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let fickle: Vec<_> = (0..2)
            .map(|_| {
                let (mut rx, over) = (rx.clone(), over.clone());
                scope.spawn(move || {
                    let mut received = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        received.extend(rx.recv_timeout(Duration::from_micros(20)).ok());
                    }
                    received
                })
            })
            .collect();
        let mut stays = rx.clone();
        let patient = scope.spawn(move || receive_all!(stays, 3));
        drop(rx);
        (0..VALUES / 3).for_each(|n| tx.send_timeout(n, LOST_WAKE).unwrap());
        drop(tx);
        let mut all = patient.join().unwrap();
        over.store(true, Ordering::Relaxed);
        all.extend(fickle.into_iter().flat_map(|it| it.join().unwrap()));
        all.sort_unstable();
        assert!(all.into_iter().eq(0..VALUES / 3), "lost or doubled");
    });
}
