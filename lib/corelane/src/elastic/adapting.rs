//! Moving partitions where the load is: the decisions of [`rebalance`](crate::rebalance), made from what the shards
//! have handled, and carried out.

use std::time::Duration;

use corelane_rt::time;

use super::Handoff;
use super::moving::MoveError;
use crate::rebalance::{Move, RebalanceError, RebalanceOptions, RebalanceStats, Rebalancer};
use crate::{Mesh, PARTITIONS, ShardId};

/// What a rebalancer has done until it was asked to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebalanced {
    /// What it decided.
    pub decided: RebalanceStats,
    /// Partitions moved.
    pub moved: u64,
    /// Moves that were given up: requests for the partition took too long, or a shard had no service.
    pub given_up: u64,
    /// Rounds cut short because another move or resize was going on.
    pub busy: u64,
}

impl<S: Handoff> Mesh<S> {
    /// Balances the node from now on: looks `every` so often how many requests each partition had, and moves
    /// some from shards that stay overloaded. Loads are requests per second. Nothing does this unless it is asked to.
    ///
    /// Resolves when this shard is asked to stop; dropping the future ends it too, after the move that is going on.
    /// Spawn it on one shard that is not to sleep, such as shard 0. A second one would decide from the half of
    /// what happens.
    ///
    /// # Errors
    /// If an option makes no sense, saying which and what to give.
    pub async fn rebalance(
        &self,
        every: Duration,
        options: RebalanceOptions,
    ) -> Result<Rebalanced, RebalanceError> {
        let mut rebalancer = Rebalancer::new(options, PARTITIONS)?;
        let mut done = Rebalanced::default();
        // What was counted before nobody knows how long.
        let mut since_ns = time::now_ns();
        let _ = self.take_loads().await;
        loop {
            // The sleep ends by the stop, or by itself.
            let _ = time::timeout(every, self.stopping()).await;
            let (Some(mut loads), false) = (self.take_loads().await, self.is_stopping()) else {
                done.decided = rebalancer.stats();
                return Ok(done);
            };
            let now_ns = time::now_ns();
            let elapsed_ns = (now_ns - since_ns).max(1);
            since_ns = now_ns;
            for load in &mut loads {
                *load = per_second(*load, elapsed_ns);
            }
            let Ok(moves) = self.decide(&mut rebalancer, &loads) else {
                // A resize is on its way: a shard that owns partitions is to sleep.
                done.busy += 1;
                continue;
            };
            self.carry_out(&moves, &mut done).await;
        }
    }

    /// The rebalancer counts the shards that may own something from 0.
    fn decide(
        &self,
        rebalancer: &mut Rebalancer,
        loads: &[u64],
    ) -> Result<Vec<Move>, RebalanceError> {
        let map = self.map();
        let first = map.io_shards();
        let inner = |partition| ShardId::at(map.owner(partition).index() - first);
        let outer = |shard: ShardId| ShardId::at(shard.index() + first);
        let owners: Vec<ShardId> = (0..PARTITIONS).map(inner).collect();
        let moves = rebalancer.round(&owners, map.shards() - first, loads)?;
        let moves = moves.into_iter().map(|planned| Move {
            from: outer(planned.from),
            to: outer(planned.to),
            ..planned
        });
        Ok(moves.collect())
    }

    async fn carry_out(&self, moves: &[Move], done: &mut Rebalanced) {
        for planned in moves {
            match self.move_partition(planned.partition, planned.to).await {
                Ok(()) => {
                    let Move {
                        partition,
                        from,
                        to,
                    } = *planned;
                    tracing::info!(
                        partition,
                        from = from.number(),
                        to = to.number(),
                        "moved for its load"
                    );
                    done.moved += 1;
                }
                Err(MoveError::Busy | MoveError::Stopping) => {
                    done.busy += 1;
                    return;
                }
                Err(error) => {
                    tracing::warn!(partition = planned.partition, %error, "not moved for its load");
                    done.given_up += 1;
                }
            }
        }
    }

    /// What the shards have handled for each partition since this was last asked; `None` at the node's end.
    async fn take_loads(&self) -> Option<Vec<u64>> {
        let of_shards = self
            .on_all(async |mesh: Self| mesh.core.partitions.take_handled())
            .await
            .ok()?;
        let mut loads = vec![0; PARTITIONS];
        for of_shard in of_shards {
            for (load, handled) in loads.iter_mut().zip(of_shard) {
                *load += u64::from(handled);
            }
        }
        Some(loads)
    }
}

fn per_second(count: u64, elapsed_ns: u64) -> u64 {
    let rate = u128::from(count) * 1_000_000_000 / u128::from(elapsed_ns);
    u64::try_from(rate).unwrap_or(u64::MAX)
}
