//! The node-wide memory limits without shared counters: shards tell each other what they use. Of `maxmemory` each may
//! take what the others' last word leaves; where clients hold more than `maxmemory-clients`, the shard with the largest
//! ends it.

use corelane::ShardId;

use crate::node::Node;

/// What one shard uses, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// By its keyspace.
    pub keys: u64,
    /// By its clients, where they are limited.
    pub clients: u64,
    /// By its largest client that may be evicted.
    pub largest_client: u64,
}

impl MemoryUse {
    fn differs(self, other: Self) -> bool {
        let pairs = [
            (self.keys, other.keys),
            (self.clients, other.clients),
            (self.largest_client, other.largest_client),
        ];
        pairs.iter().any(|(a, b)| a.abs_diff(*b) >= TELL_BYTES)
    }
}

/// What this shard knows of the others' memory.
#[derive(Debug)]
pub(crate) struct NodeMemory {
    uses: Vec<MemoryUse>,
    /// This shard's own last word, if all have heard it.
    told: Option<MemoryUse>,
}

/// A change below this is not worth a message; the limits are exact to this much per shard.
const TELL_BYTES: u64 = 256 * 1024;

impl NodeMemory {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            uses: vec![MemoryUse::default(); shards],
            told: Some(MemoryUse::default()),
        }
    }

    /// Another shard's word.
    pub(crate) fn heard(&mut self, from: ShardId, used: MemoryUse) {
        self.uses[from.index()] = used;
    }

    /// Whether the others should hear of this shard's use.
    pub(crate) fn should_tell(&mut self, used: MemoryUse) -> bool {
        let telling = self.told.is_none_or(|told| used.differs(told));
        if telling {
            self.told = Some(used);
        }
        telling
    }

    /// Somebody could not be told: tell again.
    pub(crate) fn not_told(&mut self) {
        self.told = None;
    }

    /// What shard `me` may use of a limit for the whole node; 0 for no limit.
    pub(crate) fn share_bytes(&self, limit_bytes: u64, me: ShardId) -> u64 {
        if limit_bytes == 0 {
            return 0;
        }
        limit_bytes.saturating_sub(self.others_key_bytes(me)).max(1)
    }

    fn others(&self, me: ShardId) -> impl Iterator<Item = &MemoryUse> {
        let each = self.uses.iter().enumerate();
        each.filter(move |(i, _)| *i != me.index())
            .map(|(_, used)| used)
    }

    /// Bytes that the keyspaces of the other shards use.
    pub(crate) fn others_key_bytes(&self, me: ShardId) -> u64 {
        self.others(me).map(|used| used.keys).sum()
    }

    /// Bytes that the clients of the other shards hold.
    pub(crate) fn others_client_bytes(&self, me: ShardId) -> u64 {
        self.others(me).map(|used| used.clients).sum()
    }

    /// What a client of shard `me` must hold at least to be the largest of all; of equals, the one of the first shard is.
    pub(crate) fn largest_elsewhere(&self, me: ShardId) -> u64 {
        let each = self.uses.iter().enumerate();
        let others = each.filter(|(i, _)| *i != me.index());
        let least = others.map(|(i, used)| used.largest_client + u64::from(i < me.index()));
        least.max().unwrap_or(0)
    }
}

/// The most memory that the node has used, as this shard knows it.
#[derive(Debug, Default)]
pub(crate) struct PeakMemory {
    bytes: u64,
    /// This shard alone.
    own_bytes: u64,
    /// Partitions that had moved at the last look, and when that last changed.
    moved: u64,
    moved_at_ns: Option<u64>,
}

/// How partitions move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moves {
    /// How many have moved so far.
    pub(crate) done: u64,
    /// Whether the node is being resized.
    pub(crate) is_resizing: bool,
}

/// After a partition has moved, what shards have told counts it twice, or not at all, until all have told again.
const UNSETTLED_NS: u64 = 1_000_000_000;

impl Moves {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            done: node.mesh().partitions_moved(),
            is_resizing: node.mesh().resizing().is_some(),
        }
    }
}

impl PeakMemory {
    /// Takes in what the node uses by what this shard knows.
    pub(crate) fn look(&mut self, now_ns: u64, moves: Moves, used_bytes: u64) {
        if moves.is_resizing || self.moved != moves.done {
            self.moved = moves.done;
            self.moved_at_ns = Some(now_ns);
        }
        let is_settled = |at_ns| now_ns.saturating_sub(at_ns) >= UNSETTLED_NS;
        if self.moved_at_ns.is_none_or(is_settled) {
            self.bytes = self.bytes.max(used_bytes);
        }
    }

    /// Takes in what this shard uses alone.
    pub(crate) fn look_at_own(&mut self, used_bytes: u64) {
        self.own_bytes = self.own_bytes.max(used_bytes);
    }

    /// The most that this shard has used alone.
    pub(crate) fn own_bytes(&self) -> u64 {
        self.own_bytes
    }

    /// The most so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: u64) -> MemoryUse {
        MemoryUse {
            keys,
            ..MemoryUse::default()
        }
    }

    #[test]
    fn one_shard_has_the_largest_client() {
        let mut memory = NodeMemory::new(3);
        let largest = |largest_client| MemoryUse {
            largest_client,
            clients: 2 * largest_client,
            ..MemoryUse::default()
        };
        memory.heard(ShardId::new(0), largest(50));
        memory.heard(ShardId::new(2), largest(50));
        assert_eq!(memory.largest_elsewhere(ShardId::new(0)), 50);
        assert_eq!(memory.largest_elsewhere(ShardId::new(1)), 51);
        assert_eq!(memory.largest_elsewhere(ShardId::new(2)), 51);
        assert_eq!(memory.others_client_bytes(ShardId::new(0)), 100);
        assert_eq!(memory.others_client_bytes(ShardId::new(1)), 200);
    }

    #[test]
    fn a_shard_may_use_what_the_others_leave() {
        #[track_caller]
        fn check(limit: u64, others: &[(u16, u64)], expected: u64) {
            let mut memory = NodeMemory::new(4);
            for (shard, used) in others {
                memory.heard(ShardId::new(*shard), keys(*used));
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
    fn the_peak_stays_and_is_not_looked_for_while_partitions_move() {
        #[track_caller]
        fn check(looks: &[(u64, u64, bool, u64)], expected: u64) {
            let mut peak = PeakMemory::default();
            for (at_ms, done, is_resizing, used) in looks {
                let (done, is_resizing) = (*done, *is_resizing);
                peak.look(at_ms * 1_000_000, Moves { done, is_resizing }, *used);
            }
            assert_eq!(peak.bytes(), expected);
        }
        check(&[], 0);
        let still = |at_ms, used| (at_ms, 0, false, used);
        check(&[still(100, 50), still(200, 70), still(300, 60)], 70);
        // Counted twice for a moment.
        let moved = |at_ms, used| (at_ms, 3, false, used);
        check(&[still(100, 50), moved(200, 90), moved(1_199, 95)], 50);
        check(&[still(100, 50), moved(200, 90), moved(1_200, 60)], 60);
        let moving = |at_ms, used| (at_ms, 0, true, used);
        check(&[still(100, 50), moving(200, 90), still(1_199, 95)], 50);
        check(&[moving(100, 50), moving(5_000, 90), still(6_000, 40)], 40);
        let mut own = PeakMemory::default();
        own.look_at_own(40);
        own.look_at_own(30);
        assert_eq!((own.own_bytes(), own.bytes()), (40, 0));
    }

    #[test]
    fn who_was_not_told_is_told_again() {
        let mut memory = NodeMemory::new(2);
        assert!(!memory.should_tell(keys(TELL_BYTES - 1)));
        assert!(memory.should_tell(keys(TELL_BYTES)));
        assert!(!memory.should_tell(keys(TELL_BYTES)));
        memory.not_told();
        assert!(memory.should_tell(keys(TELL_BYTES)));
        assert!(!memory.should_tell(keys(TELL_BYTES)));
    }
}
