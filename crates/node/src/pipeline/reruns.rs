//! Commands that came to a shard without their keys, because a partition has moved: they run again where it is now.

use std::future::Future;
use std::pin::Pin;

use corelane::MapHold;
use corelane_store::Command;

use super::replies::{Gap, Part, range};
use super::{Flushed, Pipeline, Submitted};
use crate::batch::{Call, TRIP_OUTPUT_BYTES};
use crate::cluster::Door;
use crate::elsewhere::Elsewhere;
use crate::merge;
use crate::node::Node;
use crate::owned::OwnedArgs;
use crate::room::TooLarge;

/// Where a part of a reply is noted.
#[derive(Debug, Clone, Copy)]
enum Spot {
    Gap(usize),
    Part(usize),
}

impl Pipeline {
    pub(super) fn has_elsewhere(&self) -> bool {
        let deferred = |elsewhere: &Elsewhere| !elsewhere.deferred.is_empty();
        self.elsewhere.as_deref().is_some_and(deferred)
            || self
                .batches
                .iter()
                .flatten()
                .any(|batch| batch.has_elsewhere())
    }

    /// Runs what is elsewhere where it belongs, one after the other in the order of the commands, before anything that
    /// stands behind it leaves: so order per key holds. Stops when enough replies wait to be placed; the next
    /// flush goes on.
    #[cold]
    pub(super) fn settle(&mut self) -> Pin<Box<dyn Future<Output = Result<(), TooLarge>> + '_>> {
        Box::pin(async move {
            let spots = self.unsettled();
            if spots.is_empty() {
                return Ok(());
            }
            let hold = match self.is_rerun {
                true => None,
                false => Some(self.node.mesh().hold_map().await),
            };
            let mut bytes = 0;
            for spot in spots {
                let reply = match &hold {
                    Some(hold) => self.run_again(spot, hold).await?,
                    None => merge::SHARD_GONE.to_vec(),
                };
                bytes += reply.len();
                self.note_settled(spot, reply);
                if bytes >= TRIP_OUTPUT_BYTES {
                    break;
                }
            }
            Ok(())
        })
    }

    /// What is elsewhere and has no reply yet, in the order of the commands.
    fn unsettled(&self) -> Vec<Spot> {
        let is_elsewhere = |part: &Part| match *part {
            Part::There { shard, index } => self.batches[shard.index()]
                .as_ref()
                .is_some_and(|batch| batch.is_elsewhere(index)),
            Part::Deferred(_) => true,
            Part::Here { .. } | Part::Settled(_) => false,
        };
        let mut spots = Vec::new();
        for (number, gap) in self.gaps.iter().enumerate().skip(self.merge.gap) {
            match gap {
                Gap::Hop { part, .. } if is_elsewhere(part) => spots.push(Spot::Gap(number)),
                Gap::Hop { .. } => {}
                Gap::Folded { parts, .. } => {
                    let parts = range(parts).filter(|part| is_elsewhere(&self.parts[*part]));
                    spots.extend(parts.map(Spot::Part));
                }
            }
        }
        spots
    }

    async fn run_again(&self, spot: Spot, hold: &MapHold) -> Result<Vec<u8>, TooLarge> {
        let (command, call, args) = match self.part_at(spot) {
            Part::There { shard, index } => match &self.batches[shard.index()] {
                Some(batch) => batch.command(index),
                None => return Ok(merge::SHARD_GONE.to_vec()),
            },
            Part::Deferred(number) => match self.elsewhere.as_deref() {
                Some(elsewhere) => {
                    let deferred = &elsewhere.deferred[number as usize];
                    (deferred.command, deferred.call, deferred.args.clone())
                }
                None => return Ok(merge::SHARD_GONE.to_vec()),
            },
            Part::Here { .. } | Part::Settled(_) => return Ok(merge::SHARD_GONE.to_vec()),
        };
        self.node.with_stats(|stats| stats.moved_reruns += 1);
        run_where_it_belongs(&self.node, command, call, args, hold).await
    }

    fn part_at(&self, spot: Spot) -> Part {
        match spot {
            Spot::Part(part) => self.parts[part],
            Spot::Gap(gap) => match &self.gaps[gap] {
                Gap::Hop { part, .. } => *part,
                Gap::Folded { .. } => unreachable!("its parts are noted apart"),
            },
        }
    }

    fn note_settled(&mut self, spot: Spot, reply: Vec<u8>) {
        let settled = &mut self.elsewhere.get_or_insert_default().settled;
        settled.push(reply);
        let now = Part::Settled(settled.len() as u32 - 1);
        match spot {
            Spot::Part(part) => self.parts[part] = now,
            Spot::Gap(gap) => {
                if let Gap::Hop { part, .. } = &mut self.gaps[gap] {
                    *part = now;
                }
            }
        }
    }

    /// Gives the memory of replies back that are in place.
    #[cold]
    pub(super) fn forget_settled(&mut self, gap: usize) {
        let Some(elsewhere) = &mut self.elsewhere else {
            return;
        };
        let mut forget = |part: &Part| {
            if let Part::Settled(number) = part {
                elsewhere.settled[*number as usize] = Vec::new();
            }
        };
        match &self.gaps[gap] {
            Gap::Hop { part, .. } => forget(part),
            Gap::Folded { parts, .. } => self.parts[range(parts)].iter().for_each(forget),
        }
    }
}

/// Runs a command in a pipeline of its own; nothing moves meanwhile.
async fn run_where_it_belongs(
    node: &Node,
    command: &'static Command,
    call: Call,
    args: OwnedArgs,
    hold: &MapHold,
) -> Result<Vec<u8>, TooLarge> {
    let mut pipeline = Pipeline::new(node.clone(), Door::Main);
    pipeline.is_rerun = true;
    let mut out = Vec::new();
    match pipeline.submit(command, call, args.args(), &mut out) {
        Submitted::InOrder => while pipeline.flush(&mut out).await? == Flushed::More {},
        Submitted::Across => out = node.run_across_under(hold, command, call, args).await?,
        Submitted::TooLarge => return Err(TooLarge),
        Submitted::Elsewhere(_) => unreachable!("a new pipeline hops"),
        Submitted::Moved(..) | Submitted::Refused(_) => unreachable!("by the main door all runs"),
    }
    Ok(out)
}
