//! What a call costs: round trips between sleeping and between busy shards, throughput with many in
//! flight, and how many wakes that takes. `cargo bench -p corelane`; give CPU numbers to pin to.
//!
//! Times on a shared machine say little by themselves; compare the rows of one run.

use std::time::{Duration, Instant};

use corelane::{Cx, LaunchOptions, Mesh, MeshStats, Outcome, Service, ShardId, launch, task, time};

/// Adds one: the smallest request there is.
struct Bump;

impl Service for Bump {
    type Request = u64;
    type Reply = u64;
    type Control = ();

    fn handle(&mut self, number: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
        Outcome::Ready(number + 1)
    }

    fn control(&mut self, _message: (), _from: ShardId) {}
}

/// One row of the table.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    spin_us: u32,
    /// Calls that each asking shard keeps in flight.
    in_flight: u64,
    /// Pause before each call, so that both sides fall asleep.
    pause: Duration,
    /// Whether shard 1 asks too.
    both: bool,
    run_for: Duration,
}

const CASES: [Case; 6] = [
    Case {
        name: "round trip, both asleep",
        spin_us: 0,
        in_flight: 1,
        pause: Duration::from_micros(200),
        both: false,
        run_for: Duration::from_secs(1),
    },
    Case {
        name: "round trip, no spin",
        spin_us: 0,
        in_flight: 1,
        pause: Duration::ZERO,
        both: false,
        run_for: Duration::from_secs(1),
    },
    Case {
        name: "round trip, spin 20 us",
        spin_us: 20,
        in_flight: 1,
        pause: Duration::ZERO,
        both: false,
        run_for: Duration::from_secs(1),
    },
    Case {
        name: "32 in flight, no spin",
        spin_us: 0,
        in_flight: 32,
        pause: Duration::ZERO,
        both: false,
        run_for: Duration::from_secs(1),
    },
    Case {
        name: "32 in flight, spin 20 us",
        spin_us: 20,
        in_flight: 32,
        pause: Duration::ZERO,
        both: false,
        run_for: Duration::from_secs(1),
    },
    Case {
        name: "32 in flight each way, spin 20 us",
        spin_us: 20,
        in_flight: 32,
        pause: Duration::ZERO,
        both: true,
        run_for: Duration::from_secs(1),
    },
];

fn main() {
    // Cargo hands `--bench` to the program; what is a number is a CPU.
    let cpus: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    println!(
        "{:<36}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "two shards", "calls/s", "p50 ns", "p99 ns", "CPU ns/call", "wakes/call", "calls/batch"
    );
    for case in CASES {
        let result = measure(case, &cpus);
        println!(
            "{:<36}{:>12.0}{:>12}{:>12}{:>12.0}{:>12.4}{:>12.1}",
            case.name,
            result.calls as f64 / result.elapsed.as_secs_f64(),
            result.percentile(50),
            result.percentile(99),
            result.cpu.as_nanos() as f64 / result.calls as f64,
            result.wakes as f64 / result.calls as f64,
            2.0 * result.calls as f64 / result.batches as f64,
        );
    }
}

/// What a case took.
#[derive(Default)]
struct Measured {
    calls: u64,
    batches: u64,
    wakes: u64,
    elapsed: Duration,
    cpu: Duration,
    /// Sampled round trips, ns, sorted.
    trips: Vec<u64>,
}

impl Measured {
    fn percentile(&self, percent: usize) -> u64 {
        let last = self.trips.len().saturating_sub(1);
        self.trips.get(last * percent / 100).copied().unwrap_or(0)
    }

    fn add(&mut self, stats: MeshStats, mut trips: Vec<u64>) {
        self.calls += stats.calls;
        self.batches += stats.batches;
        self.wakes += stats.wakes;
        self.trips.append(&mut trips);
    }
}

fn measure(case: Case, cpus: &[usize]) -> Measured {
    let mut options = match cpus {
        [a, b, ..] => LaunchOptions::pinned(&[*a, *b]),
        _ => LaunchOptions::unpinned(2),
    };
    options.spin_us = case.spin_us;
    let (report, reports) = std::sync::mpsc::channel();
    let (began, cpu_before) = (Instant::now(), process_cpu());
    let node = launch(
        &options,
        async |_| Ok(Bump),
        async move |mesh: Mesh<Bump>| {
            let asks = case.both || mesh.shard() == ShardId::new(0);
            let trips = if asks {
                ask(&mesh, case).await?
            } else {
                Vec::new()
            };
            // Batches of replies count on the shard that made them: wait for the other's calls.
            mesh.stop("measured");
            mesh.stopping().await;
            time::sleep(Duration::from_millis(20)).await;
            report
                .send((mesh.stats(), trips))
                .map_err(|e| e.to_string())
        },
    );
    node.expect("the node starts")
        .join()
        .expect("the node ends well");
    let mut measured = Measured {
        elapsed: began.elapsed(),
        cpu: process_cpu() - cpu_before,
        ..Measured::default()
    };
    reports
        .into_iter()
        .for_each(|(stats, trips)| measured.add(stats, trips));
    measured.trips.sort_unstable();
    measured
}

/// Keeps the case's calls in flight for its time; the sampled round trips in ns.
async fn ask(mesh: &Mesh<Bump>, case: Case) -> Result<Vec<u64>, String> {
    let to = ShardId::new(1 - mesh.shard().number());
    let end = Instant::now() + case.run_for;
    let workers: Vec<_> = (0..case.in_flight)
        .map(|_| {
            let mesh = mesh.clone();
            task::spawn(async move {
                let mut trips = Vec::with_capacity(1 << 16);
                for number in 0u64.. {
                    if !case.pause.is_zero() {
                        time::sleep(case.pause).await;
                    }
                    let asked = Instant::now();
                    if asked >= end {
                        break;
                    }
                    let answer = mesh.call(to, number).await.map_err(|e| e.to_string())?;
                    assert_eq!(answer, number + 1);
                    if number % 8 == 0 {
                        trips.push(asked.elapsed().as_nanos() as u64);
                    }
                }
                Ok::<_, String>(trips)
            })
        })
        .collect();
    let mut trips = Vec::new();
    for worker in workers {
        trips.append(&mut worker.await.map_err(|e| e.to_string())??);
    }
    Ok(trips)
}

/// CPU time of this process so far, to 10 ms: utime and stime of `/proc/self/stat`. Zero elsewhere.
fn process_cpu() -> Duration {
    /// What the kernel counts in, on every Linux that this runs on.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in parentheses, which may hold anything: fields 14 and 15 of the whole.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
