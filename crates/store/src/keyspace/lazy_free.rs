//! Databases that were given up and wait to be freed in slices.
//!
//! FLUSHALL detaches tables in no time; freeing what is in them takes a hundred nanoseconds per key.
//! [`Keyspace::housekeep`] does it bit by bit, between commands. When a slice frees the last of 32 MB,
//! mimalloc gives them back to the kernel there and then, in 2 to 4 ms;
//! `MIMALLOC_PURGE_DELAY=-1` in the environment keeps the memory and takes the time away.

use std::collections::VecDeque;

use super::{Db, Keyspace};

/// The databases that wait, and how much memory comes back with them.
#[derive(Debug, Default)]
pub(super) struct LazyFree {
    waiting: VecDeque<Cleared>,
    bytes: u64,
}

#[derive(Debug)]
struct Cleared {
    db: Box<Db>,
    /// Tables before this one are empty.
    table: usize,
    bytes: u64,
}

/// Entries that FLUSHDB frees at once, so that small databases are gone when it answers.
const FREED_AT_ONCE: usize = 512;

/// Shares of databases that may wait. Who flushes faster than memory can be freed does the
/// freeing, too.
const MAX_WAITING: usize = 64 * 1024;

impl LazyFree {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn push(&mut self, db: Box<Db>) {
        let bytes = db.counts.bytes();
        self.bytes += bytes;
        self.waiting.push_back(Cleared {
            db,
            table: 0,
            bytes,
        });
    }

    /// Frees entries until `budget` are gone. Returns whether any wait still.
    fn free(&mut self, budget: usize) -> bool {
        let mut freed = 0;
        while freed < budget {
            let Some(cleared) = self.waiting.front_mut() else {
                return false;
            };
            match cleared
                .db
                .tables
                .get_mut(cleared.table)
                .map(|table| table.dismantle())
            {
                Some(Some((entries, bytes))) => {
                    freed += entries;
                    cleared.bytes -= bytes;
                    self.bytes -= bytes;
                }
                Some(None) => {
                    cleared.table += 1;
                    freed += 1;
                }
                None => {
                    self.bytes -= cleared.bytes;
                    self.waiting.pop_front();
                }
            }
        }
        !self.waiting.is_empty()
    }
}

impl Keyspace {
    /// Removes all keys of a database (`FLUSHDB`). The memory of many keys comes back bit by bit:
    /// see [`housekeep`](Self::housekeep).
    pub fn clear(&mut self, db: u16) {
        for partition in self.partitions.iter_mut().flatten() {
            if let Some(db) = partition.dbs[db as usize].take() {
                self.lazy_free.push(db);
            }
        }
        let total = std::mem::take(&mut self.totals[db as usize]);
        self.live_bytes -= total.bytes();
        while self.lazy_free.waiting.len() > MAX_WAITING {
            self.lazy_free.free(FREED_AT_ONCE);
        }
        self.lazy_free.free(FREED_AT_ONCE);
    }

    /// Frees about `budget` entries of databases that were cleared, a segment's at a time. Returns
    /// whether there is more to free: the caller lets others run and comes back.
    pub fn housekeep(&mut self, budget: usize) -> bool {
        self.lazy_free.free(budget)
    }
}
