//! What is measured: how many threads of which side move how much, and how they are pinned and timed.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Values a bounded channel holds, for everybody.
pub(crate) const CAPACITY: usize = 1024;

/// Values of a batch, for those that know batches.
pub(crate) const BATCH: usize = 64;

/// What travels.
pub(crate) trait Payload: Sized + Send + Unpin + 'static {
    /// Its size for the table.
    const BYTES: usize = size_of::<Self>();
    fn of(n: u64) -> Self;
    fn n(&self) -> u64;
}

impl Payload for u64 {
    fn of(n: u64) -> Self {
        n
    }
    fn n(&self) -> u64 {
        *self
    }
}

impl Payload for [u64; 8] {
    fn of(n: u64) -> Self {
        [n; 8]
    }
    fn n(&self) -> u64 {
        self[7]
    }
}

/// One measurement's size.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) values: u64,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
}

impl Load {
    /// Values that each sender sends.
    pub(crate) fn each(self) -> u64 {
        self.values / self.senders as u64
    }
}

/// Runs all senders on the first core and all receivers on the second, and returns nanoseconds per
/// value between the moment when the first sender begins and the moment when the last receiver has
/// ended. A receiver returns the sum of what it got: all of it, once, or the measurement is void.
pub(crate) fn flow(
    load: Load,
    senders: Vec<impl FnOnce() + Send>,
    receivers: Vec<impl FnOnce() -> u64 + Send>,
) -> f64 {
    let ready = Barrier::new(senders.len() + receivers.len());
    let ready = &ready;
    let [first, second] = cores();
    let (nanos, sum) = thread::scope(|scope| {
        let senders: Vec<_> = senders
            .into_iter()
            .map(|sender| {
                scope.spawn(move || {
                    pin(first);
                    ready.wait();
                    let start = Instant::now();
                    sender();
                    start
                })
            })
            .collect();
        let receivers: Vec<_> = receivers
            .into_iter()
            .map(|receiver| {
                scope.spawn(move || {
                    pin(second);
                    ready.wait();
                    (receiver(), Instant::now())
                })
            })
            .collect();
        let starts = senders.into_iter().map(|it| it.join().expect("a sender"));
        let first = starts.min().expect("a sender");
        let ends = receivers
            .into_iter()
            .map(|it| it.join().expect("a receiver"));
        let (sums, ends): (Vec<_>, Vec<_>) = ends.unzip();
        let last = ends.into_iter().max().expect("a receiver");
        ((last - first).as_nanos() as f64, sums.iter().sum::<u64>())
    });
    let each = load.each();
    let expected = load.senders as u64 * (each * (each - 1) / 2);
    assert_eq!(sum, expected, "values were lost or doubled");
    nanos / load.values as f64
}

/// Runs `here` on the first core and `there` on the second; nanoseconds per hop, two of which make a
/// round.
pub(crate) fn rounds(rounds: u64, here: impl FnOnce() + Send, there: impl FnOnce() + Send) -> f64 {
    let ready = Barrier::new(2);
    let [first, second] = cores();
    let nanos = thread::scope(|scope| {
        scope.spawn(|| {
            pin(second);
            ready.wait();
            there();
        });
        let here = scope.spawn(|| {
            pin(first);
            ready.wait();
            let start = Instant::now();
            here();
            start.elapsed().as_nanos()
        });
        here.join().expect("the first thread")
    });
    nanos as f64 / (2 * rounds) as f64
}

/// The first two cores this process may run on; the same one twice where there is only one.
fn cores() -> [usize; 2] {
    let allowed = sched_getaffinity(None).expect("the cores this process may use");
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let first = cores.next().expect("at least one core");
    [first, cores.next().unwrap_or(first)]
}

fn pin(core: usize) {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).expect("a core this process may use");
}
