//! Partitions that move and a node that grows and shrinks on real threads, while shards and threads outside ask
//! without a pause: each request is handled once and in its caller's order, whoever owns its partition.
//!
//! `CORELANE_SOAK_SECONDS=60 cargo test --release -p corelane --test moving_soak -- --nocapture` goes on for longer
//! and tells how long calls take while partitions move, and while none does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corelane::{
    CallError, Cx, Handle, Handoff, LaunchOptions, Mesh, Outcome, PARTITIONS, Service, ShardId,
    Target, launch, task,
};
use hdrhistogram::Histogram;

/// Shards that there is room for.
const ROOM: usize = 4;

/// Keys of each caller: one in every sixteenth partition, so that each move of these meets calls.
const KEYS: usize = 16;

/// Callers on each shard, by number, and outside after them.
const CALLERS_OUTSIDE: u64 = 2;

/// The next number that each caller's request for a key must carry, by partition.
#[derive(Default)]
struct Sequences(BTreeMap<usize, BTreeMap<u64, u64>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ask {
    caller: u64,
    number: u64,
}

impl Service for Sequences {
    type Request = Ask;
    type Reply = u64;
    type Control = ();

    fn handle(&mut self, ask: Ask, cx: &Cx<'_, Self>) -> Outcome<Self> {
        let partition = cx.partition().expect("all requests are for a partition");
        let callers = self.0.entry(partition).or_default();
        let next = callers.entry(ask.caller).or_default();
        assert_eq!(ask.number, *next, "partition {partition}, {ask:?}");
        *next += 1;
        Outcome::Ready(*next)
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

impl Handoff for Sequences {
    type Parcel = BTreeMap<u64, u64>;

    fn hand_over(&mut self, partition: usize) -> Self::Parcel {
        self.0.remove(&partition).unwrap_or_default()
    }

    fn import(&mut self, partition: usize, parcel: Self::Parcel) {
        let before = self.0.insert(partition, parcel);
        assert!(before.is_none(), "partition {partition} was here already");
    }
}

fn partition(key: usize) -> usize {
    key * (PARTITIONS / KEYS) + 5
}

/// What the callers outside have measured, quiet and while partitions move.
struct Latencies {
    quiet: Histogram<u64>,
    moving: Histogram<u64>,
}

/// Asks for all keys at once, again and again, and measures.
fn ask_from_outside(
    handle: &Handle<Sequences>,
    caller: u64,
    end: &AtomicBool,
    moving: &AtomicBool,
) -> Latencies {
    let histogram = || Histogram::new(3).expect("three digits");
    let mut latencies = Latencies {
        quiet: histogram(),
        moving: histogram(),
    };
    for number in 0.. {
        if end.load(Ordering::Relaxed) {
            break;
        }
        let is_moving = moving.load(Ordering::Relaxed);
        let began = Instant::now();
        let asks = (0..KEYS).map(|key| (Target::Partition(partition(key)), Ask { caller, number }));
        for answer in handle.call_many(asks).wait() {
            assert_eq!(answer, Ok(number + 1));
        }
        let taken_us = began.elapsed().as_micros() as u64;
        let recorded = match is_moving || moving.load(Ordering::Relaxed) {
            true => latencies.moving.record(taken_us),
            false => latencies.quiet.record(taken_us),
        };
        recorded.expect("the histogram grows");
    }
    latencies
}

/// Asks from a shard until it is to stop. Each life is a caller of its own.
async fn ask_from_shard(mesh: Mesh<Sequences>, caller: u64) -> Result<(), String> {
    for number in 0.. {
        if mesh.is_stopping() {
            break;
        }
        let asks = (0..KEYS).map(|key| (Target::Partition(partition(key)), Ask { caller, number }));
        for answer in mesh.call_many(asks).await {
            let answer = answer.map_err(CallError::without_request);
            if answer != Ok(number + 1) {
                return Err(format!("caller {caller}, number {number}: {answer:?}"));
            }
        }
        task::yield_now().await;
    }
    Ok(())
}

#[test]
fn nothing_is_lost_or_reordered_while_all_moves() {
    let seconds = std::env::var("CORELANE_SOAK_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(2));
    let lives = Arc::new(AtomicU64::new(CALLERS_OUTSIDE));
    let mut options = LaunchOptions::unpinned(ROOM);
    options.active = Some(1);
    options.spin_us = 0;
    let init = async |_| Ok(Sequences::default());
    let main = async move |mesh: Mesh<Sequences>| {
        let caller = lives.fetch_add(1, Ordering::Relaxed);
        ask_from_shard(mesh, caller).await
    };
    let node = launch(&options, init, main).expect("the node starts");
    let handle = node.handle();
    let (end, moving) = (AtomicBool::new(false), AtomicBool::new(false));
    let (changes, latencies) = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS_OUTSIDE)
            .map(|caller| {
                let (handle, end, moving) = (handle.clone(), &end, &moving);
                scope.spawn(move || ask_from_outside(&handle, caller, end, moving))
            })
            .collect();
        let changes = change(&handle, &moving, until);
        end.store(true, Ordering::Relaxed);
        let latencies: Vec<_> = callers
            .into_iter()
            .map(|c| c.join().expect("it is well"))
            .collect();
        (changes, latencies)
    });
    assert!(changes.resizes >= 3, "{changes:?}");
    node.stop();
    assert_eq!(node.join(), Ok(()));
    let mut all = latencies.into_iter();
    let mut sum = all.next().expect("there are callers");
    for more in all {
        sum.quiet.add(more.quiet).expect("same digits");
        sum.moving.add(more.moving).expect("same digits");
    }
    eprintln!("{changes:?}");
    for (name, histogram) in [("quiet", &sum.quiet), ("moving", &sum.moving)] {
        let at = |quantile| histogram.value_at_quantile(quantile);
        let (calls, most) = (histogram.len(), histogram.max());
        eprintln!(
            "{name}: {calls} batches of {KEYS} calls, p50 {} us, p99 {} us, longest {most} us",
            at(0.5),
            at(0.99)
        );
    }
}

#[derive(Debug, Default)]
struct Changes {
    resizes: u64,
    /// Partitions that these moved, and how long that took.
    moved_by_resizes: u64,
    resizing_us: u64,
    /// Partitions moved one by one.
    moved: u64,
    moving_us: u64,
}

/// Grows, shrinks and moves, with pauses in which nothing does.
fn change(handle: &Handle<Sequences>, moving: &AtomicBool, until: Instant) -> Changes {
    let mut changes = Changes::default();
    for round in 0.. {
        for shards in [2, 4, 1] {
            thread::sleep(Duration::from_millis(20));
            moving.store(true, Ordering::Relaxed);
            let began = Instant::now();
            let resized = wait(handle.resize(shards)).expect("nobody else resizes");
            changes.resizing_us += began.elapsed().as_micros() as u64;
            changes.moved_by_resizes += resized.moved as u64;
            changes.resizes += 1;
            for key in 0..KEYS {
                let to = ShardId::new(((round + key) % shards) as u16);
                let began = Instant::now();
                wait(handle.move_partition(partition(key), to)).expect("nobody else moves");
                changes.moving_us += began.elapsed().as_micros() as u64;
                changes.moved += 1;
            }
            moving.store(false, Ordering::Relaxed);
        }
        if Instant::now() > until {
            break;
        }
    }
    changes
}

/// Waits on this thread, which is no shard.
fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}
