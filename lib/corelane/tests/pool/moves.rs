//! Pools that grow and shrink while messages come: none is lost, handled twice or overtaken, and state goes along.

use std::thread;

use corelane::pool::{PoolError, Profile, To, WorkerPool};

use crate::ledger::{Ledger, Note, eager};

#[test]
fn nothing_is_lost_or_overtaken_by_a_resize_under_load() {
    const KEYS: u64 = 100;
    const EACH: u64 = 200;
    let ledger = Ledger::default();
    let made = ledger.clone();
    let builder = WorkerPool::builder().workers(1).max_workers(3);
    let builder = builder.profile(Profile::Development).supervision(eager());
    let pool = builder.queue(1000).spawn(move |_| made.clone()).unwrap();
    thread::scope(|scope| {
        for sender in 0..2 {
            let handle = pool.handle();
            scope.spawn(move || {
                for number in 0..EACH {
                    for key in (0..KEYS).filter(|key| key % 2 == sender) {
                        let note = Note::Write(key, number);
                        handle
                            .send_blocking(To::Key(&key.to_be_bytes()), note)
                            .unwrap();
                    }
                    let some = (0..KEYS).filter(|key| key % 2 == sender).take(5);
                    let note = |key: u64| (key.to_be_bytes(), Note::Write(key, number));
                    handle.send_many_blocking(some.map(note)).unwrap();
                }
            });
        }
        for workers in [3, 1, 2, 3, 1, 2] {
            let resized = pool.resize(workers).wait().unwrap();
            assert_eq!(resized.shards, workers);
        }
        assert_eq!(pool.workers(), 2);
    });
    assert!(matches!(pool.resize(4).wait(), Err(PoolError::Resize(_))));
    let handle = pool.handle();
    pool.stop_all().unwrap();
    let written = ledger.written();
    assert_eq!(written.len() as u64, KEYS);
    for (key, numbers) in written {
        assert!(numbers.is_sorted(), "key {key}: {numbers:?}");
        let mut numbers = numbers;
        numbers.dedup();
        assert!(numbers.into_iter().eq(0..EACH), "key {key} lost something");
    }
    assert_eq!(handle.stats().handled(), KEYS * EACH + 2 * 5 * EACH);
    assert_eq!(handle.stats().waiting(), 0);
}
