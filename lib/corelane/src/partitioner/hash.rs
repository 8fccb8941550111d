//! Plain hashing: the cheapest placement, and the one that stored partitions have.

use super::place::check_targets;
use super::{PartitionError, Partitioner};
use crate::map::hash_v1;

/// Spreads keys evenly by a fixed hash, version 1: that of [`partition_of`](crate::partition_of), which
/// is this one for 256 targets.
///
/// Target `t` of `n` has the hashes from `t/n` to `(t+1)/n` of the whole. Another number of targets
/// therefore moves about half of the keys: have more partitions than workers and move those, or take a
/// [`Ring`](super::Ring) or [`Rendezvous`](super::Rendezvous).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash {
    targets: usize,
}

impl Hash {
    /// For `targets` targets.
    ///
    /// # Errors
    /// If there are none, or more than [`MAX_TARGETS`](super::MAX_TARGETS).
    pub fn new(targets: usize) -> Result<Self, PartitionError> {
        check_targets(targets).map(|targets| Self { targets })
    }
}

impl Partitioner for Hash {
    fn place(&self, key: &[u8]) -> usize {
        ((u128::from(hash_v1(key)) * self.targets as u128) >> 64) as usize
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        Ok(Box::new(Self::new(targets)?))
    }

    fn name(&self) -> &'static str {
        "hash-v1"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{balance, keys};
    use super::{Hash, Partitioner};
    use crate::{PARTITIONS, partition_of};

    #[test]
    fn on_256_targets_it_is_the_stored_placement() {
        let hash = Hash::new(PARTITIONS).unwrap();
        keys(10_000).for_each(|key| assert_eq!(hash.place(&key), partition_of(&key)));
    }

    #[test]
    fn keys_spread_evenly() {
        for targets in [1, 2, 3, 7, 16, 100] {
            let (least, most) = balance(&Hash::new(targets).unwrap(), 1000 * targets);
            assert!(
                least > 0.85 && most < 1.15,
                "{targets}: {least:.2}..{most:.2}"
            );
        }
    }
}
