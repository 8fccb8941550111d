//! What one connection remembers of its passes, and when that is enough to move.
//!
//! A few *rivals* of the present shard are kept. Each counts the passes that went there without the
//! present shard (each of them a trip that living there would have spared) and the reverse (a trip
//! that living there would have cost). Passes that needed both, or neither, tell nothing: they cost
//! the same either way. A rival is forgotten as soon as it does not lead any more, so what it has
//! gathered is the evidence since the present shard was last as good, and a workload that shifts is
//! not held back by its past.
//!
//! A connection moves when the lead is no accident, not small, and has cost more than a move does. What the lead
//! is by then is what the next passes are taken to bring, too: whoever moves at that point never pays
//! much more than twice what knowing the future would have cost (the ski-rental bound), per change.
//!
//! A move that had not earned its cost when the next one was due is *regretted*: each doubles what is
//! demanded of the next, and one that has paid halves it again, to a quarter of a move's cost where they
//! keep paying. A long stay brings it back to where it began.

use corelane::ShardId;

use super::costs::Costs;

/// Shards that may be gathering evidence at once.
const RIVALS: usize = 3;

/// A lead of so many standard deviations of a fair coin, squared, is no accident: 13 passes in a row, or
/// 40 against 13.
const SURE_SQUARED: u32 = 12;

/// The lead is to be one pass in so many. Where all connections like a shard a little better than the
/// others, they would crowd there for next to nothing, and trips between a busy shard and an idle one
/// are dearer than trips between busy ones.
const WORTHWHILE_ONE_IN: u32 = 4;

/// Passes of a rival's before its counts are halved.
const WINDOW: u16 = 1024;

/// The lead is to be worth so many quarters of a move.
const MARGIN_QUARTERS: u64 = 5;

/// The demand doubles so many times at most, and halves so many times at most where moves keep paying.
const MAX_DOUBT: i8 = 8;
const MIN_DOUBT: i8 = -2;

/// After so many passes without a move, doubt or trust loses one step; then the last move is forgotten,
/// if it has paid.
const FORGOTTEN_AFTER: u16 = 4096;

/// One connection's record. Small, plain, and as long as the connection's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    rivals: [Rival; RIVALS],
    /// The shard it came from by its last move.
    left: ShardId,
    /// Trips spared since then, beside having stayed there.
    earned: i16,
    /// Passes since the last move, or since the doubt last changed for their sake.
    passes: u16,
    /// How often the demand is doubled; below zero, halved.
    doubt: i8,
    /// Whether there was a last move.
    moved: bool,
}

/// The evidence for one other shard. Free if it does not lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rival {
    shard: ShardId,
    /// Passes that needed it, and not the present shard.
    there: u16,
    /// Passes that needed the present shard, and not it.
    here: u16,
    /// All passes since it began to lead.
    passes: u16,
}

const _: () = assert!(size_of::<History>() <= 32);

impl Default for History {
    fn default() -> Self {
        Self::NEW
    }
}

impl Rival {
    const FREE: Self = Self {
        shard: ShardId::new(0),
        there: 0,
        here: 0,
        passes: 0,
    };

    fn is_free(&self) -> bool {
        self.there <= self.here
    }

    fn lead(&self) -> u16 {
        self.there.saturating_sub(self.here)
    }

    /// Counts a pass that needed the present shard and not this one, or another that did not.
    fn count(&mut self, here: bool) {
        self.here += u16::from(here);
        self.passes += 1;
        if self.passes == WINDOW {
            self.there /= 2;
            self.here /= 2;
            self.passes /= 2;
        }
    }

    /// Whether the lead would spare enough of the trips to be worth a move at all.
    fn is_worthwhile(&self) -> bool {
        u32::from(self.lead()) * WORTHWHILE_ONE_IN >= u32::from(self.passes)
    }

    /// Whether a fair coin would hardly ever give such a lead.
    fn is_sure(&self, doubt: i8) -> bool {
        let lead = u32::from(self.lead());
        let total = u32::from(self.there) + u32::from(self.here);
        lead * lead > (SURE_SQUARED * total) << doubt.clamp(0, 2)
    }
}

impl History {
    /// Of a connection that has done nothing yet.
    pub const NEW: Self = Self {
        rivals: [Rival::FREE; RIVALS],
        left: ShardId::new(0),
        earned: 0,
        passes: 0,
        doubt: 0,
        moved: false,
    };

    /// Takes in a pass: whether it needed the present shard, and which others it went to, each named
    /// once.
    #[inline]
    pub fn note(&mut self, here: bool, others: impl Iterator<Item = ShardId>) {
        let mut seen = [false; RIVALS];
        let mut went_back = false;
        for shard in others {
            went_back |= shard == self.left;
            if let Some(at) = self.place_of(shard, here) {
                seen[at] = true;
                self.rivals[at].there += u16::from(!here);
            }
        }
        for (rival, seen) in self.rivals.iter_mut().zip(seen) {
            if !rival.is_free() {
                rival.count(here && !seen);
            }
        }
        if self.moved {
            self.count_earnings(here, went_back);
        }
        self.passes += 1;
        if self.passes == FORGOTTEN_AFTER {
            self.passes = 0;
            self.moved &= self.doubt != 0 || self.earned <= 0;
            self.doubt -= self.doubt.signum();
        }
    }

    /// Where evidence for `shard` is kept. A new one gets a free place, if its first pass is evidence
    /// at all; where there is none it weakens the weakest.
    fn place_of(&mut self, shard: ShardId, here: bool) -> Option<usize> {
        let is_it = |rival: &Rival| rival.shard == shard && !rival.is_free();
        let known = self.rivals.iter().position(is_it);
        if known.is_some() || here {
            return known;
        }
        let at = (0..RIVALS).min_by_key(|at| self.rivals[*at].lead())?;
        let weakest = &mut self.rivals[at];
        if !weakest.is_free() {
            weakest.there -= 1;
            return None;
        }
        *weakest = Rival {
            shard,
            ..Rival::FREE
        };
        Some(at)
    }

    fn count_earnings(&mut self, here: bool, went_back: bool) {
        let spared = i16::from(here) - i16::from(went_back);
        self.earned = self.earned.saturating_add(spared);
    }

    /// Whether a pass that needs the present shard alone would change nothing that matters.
    #[inline]
    pub fn is_calm(&self) -> bool {
        !self.moved && self.doubt == 0 && self.rivals.iter().all(Rival::is_free)
    }

    /// Where the connection had better live, if that is elsewhere and not a shard that has no time for it.
    pub fn advice(
        &self,
        costs: &Costs,
        is_crowded: impl FnOnce(ShardId) -> bool,
    ) -> Option<ShardId> {
        let best = self.rivals.iter().max_by_key(|rival| rival.lead())?;
        if best.is_free() {
            return None;
        }
        let doubt = self.doubt_with_last(costs);
        let pays = worth_ns(i64::from(best.lead()), costs) >= shift(demand_ns(costs), doubt);
        let moves = pays && best.is_sure(doubt) && best.is_worthwhile() && !is_crowded(best.shard);
        moves.then_some(best.shard)
    }

    /// The doubt about the next move, with what is to be thought of the last one by now.
    fn doubt_with_last(&self, costs: &Costs) -> i8 {
        let doubt = match self.moved {
            false => self.doubt,
            true if self.is_last_unearned(costs) => self.doubt + 1,
            true => self.doubt - 1,
        };
        doubt.clamp(MIN_DOUBT, MAX_DOUBT)
    }

    fn is_last_unearned(&self, costs: &Costs) -> bool {
        worth_ns(i64::from(self.earned), costs) < demand_ns(costs)
    }

    /// The connection has followed the advice and left `from`: what was known of the way things were
    /// there is void.
    pub fn moved(&mut self, from: ShardId, costs: &Costs) {
        *self = Self {
            doubt: self.doubt_with_last(costs),
            left: from,
            moved: true,
            ..Self::NEW
        };
    }

    /// The connection was taken elsewhere for reasons of others: the evidence is void, and nothing is
    /// to be regretted.
    pub fn carried(&mut self) {
        *self = Self {
            doubt: self.doubt,
            ..Self::NEW
        };
    }
}

fn worth_ns(trips: i64, costs: &Costs) -> u64 {
    trips.max(0) as u64 * u64::from(costs.hop_ns)
}

/// Doubled so often, or halved.
fn shift(value: u64, doublings: i8) -> u64 {
    match doublings {
        0.. => value << doublings,
        _ => value >> -doublings,
    }
}

fn demand_ns(costs: &Costs) -> u64 {
    u64::from(costs.move_ns) * MARGIN_QUARTERS / 4
}

#[cfg(test)]
mod tests;
