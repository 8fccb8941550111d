//! Where keys live: key → partition (fixed for ever) and partition → shard (the shard map, which a
//! later resize replaces as a whole under a new epoch).

use crate::ShardId;
use crate::rebalance::{Move, RebalanceError, plan_resize};

/// Partitions of a node's keyspace. Fixed: stored data is placed by it, whatever the core count.
pub const PARTITIONS: usize = 256;

/// Which shard owns each partition: the only routing truth. Immutable; every shard reads its own copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMap {
    epoch: u64,
    io_shards: usize,
    shards: usize,
    owner: Box<[ShardId]>,
}

impl ShardMap {
    /// The first map of a node: contiguous runs of partitions, whose lengths differ by one at most.
    ///
    /// # Panics
    /// If `shards` is 0 or more than [`PARTITIONS`].
    #[must_use]
    pub fn even(shards: usize) -> Self {
        Self::split(0, shards)
    }

    /// The first map of a node of the split layout, in which the first `io_shards` shards own nothing.
    ///
    /// # Panics
    /// If that leaves no shard, or more than [`PARTITIONS`].
    #[must_use]
    pub fn split(io_shards: usize, shards: usize) -> Self {
        let data_shards = shards.saturating_sub(io_shards);
        assert!(
            (1..=PARTITIONS).contains(&data_shards),
            "{PARTITIONS} partitions cannot be spread over {data_shards} shards"
        );
        let owner = (0..PARTITIONS)
            .map(|partition| ShardId::at(io_shards + partition * data_shards / PARTITIONS))
            .collect();
        Self {
            epoch: 1,
            io_shards,
            shards,
            owner,
        }
    }

    /// A map with these owners, partition by partition: for whoever shows maps or plans with them, and tries what
    /// they make of any. A node makes its own.
    ///
    /// # Panics
    /// If there is not one owner for each partition, or one that is none of `shards` shards.
    #[must_use]
    pub fn with_owners(epoch: u64, shards: usize, owners: Vec<ShardId>) -> Self {
        assert_eq!(
            owners.len(),
            PARTITIONS,
            "a map has an owner for each partition"
        );
        let known = |owner: &ShardId| owner.index() < shards;
        assert!(
            owners.iter().all(known),
            "an owner is none of {shards} shards"
        );
        Self {
            epoch,
            io_shards: 0,
            shards,
            owner: owners.into(),
        }
    }

    /// Counts the maps of this node: a higher epoch replaces a lower one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many shards serve, those without partitions included.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// How many shards, the first ones, are for connections and own nothing; 0 but in the split layout.
    #[must_use]
    pub fn io_shards(&self) -> usize {
        self.io_shards
    }

    /// The shard that owns `partition`.
    ///
    /// # Panics
    /// If `partition` is not below [`PARTITIONS`].
    #[must_use]
    pub fn owner(&self, partition: usize) -> ShardId {
        self.owner[partition]
    }

    /// The next map, in which `partition` belongs to `shard`.
    pub(crate) fn with_owner(&self, partition: usize, shard: ShardId) -> Self {
        let mut next = self.clone();
        next.epoch += 1;
        next.owner[partition] = shard;
        next
    }

    /// The next map, with the same owners, over so many shards.
    pub(crate) fn with_shards(&self, shards: usize) -> Self {
        Self {
            epoch: self.epoch + 1,
            io_shards: self.io_shards,
            shards,
            owner: self.owner.clone(),
        }
    }

    /// The fewest moves that spread the partitions evenly over `shards` shards.
    ///
    /// # Errors
    /// If that leaves no shard that may own partitions, or too many.
    pub(crate) fn moves_to(&self, shards: usize) -> Result<Vec<Move>, RebalanceError> {
        // The planner counts the shards that may own something from 0.
        let inner = |shard: ShardId| ShardId::at(shard.index() - self.io_shards);
        let outer = |shard: ShardId| ShardId::at(shard.index() + self.io_shards);
        let owners: Vec<ShardId> = self.owner.iter().copied().map(inner).collect();
        let moves = plan_resize(&owners, shards.saturating_sub(self.io_shards))?;
        let moves = moves.into_iter().map(|planned| Move {
            from: outer(planned.from),
            to: outer(planned.to),
            ..planned
        });
        Ok(moves.collect())
    }

    /// The partitions that `shard` owns, ascending.
    pub fn owned_by(&self, shard: ShardId) -> impl Iterator<Item = usize> + '_ {
        let owners = self.owner.iter().enumerate();
        owners.filter_map(move |(partition, &owner)| (owner == shard).then_some(partition))
    }
}

/// The partition of a key for services without a placement of their own: version 1, and as what is
/// stored depends on it, never to change: 64-bit FNV-1a, finished by MurmurHash3's mixer, of which
/// the top eight bits count.
///
/// A service that has a placement of its own (Redis slots) names the partition itself
/// ([`Mesh::call_partition`](crate::Mesh::call_partition)).
#[must_use]
pub fn partition_of(key: &[u8]) -> usize {
    const { assert!(PARTITIONS == 1 << 8) };
    (hash_v1(key) >> 56) as usize
}

/// All 64 bits of what [`partition_of`] takes eight of. Fixed for ever: partitioners stand on it.
pub(crate) fn hash_v1(key: &[u8]) -> u64 {
    mix(key.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}

/// MurmurHash3's 64-bit finalizer: FNV alone leaves the top bits of short keys nearly equal.
pub(crate) fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::{PARTITIONS, ShardMap, partition_of};
    use crate::ShardId;

    #[test]
    fn even_maps_are_even_and_whole() {
        for shards in [1, 2, 3, 7, 8, 24, 255, 256] {
            let map = ShardMap::even(shards);
            assert_eq!((map.epoch(), map.shards()), (1, shards));
            let sizes: Vec<usize> = (0..shards)
                .map(|shard| map.owned_by(ShardId::at(shard)).count())
                .collect();
            assert_eq!(sizes.iter().sum::<usize>(), PARTITIONS, "{shards} shards");
            let (least, most) = (sizes.iter().min(), sizes.iter().max());
            assert!(
                most.unwrap() - least.unwrap() <= 1,
                "{shards} shards: {sizes:?}"
            );
            assert!(
                map.owned_by(ShardId::new(0))
                    .all(|p| map.owner(p) == ShardId::new(0))
            );
        }
    }

    #[test]
    #[should_panic(expected = "cannot be spread over 257 shards")]
    fn more_shards_than_partitions_are_refused() {
        let _ = ShardMap::even(257);
    }

    /// Stored data lies where these rows say. A change here loses data.
    #[test]
    fn placement_version_1_never_changes() {
        let rows: [(&[u8], usize); 6] = [
            (b"", 239),
            (b"a", 130),
            (b"foobar", 44),
            (b"key:1", 56),
            (b"key:2", 96),
            (b"\x00\xff", 172),
        ];
        for (key, partition) in rows {
            assert_eq!(partition_of(key), partition, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn short_keys_spread() {
        let mut count = [0u32; PARTITIONS];
        (0..25_600).for_each(|n| count[partition_of(format!("k{n}").as_bytes())] += 1);
        let (least, most) = (count.iter().min().unwrap(), count.iter().max().unwrap());
        assert!(
            *least > 60 && *most < 140,
            "{least}..{most} of 100 expected"
        );
    }
}
