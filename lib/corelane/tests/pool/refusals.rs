//! Bad use is refused in words that say what to change.

use corelane::partitioner::{Custom, Hash, Ring};
use corelane::pool::{MAX_QUEUE, PoolConfig, PoolError, SendRefusal, To, WorkerPool};

use crate::ledger::{Ledger, Note};

fn refused(config: PoolConfig) -> String {
    let pool = WorkerPool::new(config, |_| Ledger::default());
    pool.map(drop).unwrap_err().to_string()
}

#[test]
fn impossible_pools_are_refused_in_words() {
    let of = PoolConfig::of;
    let rows = [
        (of(0), "a pool needs a worker, and 0 were asked for"),
        (
            PoolConfig { queue: 0, ..of(1) },
            "`queue` is 0: give 1 to 16384",
        ),
        (
            PoolConfig {
                queue: MAX_QUEUE + 1,
                ..of(1)
            },
            "`queue` is 16385: give 1 to 16384",
        ),
        (
            PoolConfig {
                max_workers: Some(1),
                ..of(2)
            },
            "`max_workers` is 1 and the pool starts with 2",
        ),
        (
            PoolConfig {
                cpus: Some(vec![0]),
                ..of(2)
            },
            "1 CPUs are named for 2 workers",
        ),
        (
            PoolConfig {
                cpus: Some(vec![9999]),
                ..of(1)
            },
            "shard 0 did not start: ",
        ),
        (of(257), "a node has 1 to 256 shards, not 257"),
    ];
    for (config, says) in rows {
        let error = refused(config);
        assert!(error.contains(says), "{error:?} does not say {says:?}");
    }
}

#[test]
fn a_partitioner_that_does_not_fit_is_refused_and_one_that_lies_is_noticed() {
    let ring = Ring::new(3).unwrap();
    let pool = WorkerPool::with_partitioner(PoolConfig::of(2), ring, |_| Ledger::default());
    let error = pool.map(drop).unwrap_err();
    assert!(matches!(error, PoolError::Partitioner(_)), "{error}");
    assert!(error.to_string().contains("pass `resized(2)`"), "{error}");

    let builder = WorkerPool::builder().workers(1).max_workers(2);
    let pool = builder
        .partitioner(Hash::new(1).unwrap())
        .spawn(|_| Ledger::default());
    assert!(matches!(pool.map(drop), Err(PoolError::PartitionerMoves)));

    let lies = Custom::new(1, |_: &[u8], _| 7).unwrap();
    let pool =
        WorkerPool::with_partitioner(PoolConfig::of(1), lies, |_| Ledger::default()).unwrap();
    let unsent = pool.try_send(To::Key(b"k"), Note::Fail).unwrap_err();
    let misplaced = SendRefusal::Misplaced {
        worker: 7,
        workers: 1,
    };
    assert_eq!((unsent.reason, unsent.message), (misplaced, Note::Fail));
    let unsent = pool.try_send(To::Worker(1), Note::Fail).unwrap_err();
    assert_eq!(unsent.to_string(), "there is no worker 1: they are 0 to 0");
    assert!(matches!(pool.resize(2).wait(), Err(PoolError::Fixed)));
    pool.stop_all().unwrap();
}
