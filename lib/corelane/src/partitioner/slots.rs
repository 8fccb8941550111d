//! Redis Cluster's slots as a placement, so that its clients' idea of where a key lives is ours.
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>, "Key distribution model"
//! and "Hash tags".

use crc::{CRC_16_XMODEM, Crc};

use super::{PartitionError, Partitioner};

/// Number of slots.
pub const SLOTS: usize = 16_384;

const CRC16: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// The slot of `key`: CRC-16/XMODEM of its [`hash_tag`], modulo [`SLOTS`].
#[must_use]
pub fn slot_of(key: &[u8]) -> usize {
    usize::from(CRC16.checksum(hash_tag(key))) % SLOTS
}

/// The part of `key` that decides its slot: what stands between its first `{` and the first `}` after it, if
/// that is not empty; else all of it. By such tags clients keep keys together.
#[must_use]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let tail = &key[open + 1..];
        let close = tail.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &tail[..close])
    });
    tag.unwrap_or(key)
}

/// Contiguous runs of slots, whose lengths differ by one at most. With 256 targets a target is a
/// partition of 64 slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    targets: usize,
}

impl Slots {
    /// For `targets` targets.
    ///
    /// # Errors
    /// If there are none, or more than [`SLOTS`].
    pub fn new(targets: usize) -> Result<Self, PartitionError> {
        match targets {
            0 => Err(PartitionError::NoTargets),
            1..=SLOTS => Ok(Self { targets }),
            _ => Err(PartitionError::TooManyTargets {
                targets,
                most: SLOTS,
            }),
        }
    }

    /// The target of a slot.
    ///
    /// # Panics
    /// If `slot` is not below [`SLOTS`].
    #[must_use]
    pub fn target_of(&self, slot: usize) -> usize {
        assert!(slot < SLOTS, "slot {slot} is not below {SLOTS}");
        slot * self.targets / SLOTS
    }
}

impl Partitioner for Slots {
    fn place(&self, key: &[u8]) -> usize {
        self.target_of(slot_of(key))
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        Ok(Box::new(Self::new(targets)?))
    }

    fn name(&self) -> &'static str {
        "slots-crc16"
    }
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, Slots, hash_tag, slot_of};

    /// What `CLUSTER KEYSLOT` answers, and the checksum's published check value.
    #[test]
    fn slots_are_those_of_redis_cluster() {
        let rows = [
            ("", 0),
            ("123456789", 0x31C3),
            ("foo", 12182),
            ("bar", 5061),
            ("hello", 866),
            ("somekey", 11058),
            ("foo{hash_tag}", 2515),
            ("bar{hash_tag}", 2515),
        ];
        for (key, slot) in rows {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
    }

    #[test]
    fn hash_tags_follow_the_cluster_specification() {
        let rows = [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo{bar", "foo{bar"),
            ("foo}bar{", "foo}bar{"),
            ("}{a}", "a"),
            ("{}", "{}"),
        ];
        for (key, tag) in rows {
            assert_eq!(hash_tag(key.as_bytes()), tag.as_bytes(), "{key}");
        }
    }

    #[test]
    fn slots_lie_in_even_runs() {
        let partitions = Slots::new(256).unwrap();
        assert!((0..SLOTS).all(|slot| partitions.target_of(slot) == slot / 64));
        for targets in [1, 3, 7, 1000, SLOTS] {
            let slots = Slots::new(targets).unwrap();
            let mut sizes = vec![0; targets];
            let placed: Vec<usize> = (0..SLOTS).map(|slot| slots.target_of(slot)).collect();
            assert!(placed.is_sorted(), "{targets} targets");
            placed.iter().for_each(|target| sizes[*target] += 1);
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 1, "{targets} targets: {least}..{most}");
        }
    }
}
