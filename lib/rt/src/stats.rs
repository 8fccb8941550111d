//! What one runtime counts about itself, in one list: names, meaning, and the snapshot that shows them.
//!
//! Only the runtime's own thread writes, so adding is a load and a store; they are atomics, on cache lines of
//! their own, so that any thread may read them at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $help:literal])+ $name:ident,)*) => {
        /// A snapshot of one runtime's counters, all since its start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats { $($(#[doc = $help])+ pub $name: u64,)* }

        impl Stats {
            /// What each counter says, in the order of [`named`](Self::named).
            pub const HELP: &'static [&'static str] = &[$(concat!($($help),+).trim_ascii()),*];

            /// The name of each counter in Prometheus, in the order of [`named`](Self::named).
            pub const METRIC_NAMES: &'static [&'static str] =
                &[$(concat!("corelane_runtime_", stringify!($name), "_total")),*];

            /// Every counter with its name, for whoever shows them all.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// Adds another runtime's counters.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }

        // 128: processors fetch cache lines in pairs.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64),* }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }
    };
}

counters!(
    /// Turns of the loop.
    turns,
    /// Task polls.
    tasks_run,
    /// Tasks started.
    spawned,
    /// Calls into the driver that enter the kernel.
    enters,
    /// Of these, the ones that were allowed to sleep.
    sleeps,
    /// Nanoseconds without anything to do: asleep, or spinning in vain.
    idle_ns,
    /// Rounds of spinning before sleep.
    spins,
    /// Of these, the ones that found work.
    spin_hits,
    /// Wakes that came from other threads.
    foreign_wakes,
    /// Task polls longer than the stall limit.
    stalls,
    /// Tasks that ended by a panic.
    panics,
    /// Receives that found the buffer pool empty and used a buffer of their own.
    pool_empty,
    /// Receives stopped for a while because nobody read what had arrived.
    recv_paused,
    /// Connections dropped with unsent bytes that were cut off after the linger time.
    linger_cut,
    /// Calls held back because too many waited for the blocking pool.
    blocking_full,
    /// Connections that left for another runtime.
    detached,
    /// Connections that came from another runtime.
    attached,
);

/// Reads one runtime's counters from any thread, while it runs and after its end.
#[derive(Clone, Debug)]
pub struct StatsReader(Arc<Counters>);

impl StatsReader {
    pub(crate) fn new(counters: &Arc<Counters>) -> Self {
        Self(counters.clone())
    }

    /// What has been counted so far. Each count is whole; they are not all of one instant.
    pub fn read(&self) -> Stats {
        self.0.snapshot()
    }
}

/// Adds one, for the counter's only writer.
pub(crate) fn bump(counter: &AtomicU64) {
    bump_by(counter, 1);
}

/// Adds `n`, for the counter's only writer.
pub(crate) fn bump_by(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed) + n, Ordering::Relaxed);
}
