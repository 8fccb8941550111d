//! One slice of active expiry; the policy is in [`crate::expiry`].

use crate::expiry::ExpireSlice;
use crate::table::Position;

use super::space::settle;
use super::{Keyspace, PARTITIONS, SLOTS_PER_PARTITION};

/// Buckets that a slice looks at per key of its budget, where few keys have an expiry.
const BUCKETS_PER_KEY: usize = 4;

/// Databases, partitions and tables without a volatile key that a slice passes over, a few ns each.
const MAX_PASSED: usize = 8192;

impl Keyspace {
    /// Removes keys whose time has come, looking at about `budget` keys that have an expiry, and names
    /// each to `removed` with its database. Goes on next time where it stopped.
    pub fn expire_slice(
        &mut self,
        now_ms: u64,
        budget: usize,
        mut removed: impl FnMut(u16, &[u8]),
    ) -> ExpireSlice {
        let mut slice = ExpireSlice::default();
        let mut buckets = 0;
        for _ in 0..MAX_PASSED {
            while self.on_volatile_table() {
                if slice.examined >= budget || buckets >= budget * BUCKETS_PER_KEY {
                    return slice;
                }
                buckets += 1;
                self.sweep_bucket(now_ms, &mut slice, &mut removed);
            }
            self.pass();
        }
        slice
    }

    /// Whether the sweep stands on a table that has keys with an expiry.
    fn on_volatile_table(&self) -> bool {
        let sweep = &self.sweep;
        self.volatile(sweep.db) > 0
            && self.partitions[sweep.partition]
                .as_deref()
                .and_then(|p| p.dbs[sweep.db as usize].as_deref())
                .is_some_and(|home| home.tables[sweep.table].volatile() > 0)
    }

    /// Moves the sweep on, past as much as has no key with an expiry.
    fn pass(&mut self) {
        let (databases, volatile) = (self.databases(), self.volatile(self.sweep.db));
        let sweep = &mut self.sweep;
        let home = self.partitions[sweep.partition]
            .as_deref()
            .and_then(|p| p.dbs[sweep.db as usize].as_deref());
        sweep.at = Position::default();
        sweep.table += 1;
        if sweep.table == SLOTS_PER_PARTITION || home.is_none_or(|h| h.counts.volatile == 0) {
            sweep.table = 0;
            sweep.partition += 1;
        }
        if sweep.partition == PARTITIONS || volatile == 0 {
            (sweep.table, sweep.partition) = (0, 0);
            sweep.db = (sweep.db + 1) % databases;
        }
    }

    fn sweep_bucket(
        &mut self,
        now_ms: u64,
        slice: &mut ExpireSlice,
        removed: &mut impl FnMut(u16, &[u8]),
    ) {
        let sweep = &mut self.sweep;
        let Some(home) = self.partitions[sweep.partition]
            .as_deref_mut()
            .and_then(|p| p.dbs[sweep.db as usize].as_deref_mut())
        else {
            return;
        };
        let before = home.counts;
        let table = &mut home.tables[sweep.table];
        let next = table.expire(
            sweep.at,
            now_ms,
            &mut slice.examined,
            &mut home.counts,
            |word| {
                slice.removed += 1;
                removed(sweep.db, word.entry().key());
            },
        );
        self.expired += before.keys - home.counts.keys;
        let total = &mut self.totals[sweep.db as usize];
        settle(total, &mut self.live_bytes, before, home.counts);
        match next {
            Some(next) => sweep.at = next,
            None => self.pass(),
        }
    }
}
