//! What each profile chooses: one block per profile, every choice with its reason.
//!
//! These are wishes. The machine bounds them (`placement`, `decide`), and what was asked for by
//! itself goes before them.

use crate::plan::profile::Profile;
use crate::plan::request::{IoRequest, Layout};

impl Profile {
    /// What it is for, as a clause.
    #[must_use]
    pub fn about(self) -> &'static str {
        choices(self).about
    }

    /// Messages that one lane between two of `shards` shards holds.
    #[must_use]
    pub fn lane_capacity(self, shards: usize) -> usize {
        choices(self).lanes.value.capacity(shards)
    }
}

/// One profile's choices.
pub(super) struct Choices {
    pub(super) about: &'static str,
    pub(super) shards: Choice<Wish>,
    /// Whether each shard gets a CPU of its own.
    pub(super) pin: Choice<bool>,
    pub(super) layout: Choice<Layout>,
    /// The share of usable memory that data may take.
    pub(super) memory_percent: Choice<u64>,
    pub(super) io: Choice<IoRequest>,
    pub(super) spin_us: Choice<u32>,
    pub(super) stall_ms: Choice<Option<u64>>,
    pub(super) lanes: Choice<Lanes>,
    /// How far the threads give way to other programs: 0 not at all, 19 wholly.
    pub(super) nice: Choice<i8>,
    pub(super) seed: Choice<Option<u64>>,
}

/// A wish and why.
pub(super) struct Choice<T> {
    pub(super) value: T,
    pub(super) why: &'static str,
}

/// How many shards are wished for.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    /// One for every CPU.
    Cpus,
    /// One for every physical core.
    Cores,
    /// So many, or as many as there are CPUs.
    AtMost(usize),
    /// So many, whatever the machine.
    Exactly(usize),
}

/// How deep the lanes between two shards are.
pub(super) struct Lanes {
    /// Messages that all lanes into one shard may hold together. It bounds the memory of a node of many
    /// shards: their pairs grow as the square.
    room: usize,
    /// The least and the most of one lane.
    least: usize,
    most: usize,
}

impl Lanes {
    /// Messages of one lane among `shards` shards.
    pub(super) fn capacity(&self, shards: usize) -> usize {
        let peers = shards.saturating_sub(1).max(1);
        (self.room / peers).clamp(self.least, self.most)
    }
}

/// The block of `profile`.
pub(super) fn choices(profile: Profile) -> &'static Choices {
    match profile {
        Profile::Production => &PRODUCTION,
        Profile::Development => &DEVELOPMENT,
        Profile::Testing => &TESTING,
        Profile::LowLatency => &LOW_LATENCY,
        Profile::Throughput => &THROUGHPUT,
        Profile::Minimal => &MINIMAL,
    }
}

const fn choice<T>(value: T, why: &'static str) -> Choice<T> {
    Choice { value, why }
}

const UNIFIED: Choice<Layout> = choice(
    Layout::Unified,
    "every shard serves connections and data, so what a connection asks of its own shard takes no hop",
);

const ANY_IO: Choice<IoRequest> = choice(IoRequest::Auto, "");

/// About what it costs to wake a sleeping core of a virtual machine.
const SPIN: Choice<u32> = choice(
    20,
    "while a reply is awaited; waking a sleeping CPU takes as long",
);

const NO_SEED: Choice<Option<u64>> = choice(None, "random numbers begin anew with every start");

const PRODUCTION: Choices = Choices {
    about: "a machine or container of its own",
    shards: choice(Wish::Cpus, ""),
    pin: choice(true, "each shard has a CPU of its own"),
    layout: UNIFIED,
    memory_percent: choice(80, "the rest is for buffers, page cache and the allocator"),
    io: ANY_IO,
    spin_us: SPIN,
    stall_ms: choice(
        Some(20),
        "a task that holds its shard for longer makes everybody else wait",
    ),
    lanes: choice(
        Lanes {
            room: 16_384,
            least: 64,
            most: 1024,
        },
        "deep enough for bursts; beyond it calls wait in line",
    ),
    nice: choice(0, "as any other program"),
    seed: NO_SEED,
};

const DEVELOPMENT: Choices = Choices {
    about: "a developer's machine, where other programs matter more",
    shards: choice(
        Wish::AtMost(2),
        "two shards are the fewest that talk to each other",
    ),
    pin: choice(false, "editor and compiler run on the same CPUs"),
    layout: UNIFIED,
    memory_percent: choice(25, "the rest belongs to other programs"),
    io: ANY_IO,
    spin_us: choice(0, "an idle node leaves the CPUs to other programs"),
    stall_ms: choice(
        Some(100),
        "builds without optimisation run many times slower",
    ),
    lanes: choice(
        Lanes {
            room: 1024,
            least: 64,
            most: 256,
        },
        "a caller without a bound is noticed before it is deployed",
    ),
    nice: choice(5, "gives way to what the developer works with"),
    seed: NO_SEED,
};

const TESTING: Choices = Choices {
    about: "the same node wherever the tests run",
    shards: choice(
        Wish::Exactly(4),
        "tests meet the same shards on every machine, and more than one peer of each",
    ),
    pin: choice(false, "tests share the CPUs with other tests"),
    layout: UNIFIED,
    memory_percent: choice(10, "several tests run at once"),
    io: choice(
        IoRequest::Polling,
        "works in every container, and so the same on every machine",
    ),
    spin_us: choice(0, "a spinning shard would take its CPU from another test"),
    stall_ms: choice(
        None,
        "on a machine full of tests every thread stands still now and then",
    ),
    lanes: choice(
        Lanes {
            room: 64,
            least: 4,
            most: 16,
        },
        "full lanes are met in small tests, too",
    ),
    nice: choice(0, "as any other program"),
    seed: choice(Some(1), "every run draws the same random numbers"),
};

const LOW_LATENCY: Choices = Choices {
    about: "answers in microseconds, at the price of CPU time",
    shards: choice(
        Wish::Cores,
        "a second hardware thread on a core would slow the first",
    ),
    pin: choice(
        true,
        "a thread that moves to another CPU leaves its caches behind",
    ),
    layout: UNIFIED,
    memory_percent: choice(
        70,
        "so much is kept free that nobody waits for the kernel to reclaim memory",
    ),
    io: ANY_IO,
    spin_us: choice(
        200,
        "a shard that waits answers at once instead of being woken; it costs CPU time",
    ),
    stall_ms: choice(Some(5), "what is short elsewhere is long here"),
    lanes: choice(
        Lanes {
            room: 4096,
            least: 32,
            most: 128,
        },
        "who would wait behind a long queue is better told so at once",
    ),
    nice: choice(0, "as any other program"),
    seed: NO_SEED,
};

const THROUGHPUT: Choices = Choices {
    about: "as many requests as the machine can do",
    shards: choice(Wish::Cpus, ""),
    pin: choice(true, "each shard has a CPU of its own"),
    layout: UNIFIED,
    memory_percent: choice(80, "the rest is for buffers, page cache and the allocator"),
    io: ANY_IO,
    spin_us: SPIN,
    stall_ms: choice(Some(50), "long batches are what is wanted"),
    lanes: choice(
        Lanes {
            room: 32_768,
            least: 128,
            most: 4096,
        },
        "long queues make long batches, whose cost is shared",
    ),
    nice: choice(0, "as any other program"),
    seed: NO_SEED,
};

const MINIMAL: Choices = Choices {
    about: "the least a node can be, beside something more important",
    shards: choice(Wish::AtMost(1), "one is the least there can be"),
    pin: choice(false, "a thread that gives way runs where there is room"),
    layout: UNIFIED,
    memory_percent: choice(10, "the rest belongs to other programs"),
    io: ANY_IO,
    spin_us: choice(0, "an idle node costs nothing"),
    stall_ms: choice(
        Some(100),
        "a thread that gives way stands still while others run",
    ),
    lanes: choice(
        Lanes {
            room: 256,
            least: 16,
            most: 64,
        },
        "little memory, and little to send",
    ),
    nice: choice(10, "gives way to everything else"),
    seed: NO_SEED,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// What holds for every block, so that a new one cannot be nonsense.
    #[test]
    fn every_block_is_sound() {
        for profile in Profile::ALL {
            let block = choices(profile);
            let lanes = &block.lanes.value;
            assert!((1..=80).contains(&block.memory_percent.value), "{profile}");
            assert!((0..=19).contains(&block.nice.value), "{profile}");
            assert!(
                block.pin.value || block.spin_us.value == 0,
                "{profile} spins on a shared CPU"
            );
            assert!(lanes.least >= 1 && lanes.least <= lanes.most, "{profile}");
            assert!(!block.about.is_empty(), "{profile}");
        }
    }

    #[test]
    fn lanes_are_deep_for_few_shards_and_bounded_for_many() {
        for (profile, shards, capacity) in [
            (Profile::Production, 1, 1024),
            (Profile::Production, 17, 1024),
            (Profile::Production, 33, 512),
            (Profile::Production, 256, 64),
            (Profile::Testing, 4, 16),
            (Profile::Testing, 256, 4),
            (Profile::LowLatency, 2, 128),
            (Profile::Throughput, 2, 4096),
            (Profile::Throughput, 256, 128),
        ] {
            assert_eq!(
                profile.lane_capacity(shards),
                capacity,
                "{profile}, {shards} shards"
            );
        }
    }
}
