//! What a pool costs: from send to handled, asleep and busy; messages per second by key, one by one and many at once;
//! idle; and how soon a panic is seen and over. `cargo bench -p corelane --bench pool`; give CPU numbers to pin the workers to.
//!
//! Times on a shared machine say little by themselves; compare the rows of one run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use corelane::pool::{PoolConfig, To, WorkerPool};
use corelane::supervision::Supervision;
use corelane::worker::{Envelope, Handled, Worker, WorkerCx};

/// Sums numbers, notes how long they were under way, and panics when asked to.
struct Bench {
    handled: Arc<AtomicU64>,
}

enum Message {
    Add(u64),
    Timed(Instant),
    Times,
    Panic,
}

#[derive(Default)]
struct State {
    sum: u64,
    times_ns: Vec<u64>,
}

impl Worker for Bench {
    type State = State;
    type Message = Message;
    type Reply = Vec<u64>;

    async fn init(&self, _cx: WorkerCx<Self>) -> Result<State, String> {
        Ok(State::default())
    }

    fn handle_message(&self, state: &mut State, message: Envelope<Message>) -> Handled<Self> {
        match message.into_inner() {
            Message::Add(number) => state.sum = state.sum.wrapping_add(number),
            Message::Timed(sent) => {
                state.times_ns.push(sent.elapsed().as_nanos() as u64);
                self.handled.fetch_add(1, Ordering::Release);
            }
            Message::Times => return Ok(std::mem::take(&mut state.times_ns)),
            Message::Panic => panic!("asked to"),
        }
        Ok(Vec::new())
    }
}

const IT: To<'static> = To::Worker(0);

fn main() {
    // Cargo hands `--bench` to the program; what is a number is a CPU.
    let cpus: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    // Panics are asked for here, and their backtraces are not what is measured.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        if !name.starts_with("shard-") {
            report(panic);
        }
    }));
    for round in 1..=3 {
        println!("round {round}");
        from_send_to_handled(&cpus, "asleep", 2_000, Duration::from_micros(300));
        from_send_to_handled(&cpus, "busy", 200_000, Duration::ZERO);
        for workers in [1, 2] {
            throughput(&cpus, workers, true);
            throughput(&cpus, workers, false);
        }
        idle(&cpus);
        panics(&cpus);
    }
}

fn pool(cpus: &[usize], workers: usize) -> (WorkerPool<Bench>, Arc<AtomicU64>) {
    let handled = Arc::<AtomicU64>::default();
    let counted = handled.clone();
    let config = PoolConfig {
        cpus: (cpus.len() >= workers).then(|| cpus[..workers].to_vec()),
        supervision: Supervision {
            max_restarts: 1000,
            ..Supervision::default()
        },
        ..PoolConfig::of(workers)
    };
    let pool = WorkerPool::new(config, move |_| Bench {
        handled: counted.clone(),
    });
    (pool.expect("the pool starts"), handled)
}

fn percentiles(mut times_ns: Vec<u64>) -> String {
    times_ns.sort_unstable();
    let at = |percent: usize| times_ns[(times_ns.len() - 1) * percent / 100] as f64 / 1000.0;
    format!("p50 {:.2} us, p99 {:.2} us", at(50), at(99))
}

fn from_send_to_handled(cpus: &[usize], name: &str, messages: u64, pause: Duration) {
    let (pool, handled) = pool(cpus, 1);
    for number in 0..messages {
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        pool.try_send(IT, Message::Timed(Instant::now()))
            .expect("there is room");
        while handled.load(Ordering::Acquire) <= number {
            std::hint::spin_loop();
        }
    }
    let times = pool.call_blocking(IT, Message::Times).expect("a reply");
    println!("  send to handled, {name}: {}", percentiles(times));
    pool.stop_all().expect("a good end");
}

fn throughput(cpus: &[usize], workers: usize, many: bool) {
    const MESSAGES: u64 = 10_000_000;
    let (pool, _) = pool(cpus, workers);
    let began = Instant::now();
    let message = |number: u64| (number.to_le_bytes(), Message::Add(number));
    if many {
        for batch in 0..MESSAGES / 10_000 {
            let numbers = batch * 10_000..(batch + 1) * 10_000;
            pool.send_many_blocking(numbers.map(message)).expect("sent");
        }
    } else {
        for (key, message) in (0..MESSAGES).map(message) {
            pool.send_blocking(To::Key(&key), message).expect("sent");
        }
    }
    let handle = pool.handle();
    pool.stop_all().expect("a good end");
    let elapsed = began.elapsed();
    assert_eq!(
        handle.stats().handled(),
        MESSAGES,
        "a stop handles every message"
    );
    println!(
        "  by key, {} sender, {workers} worker(s), {}: {:.2} M/s",
        1,
        if many { "many at once" } else { "one by one" },
        MESSAGES as f64 / elapsed.as_secs_f64() / 1e6
    );
}

fn idle(cpus: &[usize]) {
    let (pool, _) = pool(cpus, 2);
    std::thread::sleep(Duration::from_millis(100));
    let (began, before) = (Instant::now(), shards_cpu_ns());
    std::thread::sleep(Duration::from_secs(2));
    let share = (shards_cpu_ns() - before) as f64 / began.elapsed().as_nanos() as f64;
    println!("  two idle workers: {:.3}% of a CPU", share * 100.0);
    pool.stop_all().expect("a good end");
}

fn panics(cpus: &[usize]) {
    let (pool, _) = pool(cpus, 1);
    let (mut seen, mut over) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let began = Instant::now();
        pool.call_blocking(IT, Message::Panic)
            .expect_err("it panics");
        seen.push(began.elapsed().as_nanos() as u64);
        pool.call_blocking(IT, Message::Add(1)).expect("a reply");
        over.push(began.elapsed().as_nanos() as u64);
    }
    println!("  panic seen by its caller: {}", percentiles(seen));
    println!(
        "  panic to the next message handled, with backoff (5 in a row): {}",
        percentiles(over)
    );
    pool.stop_all().expect("a good end");
}

/// CPU time of all threads of this process that are called `shard-…`, as the scheduler counts it.
fn shards_cpu_ns() -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let of = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let ns: u64 = stat.split_whitespace().next()?.parse().ok()?;
        name.starts_with("shard-").then_some(ns)
    };
    tasks.flatten().filter_map(of).sum()
}
