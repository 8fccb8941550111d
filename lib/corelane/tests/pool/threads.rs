//! On threads: nothing is lost by a stop, a pause or a panic; idle workers cost nothing; who is full says so.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use corelane::pool::{CallFault, Fault, PoolConfig, Profile, SendRefusal, To, WorkerPool};
use corelane::worker::{self, DeadLetter, OnFailure, WorkerConfig, WorkerStatus};

use crate::ledger::{Latch, Ledger, Note, eager};

/// Far above what any test here takes: reaching it means that somebody waits for ever.
const HANGS: Duration = Duration::from_secs(60);

fn pool(ledger: &Ledger, config: PoolConfig) -> WorkerPool<Ledger> {
    let ledger = ledger.clone();
    WorkerPool::new(config, move |_| ledger.clone()).unwrap()
}

/// Two workers that the system places.
fn two() -> PoolConfig {
    PoolConfig {
        profile: Profile::Development,
        supervision: eager(),
        ..PoolConfig::of(2)
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < HANGS, "{what}: never");
        thread::yield_now();
    }
}

#[test]
fn a_stop_handles_every_queued_message() {
    let ledger = Ledger::default();
    let pool = pool(&ledger, two());
    pool.pause(0).wait().unwrap();
    pool.pause(1).wait().unwrap();
    for number in 0..1000 {
        let key = number % 10;
        let note = Note::Write(key, number);
        pool.send_blocking(To::Key(&key.to_be_bytes()), note)
            .unwrap();
    }
    assert_eq!(pool.stats().handled(), 0, "they are paused");
    assert_eq!(pool.worker_stats(0).unwrap().status, WorkerStatus::Paused);
    let handle = pool.handle();
    pool.stop_all().unwrap();
    let written = ledger.written();
    for (key, numbers) in &written {
        let sent: Vec<u64> = (0..1000).filter(|n| n % 10 == *key).collect();
        assert_eq!(numbers, &sent, "key {key}");
    }
    assert_eq!((written.len(), ledger.shutdowns()), (10, 2));
    let stats = handle.stats();
    assert_eq!((stats.handled(), stats.waiting()), (1000, 0));
    assert_eq!(stats.workers[0].status, WorkerStatus::Stopped);
    let refused = handle.try_send(To::Worker(0), Note::Fail).unwrap_err();
    assert_eq!(refused.reason, SendRefusal::Stopped);
    assert!(!handle.is_running());
}

#[test]
fn many_threads_send_in_order_and_in_batches() {
    const SENDERS: u64 = 4;
    const EACH: u64 = 20_000;
    let ledger = Ledger::default();
    let pool = pool(
        &ledger,
        PoolConfig {
            queue: 500,
            ..two()
        },
    );
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let handle = pool.handle();
            scope.spawn(move || {
                // Keys of its own, some sent by ones between the batches.
                let key = |number: u64| (sender * 10 + number % 7).to_be_bytes();
                for batch in 0..EACH / 100 {
                    let numbers = batch * 100..batch * 100 + 99;
                    let note = |n| (key(n), Note::Write(sender * 10 + n % 7, n));
                    handle.send_many_blocking(numbers.map(note)).unwrap();
                    let (key, note) = note(batch * 100 + 99);
                    handle.send_blocking(To::Key(&key), note).unwrap();
                }
            });
        }
    });
    let handle = pool.handle();
    pool.stop_all().unwrap();
    assert_eq!(handle.stats().handled(), SENDERS * EACH);
    for (key, numbers) in ledger.written() {
        assert!(numbers.is_sorted(), "key {key} is out of order");
    }
}

#[test]
fn a_panicked_worker_is_seen_and_restarts_and_loses_nothing_else() {
    let ledger = Ledger::default();
    let pool = pool(&ledger, two());
    pool.pause(0).wait().unwrap();
    for number in 0..100 {
        pool.try_send(To::Worker(0), Note::Write(1, number))
            .unwrap();
        if number % 10 == 5 {
            pool.try_send(To::Worker(0), Note::PanicUntil(9)).unwrap();
        }
    }
    pool.resume(0).wait().unwrap();
    let fault = pool
        .call_blocking(To::Worker(0), Note::PanicUntil(9))
        .unwrap_err();
    let CallFault::Fault(Fault::Panicked(reason)) = fault else {
        panic!("{fault:?}");
    };
    assert!(reason.contains("asked to, 0"), "{reason}");
    assert_eq!(
        pool.call_blocking(To::Worker(0), Note::Write(1, 100)),
        Ok(100)
    );
    // A reply leaves before its message is counted.
    until("all is counted", || pool.stats().handled() == 101);
    let stats = pool.worker_stats(0).unwrap();
    assert_eq!(
        (stats.panics, stats.restarts, stats.dropped, stats.handled),
        (11, 11, 11, 101)
    );
    assert_eq!(stats.status, WorkerStatus::Running);
    let handle = pool.handle();
    pool.stop_all().unwrap();
    assert_eq!(handle.stats().waiting(), 0);
    assert!(ledger.written()[&1].iter().copied().eq(0..=100));
}

#[test]
fn a_worker_that_panics_too_often_ends_the_pool_in_words() {
    let ledger = Ledger::default();
    let mut config = two();
    config.supervision.max_restarts = 2;
    let pool = pool(&ledger, config);
    for _ in 0..3 {
        let fault = pool.call_blocking(To::Worker(1), Note::PanicUntil(9));
        assert!(fault.is_err());
    }
    until("the pool ends", || !pool.is_running());
    until("its workers have left", || {
        pool.worker_stats(1).unwrap().status == WorkerStatus::Stopped
    });
    let refused = pool.send_blocking(To::Worker(0), Note::Fail).unwrap_err();
    assert_eq!(refused.reason, SendRefusal::Stopped);
    let error = pool.stop_all().unwrap_err().to_string();
    assert!(error.contains("asked to"), "{error}");
    assert!(error.contains("the 2 restarts within"), "{error}");
}

#[test]
fn what_fails_is_retried_or_reaches_the_dead_letters() {
    let letters: Arc<Mutex<Vec<DeadLetter<Note>>>> = Arc::default();
    let kept = letters.clone();
    let on_failure = OnFailure::retry(3).then_dead_letter(move |l| kept.lock().unwrap().push(l));
    let config = WorkerConfig {
        supervision: eager(),
        on_failure,
        ..WorkerConfig::default()
    };
    let worker = worker::spawn(Ledger::default(), config).unwrap();
    assert_eq!(
        worker.call_blocking(Note::PanicUntil(2)),
        Ok(2),
        "third time lucky"
    );
    assert!(worker.call_blocking(Note::PanicUntil(9)).is_err());
    assert!(worker.call_blocking(Note::Fail).is_err());
    worker.stop().unwrap();
    let stats = worker.stats();
    assert_eq!(
        (stats.failed, stats.retried, stats.dead_letters),
        (10, 8, 2)
    );
    let letters = letters.lock().unwrap();
    let seen: Vec<_> = letters
        .iter()
        .map(|l| (l.message.clone(), l.attempts, l.panicked))
        .collect();
    let (panicked, failed) = (Note::PanicUntil(9), Note::Fail);
    assert_eq!(seen, [(Some(panicked), 4, true), (Some(failed), 4, false)]);
}

#[test]
fn full_mailboxes_refuse_time_out_and_let_wait() {
    let ledger = Ledger::default();
    let config = WorkerConfig {
        queue: 3,
        ..WorkerConfig::default()
    };
    let worker = worker::spawn(ledger.clone(), config).unwrap();
    worker.pause().wait().unwrap();
    for number in 0..3 {
        worker.try_send(Note::Write(0, number)).unwrap();
    }
    let refused = worker.try_send(Note::Write(0, 9)).unwrap_err();
    assert_eq!(
        (refused.reason, refused.message),
        (SendRefusal::Full, Note::Write(0, 9))
    );
    let limit = Duration::from_millis(5);
    let late = worker.send_timeout(Note::Write(0, 9), limit).unwrap_err();
    assert_eq!(late.reason, SendRefusal::TimedOut);
    thread::scope(|scope| {
        let sender = scope.spawn(|| worker.send_blocking(Note::Write(0, 3)));
        until("somebody waits", || worker.stats().refused >= 3);
        worker.resume().wait().unwrap();
        sender.join().unwrap().unwrap();
    });
    worker.stop().unwrap();
    assert_eq!(ledger.written()[&0], [0, 1, 2, 3]);
}

#[test]
fn a_ping_has_a_pong_also_from_a_paused_worker_and_tells_of_a_busy_one() {
    let worker = worker::spawn(Ledger::default(), WorkerConfig::default()).unwrap();
    worker.pause().wait().unwrap();
    assert!(worker.ping().wait().unwrap() < HANGS);
    worker.resume().wait().unwrap();
    let latch = Latch::default();
    let guard = latch.0.lock.lock().unwrap();
    worker.try_send(Note::Hold(latch.clone())).unwrap();
    until("it is held", || latch.0.held.load(Ordering::Acquire));
    let (ping, began) = (worker.ping(), Instant::now());
    thread::sleep(Duration::from_millis(5));
    let busy = began.elapsed();
    drop(guard);
    assert!(ping.wait().unwrap() >= busy, "the pong tells of the wait");
    worker.stop().unwrap();
    assert_eq!(worker.ping().wait(), Err(SendRefusal::Stopped));
}

#[test]
fn workers_message_each_other_also_while_their_pool_stops() {
    let ledger = Ledger::default();
    let pool = pool(&ledger, two());
    let passes = 500;
    pool.try_send(To::Worker(0), Note::PassOn(1, passes))
        .unwrap();
    let handle = pool.handle();
    pool.stop_all().unwrap();
    assert_eq!(handle.stats().handled(), passes + 1);
    assert_eq!(ledger.written().len(), 1, "the last one has arrived");
}

#[test]
fn everybody_is_reached() {
    let ledger = Ledger::default();
    let pool = pool(&ledger, two());
    let replies = pool.call_all_blocking(|worker| Note::Write(7, worker as u64));
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, [0, 1]);
    pool.stop_all().unwrap();
}
