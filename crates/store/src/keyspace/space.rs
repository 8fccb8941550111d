//! The keyspace itself: what it is made of, how one gets at a table, and its counts.

use corelane_wire::slot::slot_of;

use crate::expiry::Sweep;
use crate::table::{Rehash, Table};

use super::lazy_free::LazyFree;
use super::{Counts, Db, Hasher, Key, PARTITIONS, Partition};

/// One shard's keys.
#[derive(Debug)]
pub struct Keyspace {
    pub(super) partitions: Box<[Option<Box<Partition>>; PARTITIONS]>,
    pub(super) hasher: Hasher,
    /// Per database, over all partitions held.
    pub(super) totals: Box<[Counts]>,
    /// Bytes of all databases together.
    pub(super) live_bytes: u64,
    pub(super) lazy_free: LazyFree,
    pub(super) sweep: Sweep,
    pub(super) expired: u64,
}

impl Keyspace {
    /// A keyspace that holds all partitions.
    ///
    /// All shards of a node are given the same `databases` and the same secret, random `seed`: the
    /// order of keys within a slot follows from it, and partitions move between shards as they are.
    pub fn new(databases: u16, seed: u64) -> Self {
        Self::holding(databases, seed, |_| true)
    }

    /// A keyspace that holds the partitions which `held` accepts. Keys of others are neither looked
    /// for nor set here; SCAN stops where they begin.
    pub fn holding(databases: u16, seed: u64, held: impl Fn(usize) -> bool) -> Self {
        let partition = |p| held(p).then(|| Box::new(Partition::new(databases)));
        Self {
            partitions: Box::new(std::array::from_fn(partition)),
            hasher: Hasher::new(seed),
            totals: vec![Counts::default(); databases as usize].into(),
            live_bytes: 0,
            lazy_free: LazyFree::default(),
            sweep: Sweep::default(),
            expired: 0,
        }
    }

    /// Number of databases.
    pub fn databases(&self) -> u16 {
        self.totals.len() as u16
    }

    /// Names a key; `slot` if the caller has worked it out already.
    #[inline]
    pub fn key<'k>(&self, name: &'k [u8], slot: Option<u16>) -> Key<'k> {
        let slot = slot.unwrap_or_else(|| slot_of(name));
        Key {
            name,
            slot,
            hash: self.hasher.hash(name),
        }
    }

    /// Keys and memory of a database.
    pub fn counts(&self, db: u16) -> Counts {
        self.totals[db as usize]
    }

    /// Keys in a database, those that expired unseen included.
    #[inline]
    pub fn len(&self, db: u16) -> u64 {
        self.totals[db as usize].keys
    }

    /// Whether no database has a key.
    pub fn is_empty(&self) -> bool {
        self.totals.iter().all(|counts| counts.keys == 0)
    }

    /// Keys in a database that have an expiry.
    #[inline]
    pub fn volatile(&self, db: u16) -> u64 {
        self.totals[db as usize].volatile
    }

    /// Keys in a slot of a database.
    pub fn len_of_slot(&self, db: u16, slot: u16) -> u64 {
        self.db_of_slot(db, slot)
            .map_or(0, |(db, table)| u64::from(db.tables[table].len()))
    }

    /// Keys that expired since this keyspace was made.
    pub fn expired_total(&self) -> u64 {
        self.expired
    }

    /// Bytes of memory that keys, values and tables take, what waits to be freed included. Counted
    /// in the allocator's size classes, so that it is memory taken, not memory asked for.
    #[inline]
    pub fn used_bytes(&self) -> u64 {
        self.live_bytes + self.lazy_free.bytes()
    }

    /// Whether more than `max_bytes` are in use; 0 is no limit. What is on its way to be freed does
    /// not count.
    #[inline]
    pub fn over_limit(&self, max_bytes: u64) -> bool {
        max_bytes != 0 && self.live_bytes > max_bytes
    }

    /// Brings the bucket of a key closer: the first of two hints that hide the memory's latency when
    /// the keys of many commands are known ahead. See [`prefetch_entry`](Self::prefetch_entry).
    #[inline]
    pub fn prefetch(&self, db: u16, key: &Key<'_>) {
        if let Some(table) = self.table(db, key) {
            table.prefetch_bucket(key.hash);
        }
    }

    /// Brings the entry of a key closer, some time after [`prefetch`](Self::prefetch) for it.
    #[inline]
    pub fn prefetch_entry(&self, db: u16, key: &Key<'_>) {
        if let Some(table) = self.table(db, key) {
            table.prefetch_entry(key.hash);
        }
    }

    /// The table of a key, if its partition is held and the database was ever used there.
    #[inline]
    pub(super) fn table(&self, db: u16, key: &Key<'_>) -> Option<&Table> {
        let partition = self.partitions[key.partition()].as_deref()?;
        Some(&partition.dbs[db as usize].as_deref()?.tables[key.table()])
    }

    /// Changes the table of a key, if there is one, and keeps the totals.
    #[inline]
    pub(super) fn with_table<'s, R>(
        &'s mut self,
        db: u16,
        key: &Key<'_>,
        change: impl FnOnce(&'s mut Table, &mut Counts) -> R,
    ) -> Option<R> {
        let partition = self.partitions[key.partition()].as_deref_mut()?;
        let home = partition.dbs[db as usize].as_deref_mut()?;
        let before = home.counts;
        let result = change(&mut home.tables[key.table()], &mut home.counts);
        settle(
            &mut self.totals[db as usize],
            &mut self.live_bytes,
            before,
            home.counts,
        );
        Some(result)
    }

    /// Changes the table of a key, made if need be, and keeps the totals.
    ///
    /// # Panics
    /// If the key's partition is not held: the router sent it to the wrong shard.
    #[inline]
    pub(super) fn with_made_table<'s, R>(
        &'s mut self,
        db: u16,
        key: &Key<'_>,
        change: impl FnOnce(&'s mut Table, Rehash<'_>, &mut Counts) -> R,
    ) -> R {
        let Some(partition) = self.partitions[key.partition()].as_deref_mut() else {
            panic!("partition {} is not on this shard", key.partition());
        };
        let mut before = Counts::default();
        let home = match &mut partition.dbs[db as usize] {
            Some(home) => {
                before = home.counts;
                home
            }
            none => none.insert(Db::new()),
        };
        let hasher = &self.hasher;
        let rehash: Rehash<'_> = &|name| hasher.hash(name);
        let result = change(&mut home.tables[key.table()], rehash, &mut home.counts);
        settle(
            &mut self.totals[db as usize],
            &mut self.live_bytes,
            before,
            home.counts,
        );
        result
    }

    /// A slot's partition's share of a database, and the slot's table in it.
    pub(super) fn db_of_slot(&self, db: u16, slot: u16) -> Option<(&Db, usize)> {
        let (partition, table) = (slot as usize / 64, slot as usize % 64);
        let home = self.partitions[partition].as_deref()?.dbs[db as usize].as_deref()?;
        Some((home, table))
    }
}

/// Brings the totals up to date after a database's counts went from `before` to `after`.
#[inline]
pub(super) fn settle(total: &mut Counts, live_bytes: &mut u64, before: Counts, after: Counts) {
    *total += after;
    *total -= before;
    *live_bytes = *live_bytes + after.bytes() - before.bytes();
}
