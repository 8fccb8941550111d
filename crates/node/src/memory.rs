//! The node-wide memory limit without shared counters: shards tell each other what they use, and
//! each may take what the limit leaves above the others' last word.

use corelane::ShardId;

/// What this shard knows of the others' memory.
#[derive(Debug)]
pub(crate) struct NodeMemory {
    used_bytes: Vec<u64>,
    /// This shard's own last word, if all have heard it.
    told_bytes: Option<u64>,
}

/// A change below this is not worth a message; the limit is exact to this much per shard.
const TELL_BYTES: u64 = 256 * 1024;

impl NodeMemory {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            used_bytes: vec![0; shards],
            told_bytes: Some(0),
        }
    }

    /// Another shard's word.
    pub(crate) fn heard(&mut self, from: ShardId, used_bytes: u64) {
        self.used_bytes[from.index()] = used_bytes;
    }

    /// Whether the others should hear of this shard's use.
    pub(crate) fn should_tell(&mut self, used_bytes: u64) -> bool {
        let telling = self
            .told_bytes
            .is_none_or(|told| used_bytes.abs_diff(told) >= TELL_BYTES);
        if telling {
            self.told_bytes = Some(used_bytes);
        }
        telling
    }

    /// Somebody could not be told: tell again.
    pub(crate) fn not_told(&mut self) {
        self.told_bytes = None;
    }

    /// What shard `me` may use of a limit for the whole node; 0 for no limit.
    pub(crate) fn share_bytes(&self, limit_bytes: u64, me: ShardId) -> u64 {
        if limit_bytes == 0 {
            return 0;
        }
        let others = self
            .used_bytes
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != me.index());
        let others: u64 = others.map(|(_, used)| used).sum();
        limit_bytes.saturating_sub(others).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_may_use_what_the_others_leave() {
        #[track_caller]
        fn check(limit: u64, others: &[(u16, u64)], expected: u64) {
            let mut memory = NodeMemory::new(4);
            for (shard, used) in others {
                memory.heard(ShardId::new(*shard), *used);
            }
            assert_eq!(memory.share_bytes(limit, ShardId::new(0)), expected);
        }
        check(0, &[(1, 50)], 0);
        check(100, &[], 100);
        check(100, &[(1, 30), (2, 30)], 40);
        check(100, &[(1, 30), (1, 10)], 90);
        check(100, &[(1, 90), (2, 90)], 1);
        check(100, &[(0, 90)], 100);
    }

    #[test]
    fn who_was_not_told_is_told_again() {
        let mut memory = NodeMemory::new(2);
        assert!(!memory.should_tell(TELL_BYTES - 1));
        assert!(memory.should_tell(TELL_BYTES));
        assert!(!memory.should_tell(TELL_BYTES));
        memory.not_told();
        assert!(memory.should_tell(TELL_BYTES));
        assert!(!memory.should_tell(TELL_BYTES));
    }
}
