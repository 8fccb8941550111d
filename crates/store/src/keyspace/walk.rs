//! Walking a database: SCAN and random keys.

use corelane_wire::slot::SLOTS;

use crate::table::Position;

use super::cursor::{cursor_of, position_of};
use super::{Keyspace, SLOTS_PER_PARTITION, Value};

/// Buckets that a SCAN looks at per key it was asked for, where few hold any.
const BUCKETS_PER_KEY: usize = 10;

/// Keys tried for a random one that has not expired.
const RANDOM_TRIES: usize = 100;

impl Keyspace {
    /// Visits keys from `cursor` (0: the start) on: about `count` of them, fewer where many buckets are
    /// empty. Returns the cursor to go on from, 0 at the end.
    ///
    /// A key that is in the database during a whole walk from 0 to 0 is visited at least once,
    /// whatever else is added and removed meanwhile. A walk stops at the first partition that is not held
    /// here; its owner goes on with the same cursor. Keys whose time has come are not visited; their
    /// names are added to `expired`.
    pub fn scan(
        &self,
        db: u16,
        cursor: u64,
        count: usize,
        now_ms: u64,
        expired: &mut Vec<Box<[u8]>>,
        mut visit: impl FnMut(Value<'_>),
    ) -> u64 {
        let Some((mut slot, mut at)) = position_of(cursor) else {
            return 0;
        };
        let mut buckets_left = count.saturating_mul(BUCKETS_PER_KEY);
        let mut keys_left = count;
        while slot < SLOTS && self.holds(slot as usize / SLOTS_PER_PARTITION) {
            let Some((home, table)) = self.db_of_slot(db, slot) else {
                (slot, at) = (next_partition(slot), Position::default());
                continue;
            };
            if home.tables[table].len() == 0 {
                (slot, at) = (slot + 1, Position::default());
                continue;
            }
            if keys_left == 0 || buckets_left == 0 {
                break;
            }
            buckets_left -= 1;
            let next = home.tables[table].visit(at, &mut |word| {
                keys_left = keys_left.saturating_sub(1);
                if word.is_expired(now_ms) {
                    expired.push(word.entry().key().into());
                } else {
                    visit(Value(word.entry()));
                }
            });
            match next {
                Some(next) => at = next,
                None => (slot, at) = (slot + 1, Position::default()),
            }
        }
        cursor_of(slot, at)
    }

    /// One key by chance, nearly uniformly; `None` if there is none, or if nearly all have expired.
    pub fn random(&self, db: u16, rng: &mut fastrand::Rng, now_ms: u64) -> Option<Value<'_>> {
        (0..RANDOM_TRIES)
            .map_while(|_| self.random_of_all(db, rng))
            .find(|value| !value.is_expired(now_ms))
    }

    fn random_of_all(&self, db: u16, rng: &mut fastrand::Rng) -> Option<Value<'_>> {
        let mut skipped = rng.u64(..self.len(db).max(1));
        let homes = self
            .partitions
            .iter()
            .flatten()
            .filter_map(|p| p.dbs[db as usize].as_deref());
        for home in homes {
            if skipped >= home.counts.keys {
                skipped -= home.counts.keys;
                continue;
            }
            for table in &home.tables {
                if skipped < u64::from(table.len()) {
                    return table.random(rng).map(|word| Value(word.entry()));
                }
                skipped -= u64::from(table.len());
            }
        }
        None
    }
}

/// The first slot of the partition after that of `slot`.
fn next_partition(slot: u16) -> u16 {
    (slot as usize / SLOTS_PER_PARTITION * SLOTS_PER_PARTITION + SLOTS_PER_PARTITION) as u16
}
