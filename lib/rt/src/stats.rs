//! What one runtime counts about itself. Plain cells: only its own thread writes and reads them.

use std::cell::Cell;

/// A snapshot of one runtime's counters, all since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Turns of the loop.
    pub turns: u64,
    /// Task polls.
    pub tasks_run: u64,
    /// Tasks started.
    pub spawned: u64,
    /// Calls into the driver that enter the kernel.
    pub enters: u64,
    /// Of these, the ones that were allowed to sleep.
    pub sleeps: u64,
    /// Rounds of spinning before sleep.
    pub spins: u64,
    /// Of these, the ones that found work.
    pub spin_hits: u64,
    /// Wakes that came from other threads.
    pub foreign_wakes: u64,
    /// Task polls longer than the stall limit.
    pub stalls: u64,
    /// Tasks that ended by a panic.
    pub panics: u64,
    /// Receives that found the buffer pool empty and used a buffer of their own.
    pub pool_empty: u64,
    /// Receives stopped for a while because nobody read what had arrived.
    pub recv_paused: u64,
    /// Connections dropped with unsent bytes that were cut off after the linger time.
    pub linger_cut: u64,
    /// Calls held back because too many waited for the blocking pool.
    pub blocking_full: u64,
    /// Connections that left for another runtime.
    pub detached: u64,
    /// Connections that came from another runtime.
    pub attached: u64,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        impl Stats {
            /// Every counter with its name, for whoever shows them all.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// Adds another runtime's counters.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }

        #[derive(Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Cell<u64>),* }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.get()),* }
            }
        }
    };
}

counters!(
    turns,
    tasks_run,
    spawned,
    enters,
    sleeps,
    spins,
    spin_hits,
    foreign_wakes,
    stalls,
    panics,
    pool_empty,
    recv_paused,
    linger_cut,
    blocking_full,
    detached,
    attached,
);

/// Adds one.
pub(crate) fn bump(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}
