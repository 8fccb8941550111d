//! Loads: averaged per partition over a short and a long time, added up per shard.
//!
//! Two averages, because one cannot tell what lasts from what swings: a short one follows every swing,
//! and a long one still sees what has gone. What both agree on is worth a move.

use super::RebalanceOptions;
use crate::ShardId;

/// How much longer the long average remembers.
const LONGER: f64 = 6.0;

/// Each partition's load.
#[derive(Debug)]
pub(super) struct Loads {
    share: f64,
    samples: u32,
    short: Vec<f64>,
    long: Vec<f64>,
}

impl Loads {
    pub(super) fn new(options: &RebalanceOptions, partitions: usize) -> Self {
        Self {
            share: f64::from(options.sample_percent) / 100.0,
            samples: 0,
            short: vec![0.0; partitions],
            long: vec![0.0; partitions],
        }
    }

    pub(super) fn add(&mut self, samples: &[u64]) {
        self.samples = self.samples.saturating_add(1);
        // The first samples count alike, so that the very first one is no more than one of them.
        let least = 1.0 / f64::from(self.samples);
        add(&mut self.short, samples, self.share.max(least));
        add(&mut self.long, samples, (self.share / LONGER).max(least));
    }

    pub(super) fn partitions(&self) -> usize {
        self.short.len()
    }
}

/// One step of an exponentially weighted mean.
fn add(loads: &mut [f64], samples: &[u64], share: f64) {
    for (load, sample) in loads.iter_mut().zip(samples) {
        *load += (*sample as f64 - *load) * share;
    }
}

/// What each partition and each shard has to do, by one of the averages.
#[derive(Debug)]
pub(super) struct Shards {
    partitions: Vec<f64>,
    shards: Vec<f64>,
    pub(super) mean: f64,
}

impl Shards {
    fn new(owners: &[ShardId], shards: usize, partitions: &[f64]) -> Self {
        let mut loads = vec![0.0; shards];
        for (owner, load) in owners.iter().zip(partitions) {
            loads[owner.index()] += load;
        }
        let mean = loads.iter().sum::<f64>() / shards as f64;
        Self {
            partitions: partitions.to_vec(),
            shards: loads,
            mean,
        }
    }

    fn of(&self, shard: usize) -> f64 {
        self.shards[shard]
    }

    pub(super) fn of_partition(&self, partition: usize) -> f64 {
        self.partitions[partition]
    }

    fn is_above(&self, shard: usize, percent: u32) -> bool {
        self.shards[shard] * 100.0 > self.mean * f64::from(percent)
    }

    /// How much less the busier of two shards has to do after a move than `from` has now.
    fn gain(&self, partition: usize, from: usize, to: usize) -> f64 {
        let moving = self.partitions[partition];
        let (from, to) = (self.shards[from], self.shards[to]);
        from - f64::max(from - moving, to + moving)
    }

    fn shift(&mut self, partition: usize, from: usize, to: usize) {
        self.shards[from] -= self.partitions[partition];
        self.shards[to] += self.partitions[partition];
    }
}

/// Both averages of the shards' loads.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) short: Shards,
    pub(super) long: Shards,
}

impl Both {
    pub(super) fn new(owners: &[ShardId], shards: usize, loads: &Loads) -> Self {
        Self {
            short: Shards::new(owners, shards, &loads.short),
            long: Shards::new(owners, shards, &loads.long),
        }
    }

    /// Whether both say so.
    pub(super) fn are_above(&self, shard: usize, percent: u32) -> bool {
        self.short.is_above(shard, percent) && self.long.is_above(shard, percent)
    }

    /// What a move brings for certain, in shares of the mean.
    pub(super) fn gain(&self, partition: usize, from: usize, to: usize) -> f64 {
        let short = self.short.gain(partition, from, to) / self.short.mean;
        let long = self.long.gain(partition, from, to) / self.long.mean;
        short.min(long)
    }

    /// The shard that is certain to have the least to do, the first of several.
    pub(super) fn idlest(&self) -> usize {
        let most = |shard: usize| {
            let short = self.short.of(shard) / self.short.mean;
            short.max(self.long.of(shard) / self.long.mean)
        };
        let shards = 0..self.short.shards.len();
        let idlest = shards.min_by(|a, b| most(*a).total_cmp(&most(*b)));
        idlest.expect("there is a shard")
    }

    /// The shards, those with the most to do first.
    pub(super) fn busiest_first(&self) -> Vec<usize> {
        let mut shards: Vec<usize> = (0..self.short.shards.len()).collect();
        shards.sort_by(|a, b| self.short.of(*b).total_cmp(&self.short.of(*a)));
        shards
    }

    pub(super) fn shift(&mut self, partition: usize, from: usize, to: usize) {
        self.short.shift(partition, from, to);
        self.long.shift(partition, from, to);
    }
}
