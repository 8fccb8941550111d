//! A node under the rebalancer: loads by round, moves carried out after a delay, and what came of it.

use super::super::{Move, RebalanceOptions, RebalanceStats, Rebalancer};
use super::even;
use crate::ShardId;

pub(super) struct Node {
    pub(super) shards: usize,
    pub(super) owners: Vec<ShardId>,
    options: RebalanceOptions,
    rebalancer: Rebalancer,
    /// Moves under way, and when they will be done.
    under_way: Vec<(usize, Move)>,
    delay_rounds: usize,
    round: usize,
    /// All moves, by the round they were planned in.
    pub(super) moves: Vec<(usize, Move)>,
    /// The busiest shard's load in each round, where 1 is the mean.
    pub(super) peaks: Vec<f64>,
}

impl Node {
    pub(super) fn new(partitions: usize, shards: usize) -> Self {
        Self::with(
            RebalanceOptions::default(),
            even(partitions, shards),
            shards,
        )
    }

    pub(super) fn with(options: RebalanceOptions, owners: Vec<ShardId>, shards: usize) -> Self {
        Self {
            shards,
            options,
            rebalancer: Rebalancer::new(options, owners.len()).unwrap(),
            owners,
            under_way: Vec::new(),
            delay_rounds: 0,
            round: 0,
            moves: Vec::new(),
            peaks: Vec::new(),
        }
    }

    /// Moves take so many rounds.
    pub(super) fn slow(mut self, delay_rounds: usize) -> Self {
        self.delay_rounds = delay_rounds;
        self
    }

    /// Runs for so many rounds; `load` is that of a partition in a round.
    pub(super) fn run(&mut self, rounds: usize, mut load: impl FnMut(usize, usize) -> u64) {
        for _ in 0..rounds {
            self.carry_out();
            let partitions = 0..self.owners.len();
            let loads: Vec<u64> = partitions.map(|one| load(self.round, one)).collect();
            self.peaks.push(self.peak(&loads));
            let planned = self.rebalancer.round(&self.owners, self.shards, &loads);
            for planned in planned.unwrap() {
                self.moves.push((self.round, planned));
                self.under_way
                    .push((self.round + self.delay_rounds, planned));
            }
            self.round += 1;
        }
        self.carry_out();
        self.check();
    }

    pub(super) fn stats(&self) -> RebalanceStats {
        self.rebalancer.stats()
    }

    /// How many moves were planned in these rounds.
    pub(super) fn moves_in(&self, rounds: std::ops::Range<usize>) -> usize {
        let moves = self.moves.iter();
        moves.filter(|(round, _)| rounds.contains(round)).count()
    }

    fn carry_out(&mut self) {
        for (due, planned) in &self.under_way {
            if *due < self.round {
                assert_eq!(self.owners[planned.partition], planned.from);
                self.owners[planned.partition] = planned.to;
            }
        }
        self.under_way.retain(|(due, _)| *due >= self.round);
    }

    fn peak(&self, loads: &[u64]) -> f64 {
        let mut sums = vec![0; self.shards];
        for (owner, load) in self.owners.iter().zip(loads) {
            sums[owner.index()] += load;
        }
        let total: u64 = sums.iter().sum();
        let busiest = sums.iter().max().unwrap();
        *busiest as f64 * self.shards as f64 / total.max(1) as f64
    }

    /// What holds whatever the load: few moves a round, and no partition moves again while it cools.
    fn check(&self) {
        let options = &self.options;
        let mut last: Vec<Option<usize>> = vec![None; self.owners.len()];
        for (i, (round, one)) in self.moves.iter().enumerate() {
            let rounds = i.saturating_sub(options.moves_per_round as usize)..i;
            let earlier = self.moves[rounds]
                .iter()
                .filter(|(other, _)| other == round);
            assert!(earlier.count() < options.moves_per_round as usize);
            if let Some(last) = last[one.partition].replace(*round) {
                assert!(round - last > options.cooldown_rounds as usize);
            }
        }
        assert_eq!(self.stats().moves, self.moves.len() as u64);
    }
}
