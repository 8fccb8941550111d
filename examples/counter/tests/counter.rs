//! What the tour shows, held to it.

use std::sync::mpsc;
use std::thread;

use corelane::worker::{self, OnFailure, WorkerConfig, WorkerStatus};
use corelane_example_counter::{Count, Counter};

#[test]
fn what_many_threads_send_is_counted_once() {
    const THREADS: i64 = 4;
    const EACH: i64 = 2_000;
    let counter = Counter::default();
    let config = WorkerConfig {
        queue: 16,
        ..WorkerConfig::default()
    };
    let worker = worker::spawn(counter.clone(), config).expect("it starts");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    worker.send_blocking(Count::Add(1)).expect("it runs");
                }
            });
        }
    });
    let sum = worker.call_blocking(Count::Read).expect("it runs");
    assert_eq!(sum, THREADS * EACH);
    worker.stop().expect("it ends well");
    assert_eq!(counter.last_sum(), THREADS * EACH);
}

#[test]
fn a_full_mailbox_refuses_and_a_stop_handles_what_waits() {
    let counter = Counter::default();
    let config = WorkerConfig {
        queue: 8,
        ..WorkerConfig::default()
    };
    let worker = worker::spawn(counter.clone(), config).expect("it starts");
    worker.pause().wait().expect("it runs");
    let sent = (0..100)
        .take_while(|_| worker.try_send(Count::Add(1)).is_ok())
        .count();
    assert_eq!(sent, 8);
    assert!(worker.ping().wait().is_ok(), "a paused worker answers");
    worker.stop().expect("it ends well");
    assert_eq!(counter.last_sum(), 8);
    assert_eq!(worker.stats().status, WorkerStatus::Stopped);
    assert!(worker.try_send(Count::Add(1)).is_err(), "it has stopped");
}

#[test]
fn failures_and_panics_are_told_and_survived() {
    let (letters, told) = mpsc::channel();
    let config = WorkerConfig {
        on_failure: OnFailure::dead_letter(move |letter| letters.send(letter).expect("heard"))
            .keep_copies(),
        ..WorkerConfig::default()
    };
    let worker = worker::spawn(Counter::default(), config).expect("it starts");
    worker.send_blocking(Count::Add(1)).expect("it runs");
    assert!(worker.call_blocking(Count::Add(i64::MAX)).is_err());
    let letter = told.recv().expect("a letter");
    assert_eq!(
        (letter.message, letter.panicked),
        (Some(Count::Add(i64::MAX)), false)
    );

    assert!(worker.call_blocking(Count::Panic).is_err());
    let letter = told.recv().expect("a letter");
    assert_eq!(
        (letter.message, letter.panicked),
        (Some(Count::Panic), true)
    );
    assert_eq!(
        worker.call_blocking(Count::Read).expect("it runs"),
        0,
        "a new state"
    );
    let stats = worker.stats();
    assert_eq!(
        (stats.failed, stats.panics, stats.restarts),
        (2, 1, 1),
        "{stats:?}"
    );
    worker.stop().expect("it ends well");
}
