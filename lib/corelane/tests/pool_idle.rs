//! What an idle pool costs. A binary of its own, because it counts the CPU time of all shards in the process.

use std::time::{Duration, Instant};

use corelane::pool::{PoolConfig, WorkerPool};
use corelane::worker::{Envelope, Handled, Worker, WorkerCx};

struct Echo;

impl Worker for Echo {
    type State = ();
    type Message = u64;
    type Reply = u64;

    async fn init(&self, _cx: WorkerCx<Self>) -> Result<(), String> {
        Ok(())
    }

    fn handle_message(&self, (): &mut (), message: Envelope<u64>) -> Handled<Self> {
        Ok(message.into_inner())
    }
}

/// The workers have just been busy, and spun; then nobody asks them anything.
#[test]
fn idle_workers_cost_nothing() {
    let pool = WorkerPool::new(PoolConfig::of(2), |_| Echo).unwrap();
    let replies = pool.call_all_blocking(|worker| worker as u64);
    assert_eq!(replies, [Ok(0), Ok(1)]);
    std::thread::sleep(Duration::from_millis(10));
    let (began, before) = (Instant::now(), shards_cpu_ns());
    std::thread::sleep(Duration::from_millis(700));
    let share = (shards_cpu_ns() - before) as f64 / began.elapsed().as_nanos() as f64;
    assert!(
        share < 0.005,
        "two idle workers take {:.2}% of a CPU",
        share * 100.0
    );
    pool.stop_all().unwrap();
}

/// CPU time of all threads of this process that are called `shard-…`, as the scheduler counts it.
fn shards_cpu_ns() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let ns: u64 = stat.split_whitespace().next()?.parse().ok()?;
        name.starts_with("shard-").then_some(ns)
    };
    tasks.flatten().filter_map(of).sum()
}
