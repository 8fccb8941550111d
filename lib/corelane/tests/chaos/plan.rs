//! What one seed makes of a run: how large the node is, how tight and how slow, who asks what, and how it ends.

use corelane::partition_of;
use corelane::sim::WorldOptions;

/// How the service hands its partitions over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Whole: what it has is `Send`.
    Whole,
    /// In slices while it serves, and what changed meanwhile at the end.
    Sliced,
}

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All have asked all they wanted, and all was answered.
    Quiet,
    /// A stop is asked while they ask.
    Stop { after_us: u64 },
    /// A shard gives up, and the node with it.
    Fail { after_us: u64 },
    /// A handler panics.
    Panic { after_us: u64 },
}

impl Ending {
    /// Whether every request that was taken must be answered.
    pub fn is_peaceful(self) -> bool {
        matches!(self, Self::Quiet | Self::Stop { .. })
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// Shards, with those that sleep.
    pub room: usize,
    pub active: usize,
    pub lane_capacity: usize,
    pub style: Style,
    pub ending: Ending,
    pub keys: Vec<Key>,
    /// Tasks on each shard that ask, and how often each does.
    pub askers: usize,
    pub asks: usize,
    /// Tasks outside the node that ask.
    pub clients: usize,
    /// Calls that one of them has open at once.
    pub window: usize,
    /// Partitions moved one by one, and resizes.
    pub moves: usize,
    pub resizes: usize,
    /// Whether some answers take longer than a move waits.
    pub sluggish: bool,
    /// Whether mains leave some of their tasks behind when they return.
    pub stragglers: bool,
    pauses_per_10k: u32,
}

/// A key: its name, and the partition that the name puts it into.
#[derive(Debug, Clone)]
pub struct Key {
    pub name: String,
    pub partition: usize,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xC0FF_EE00);
        let room = rng.usize(1..=4);
        let after_us = rng.u64(0..16_000);
        Self {
            seed,
            room,
            active: rng.usize(1..=room),
            lane_capacity: *rng.choice(&[1, 2, 3, 8, 64]).expect("a choice"),
            style: *rng
                .choice(&[Style::Whole, Style::Sliced])
                .expect("a choice"),
            ending: match rng.u8(..10) {
                0..6 => Ending::Quiet,
                6..8 => Ending::Stop { after_us },
                8 => Ending::Fail { after_us },
                _ => Ending::Panic { after_us },
            },
            keys: keys(&mut rng),
            askers: rng.usize(1..4),
            asks: rng.usize(5..120),
            clients: rng.usize(1..4),
            window: rng.usize(1..12),
            moves: rng.usize(0..30),
            // Most partitions are empty and each costs a hundred steps, so few seeds resize, and those seldom.
            resizes: if rng.u8(..4) == 0 { rng.usize(1..6) } else { 0 },
            sluggish: rng.u8(..12) == 0,
            stragglers: rng.u8(..4) == 0,
            pauses_per_10k: *rng.choice(&[0, 0, 10, 100]).expect("a choice"),
        }
    }

    pub fn world(&self) -> WorldOptions {
        WorldOptions {
            pauses_per_10k: self.pauses_per_10k,
            time_limit: std::time::Duration::from_secs(120),
            step_limit: 5_000_000,
            ..WorldOptions::default()
        }
    }
}

/// A few keys in fewer partitions.
fn keys(rng: &mut fastrand::Rng) -> Vec<Key> {
    let key = |number: u64| {
        let name = format!("key:{number}");
        let partition = partition_of(name.as_bytes());
        Key { name, partition }
    };
    let partitions = rng.usize(1..6);
    let (mut keys, mut distinct) = (Vec::<Key>::new(), 0);
    for candidate in (rng.u64(..1000)..).map(key) {
        let known = keys.iter().filter(|k| k.partition == candidate.partition);
        match known.count() {
            0 if distinct < partitions => {
                distinct += 1;
                keys.push(candidate);
            }
            1 => keys.push(candidate),
            _ => {}
        }
        if keys.len() >= partitions * 2 {
            return keys;
        }
    }
    unreachable!("there are keys without end")
}
