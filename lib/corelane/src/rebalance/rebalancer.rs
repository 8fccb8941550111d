//! The rebalancer: a round's loads in, a few moves out.
//!
//! What keeps it from moving to and fro: a shard must stay above a high mark for some rounds before it is
//! relieved, and is relieved down to a lower one; that, and that a move is worth it, must be so by the
//! short average of loads and by the long one; a partition that moved stays for a while, and twice as
//! long when it moves again soon; a round moves few. And every move leaves the two shards it concerns
//! more alike than before, so that under a steady load moves come to an end.

use super::error::check_shards;
use super::load::{Both, Loads};
use super::{Move, RebalanceError, RebalanceOptions};
use crate::ShardId;

/// Finds the partitions that should move to relieve overloaded shards. It changes nothing by itself.
///
/// A partition that makes its shard overloaded all alone stays where it is, as it would only move the
/// trouble; the others leave it.
#[derive(Debug)]
pub struct Rebalancer {
    options: RebalanceOptions,
    loads: Loads,
    /// The last move of each partition.
    moved: Vec<Option<Moved>>,
    shards: Vec<Watch>,
    stats: RebalanceStats,
}

/// A partition's last move.
#[derive(Debug, Clone, Copy)]
struct Moved {
    to: Move,
    in_round: u64,
    /// For how many rounds it stays now.
    stays_rounds: u64,
}

/// How often the cool-down of a partition that moves again and again is doubled.
const MAX_DOUBLINGS: u32 = 6;

/// A partition that stayed for longer than so many cool-downs has settled: the next one is a single one
/// again.
const SETTLED: u64 = 2 << MAX_DOUBLINGS;

/// What is known of a shard from earlier rounds.
#[derive(Debug, Clone, Copy, Default)]
struct Watch {
    /// For how many rounds it has been above the high mark.
    above_rounds: u32,
    /// It is being relieved: since it was above the high mark for long enough, and until the low one.
    relieve: bool,
}

/// What a rebalancer has decided so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RebalanceStats {
    /// Rounds judged.
    pub rounds: u64,
    /// Moves planned.
    pub moves: u64,
    /// Rounds without a move because the load was below the minimum.
    pub idle_rounds: u64,
    /// Rounds that planned as many moves as a round may.
    pub full_rounds: u64,
    /// Times that a shard was to be relieved and no move was worth it: its load cannot be split further, or
    /// what could go has moved lately.
    pub without_gain: u64,
}

impl Rebalancer {
    /// For so many partitions.
    ///
    /// # Errors
    /// If an option makes no sense, saying which and what to give.
    pub fn new(options: RebalanceOptions, partitions: usize) -> Result<Self, RebalanceError> {
        options.check()?;
        Ok(Self {
            options,
            loads: Loads::new(&options, partitions),
            moved: vec![None; partitions],
            shards: Vec::new(),
            stats: RebalanceStats::default(),
        })
    }

    /// Judges one round: what each partition had to do since the last one (requests handled, busy
    /// nanoseconds, …), and where it is. Rounds should be equally long.
    ///
    /// A move that was planned and has not taken place counts as done until its cool-down ends; then it may be
    /// planned anew.
    ///
    /// # Errors
    /// If there is not one owner and one load per partition, if there cannot be so many shards, or an
    /// owner is not among them.
    pub fn round(
        &mut self,
        owners: &[ShardId],
        shards: usize,
        loads: &[u64],
    ) -> Result<Vec<Move>, RebalanceError> {
        self.check(owners, shards, loads)?;
        self.stats.rounds += 1;
        self.loads.add(loads);
        self.shards.resize(shards, Watch::default());
        let mut owners = owners.to_vec();
        self.expect_moves(&mut owners, shards);
        let mut load = Both::new(&owners, shards, &self.loads);
        self.watch(&load);
        if load.short.mean < self.options.min_shard_load.max(1) as f64 {
            self.stats.idle_rounds += 1;
            return Ok(Vec::new());
        }
        Ok(self.plan(&mut owners, &mut load))
    }

    /// What it has decided so far.
    #[must_use]
    pub fn stats(&self) -> RebalanceStats {
        self.stats
    }

    fn check(
        &self,
        owners: &[ShardId],
        shards: usize,
        loads: &[u64],
    ) -> Result<(), RebalanceError> {
        let partitions = self.loads.partitions();
        if owners.len() != partitions || loads.len() != partitions {
            return Err(RebalanceError::Lengths {
                loads: loads.len(),
                owners: owners.len(),
                partitions,
            });
        }
        check_shards(shards, partitions)?;
        let mut owned = owners.iter().enumerate();
        match owned.find(|(_, owner)| owner.index() >= shards) {
            Some((partition, &owner)) => Err(RebalanceError::UnknownOwner {
                partition,
                owner,
                shards,
            }),
            None => Ok(()),
        }
    }

    /// Puts partitions whose move is still under way where they will be.
    fn expect_moves(&self, owners: &mut [ShardId], shards: usize) {
        let cooldown = u64::from(self.options.cooldown_rounds);
        for (owner, moved) in owners.iter_mut().zip(&self.moved) {
            if let Some(Moved { to, in_round, .. }) = *moved
                && self.stats.rounds - in_round <= cooldown
                && to.from == *owner
                && to.to.index() < shards
            {
                *owner = to.to;
            }
        }
    }

    fn watch(&mut self, load: &Both) {
        let options = &self.options;
        for (shard, watch) in self.shards.iter_mut().enumerate() {
            if load.are_above(shard, options.high_percent) {
                watch.above_rounds = watch.above_rounds.saturating_add(1);
            } else {
                watch.above_rounds = 0;
            }
            watch.relieve = load.are_above(shard, options.low_percent)
                && (watch.relieve || watch.above_rounds >= options.patience_rounds);
        }
    }

    fn plan(&mut self, owners: &mut [ShardId], load: &mut Both) -> Vec<Move> {
        let most = self.options.moves_per_round as usize;
        let mut moves = Vec::new();
        for shard in load.busiest_first() {
            while moves.len() < most && self.is_to_relieve(shard, load) {
                let Some(best) = self.best(shard, owners, load) else {
                    self.stats.without_gain += 1;
                    break;
                };
                load.shift(best.partition, best.from.index(), best.to.index());
                owners[best.partition] = best.to;
                self.remember(best);
                moves.push(best);
            }
        }
        self.stats.moves += moves.len() as u64;
        self.stats.full_rounds += u64::from(moves.len() == most);
        moves
    }

    fn is_to_relieve(&self, shard: usize, load: &Both) -> bool {
        self.shards[shard].relieve && load.are_above(shard, self.options.low_percent)
    }

    /// The move from `from` that brings most, if one is worth it.
    fn best(&self, from: usize, owners: &[ShardId], load: &Both) -> Option<Move> {
        let to = load.idlest();
        let own = || (0..owners.len()).filter(|partition| owners[*partition].index() == from);
        let too_heavy = self.too_heavy(own(), load);
        let average = self.shards.len() as f64 / owners.len() as f64;
        let least_gain = average * f64::from(self.options.min_gain_percent) / 100.0;
        let gains = own()
            .filter(|partition| Some(*partition) != too_heavy && !self.is_cooling(*partition))
            .map(|partition| (partition, load.gain(partition, from, to)))
            .filter(|(_, gain)| *gain > 0.0 && *gain >= least_gain);
        let best = gains.max_by(|(p, a), (q, b)| {
            // Of equally good ones the one with less to hand over, then the first.
            let lighter = || {
                load.short
                    .of_partition(*q)
                    .total_cmp(&load.short.of_partition(*p))
            };
            a.total_cmp(b).then_with(lighter).then(q.cmp(p))
        });
        best.map(|(partition, _)| Move {
            partition,
            from: ShardId::at(from),
            to: ShardId::at(to),
        })
    }

    /// The heaviest of these partitions, if it alone is more than a shard should have.
    fn too_heavy(&self, partitions: impl Iterator<Item = usize>, load: &Both) -> Option<usize> {
        let of = |partition: &usize| load.short.of_partition(*partition);
        let heaviest = partitions.max_by(|p, q| of(p).total_cmp(&of(q)))?;
        let high = load.short.mean * f64::from(self.options.high_percent) / 100.0;
        (of(&heaviest) > high).then_some(heaviest)
    }

    fn is_cooling(&self, partition: usize) -> bool {
        let stays = |last: &Moved| self.stats.rounds - last.in_round <= last.stays_rounds;
        self.moved[partition].as_ref().is_some_and(stays)
    }

    fn remember(&mut self, to: Move) {
        let cooldown = u64::from(self.options.cooldown_rounds);
        let in_round = self.stats.rounds;
        let again = |last: &Moved| in_round - last.in_round <= cooldown * SETTLED;
        let last = self.moved[to.partition].filter(|last| again(last));
        let stays_rounds = last.map_or(cooldown, |last| {
            (last.stays_rounds * 2).min(cooldown << MAX_DOUBLINGS)
        });
        self.moved[to.partition] = Some(Moved {
            to,
            in_round,
            stays_rounds,
        });
    }
}
