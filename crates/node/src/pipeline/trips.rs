//! Trips to other shards: one batch for each, all at once, and as often as it takes.

use corelane::ShardId;
use smallvec::SmallVec;

use super::Pipeline;
use super::replies::{Gap, Part, range};
use crate::request::{Reply, Request};
use crate::shard::Shard;

/// Calls to as many shards need no allocation. A connection holds room for them even while it is
/// idle, and where more shards are called at once, more requests share the cost.
const INLINE_CALLS: usize = 1;

/// Trips with more than this to carry are not measured.
const MEASURED_BYTES: usize = 1024;

impl Pipeline {
    /// One batch per shard leaves at once, then all are awaited. A batch whose last replies are not
    /// all in place yet stays at home.
    pub(super) async fn exchange(&mut self) {
        let node = self.node.clone();
        let first_missing = self.merge.gap;
        let mut calls: SmallVec<[(usize, corelane::Call<Shard>); INLINE_CALLS]> = SmallVec::new();
        for index in 0..self.batches.len() {
            let goes = self.batches[index].as_ref().is_some_and(|batch| {
                batch.has_more() && self.is_settled(index, batch.executed(), first_missing)
            });
            if !goes {
                continue;
            }
            if let Some(batch) = self.batches[index].take() {
                let shard = ShardId::new(index as u16);
                calls.push((index, node.mesh().call(shard, Request::Batch(batch))));
            }
        }
        for (index, call) in &mut calls {
            let (index, shard) = (*index, ShardId::new(*index as u16));
            self.batches[index] = match node.patiently_or_back(shard, call).await {
                Ok(Reply::Batch(batch)) => Some(batch),
                Err(Some(Request::Batch(mut batch))) => {
                    batch.turned_away();
                    Some(batch)
                }
                Ok(_) | Err(_) => None,
            };
        }
    }

    /// Whether every reply that `shard` has given so far is in place: no gap from `first_missing`
    /// on uses one of the first `executed`.
    fn is_settled(&self, shard: usize, executed: usize, first_missing: usize) -> bool {
        if executed == 0 {
            return true;
        }
        let used = |part: &Part| match part {
            Part::There { shard: at, index } => at.index() == shard && (*index as usize) < executed,
            Part::Here { .. } | Part::Deferred(_) | Part::Settled(_) => false,
        };
        !self.gaps[first_missing..].iter().any(|gap| match gap {
            Gap::Hop { part, .. } => used(part),
            Gap::Folded { parts, .. } => self.parts[range(parts)].iter().any(used),
        })
    }

    /// When the trips that are about to begin do so, if these are to be measured. Those with much to carry
    /// say nothing about trips.
    pub(super) fn measure(&self) -> Option<u64> {
        let due = self.node.mesh().with(|shard| shard.gauge.is_due());
        (due && self.waiting_bytes < MEASURED_BYTES).then(corelane::time::read_ns)
    }

    pub(super) fn note_trip(&self, began_ns: Option<u64>) {
        if let Some(began_ns) = began_ns {
            let took_ns = corelane::time::read_ns().saturating_sub(began_ns);
            self.node.mesh().with(|shard| shard.gauge.note_hop(took_ns));
        }
    }
}
