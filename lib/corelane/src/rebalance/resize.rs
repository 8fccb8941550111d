//! Another number of shards, with as few moves as can be.

use super::error::check_shards;
use super::{Move, RebalanceError};
use crate::ShardId;

/// The moves after which `shards` shards have equally many partitions, give or take one; `owners` has an
/// entry per partition.
///
/// There are no fewer that do it: a shard that is there now gives only what it has too many of, one that
/// goes gives all, and where partitions do not divide evenly, those that have more keep one more.
/// From N shards to N+1 that is one in N+1 partitions.
///
/// # Errors
/// If `shards` is 0 or more than there are partitions, or than [`MAX_SHARDS`](crate::MAX_SHARDS).
pub fn plan_resize(owners: &[ShardId], shards: usize) -> Result<Vec<Move>, RebalanceError> {
    check_shards(shards, owners.len())?;
    let mut room = quotas(owners, shards);
    let stays = |(partition, &from): (usize, &ShardId)| match room.get_mut(from.index()) {
        Some(room) if *room > 0 => {
            *room -= 1;
            None
        }
        _ => Some((partition, from)),
    };
    let leaving: Vec<(usize, ShardId)> = owners.iter().enumerate().filter_map(stays).collect();
    let free = room.iter().enumerate();
    let free = free.flat_map(|(shard, room)| std::iter::repeat_n(ShardId::at(shard), *room));
    let moves = leaving.into_iter().zip(free);
    let moves = moves.map(|((partition, from), to)| Move {
        partition,
        from,
        to,
    });
    Ok(moves.collect())
}

/// How many partitions each shard shall have.
fn quotas(owners: &[ShardId], shards: usize) -> Vec<usize> {
    let mut held = vec![0; shards];
    for owner in owners {
        if let Some(held) = held.get_mut(owner.index()) {
            *held += 1;
        }
    }
    let mut quotas = vec![owners.len() / shards; shards];
    let mut fullest: Vec<usize> = (0..shards).collect();
    fullest.sort_by_key(|shard| std::cmp::Reverse(held[*shard]));
    for shard in &fullest[..owners.len() % shards] {
        quotas[*shard] += 1;
    }
    quotas
}
