//! When the rebalancer acts, and how much at a time.

use super::RebalanceError;

/// The most moves that a round may plan.
pub const MAX_MOVES_PER_ROUND: u32 = 64;

/// How a [`Rebalancer`](super::Rebalancer) judges. Marks are in percent of the mean load of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebalanceOptions {
    /// How much of a partition's load is its latest sample; the rest is what it was before. Beside this
    /// average there is one that remembers six times as long, and both must agree.
    pub sample_percent: u32,
    /// A shard above this for [`patience_rounds`](Self::patience_rounds) is relieved …
    pub high_percent: u32,
    /// … until it is down to this.
    pub low_percent: u32,
    /// For how many rounds in a row a shard must be above the high mark.
    pub patience_rounds: u32,
    /// A move must relieve its shard by so much of an average partition's load.
    pub min_gain_percent: u32,
    /// For how many rounds a partition that moved stays; twice as long each time it moves again soon, up
    /// to 64 times.
    pub cooldown_rounds: u32,
    /// How many partitions move in a round.
    pub moves_per_round: u32,
    /// With a lower mean load per shard, in the samples' unit, nothing moves: an idle node has nothing to
    /// gain, and few requests are never spread evenly.
    pub min_shard_load: u64,
}

impl Default for RebalanceOptions {
    /// Relieves above 130% down to 110% after three rounds, four partitions a round, each every ten
    /// rounds at most; and that from 1000 units a shard on, which fits requests per second.
    fn default() -> Self {
        Self {
            sample_percent: 30,
            high_percent: 130,
            low_percent: 110,
            patience_rounds: 3,
            min_gain_percent: 10,
            cooldown_rounds: 10,
            moves_per_round: 4,
            min_shard_load: 1000,
        }
    }
}

impl RebalanceOptions {
    pub(super) fn check(&self) -> Result<(), RebalanceError> {
        let (low, high) = (self.low_percent, self.high_percent);
        if low < 100 || low >= high {
            return Err(RebalanceError::Marks { low, high });
        }
        if !(1..=100).contains(&self.sample_percent) {
            let percent = self.sample_percent;
            return Err(RebalanceError::SamplePercent { percent });
        }
        if !(1..=MAX_MOVES_PER_ROUND).contains(&self.moves_per_round) {
            let moves = self.moves_per_round;
            return Err(RebalanceError::MovesPerRound { moves });
        }
        let rounds = [
            ("patience_rounds", self.patience_rounds),
            ("cooldown_rounds", self.cooldown_rounds),
        ];
        match rounds.iter().find(|(_, rounds)| *rounds == 0) {
            Some((what, _)) => Err(RebalanceError::NoRounds { what }),
            None => Ok(()),
        }
    }
}
