//! A shard's keys.

use std::collections::BTreeMap;

use corelane_wire::slot::{SLOTS, slot_of};

mod key;
mod value;

pub use key::{Expire, Key, Prior};
pub use value::{Detached, Str, Value};

use value::Payload;

/// Slots of one partition.
pub const SLOTS_PER_PARTITION: usize = 64;

/// Partitions of a keyspace, on all shards together.
pub const PARTITIONS: usize = SLOTS as usize / SLOTS_PER_PARTITION;

/// One shard's keys.
#[derive(Debug)]
pub struct Keyspace {
    seed: u64,
    dbs: Vec<BTreeMap<(u16, Vec<u8>), Detached>>,
    held: Vec<bool>,
    bytes: usize,
    expired: u64,
}

/// A partition.
#[derive(Debug)]
pub struct Partition {
    dbs: Vec<BTreeMap<(u16, Vec<u8>), Detached>>,
}

/// The slot in which a SCAN cursor stands: its partition's owner is to be asked next.
pub fn slot_of_cursor(cursor: u64) -> u16 {
    ((cursor >> 39) & 0x3fff) as u16
}

impl Keyspace {
    /// A keyspace that holds all partitions. All shards of a node use one `seed`.
    pub fn new(databases: u16, seed: u64) -> Self {
        Self::holding(databases, seed, |_| true)
    }

    /// A keyspace that holds the partitions which `held` accepts.
    pub fn holding(databases: u16, seed: u64, held: impl Fn(usize) -> bool) -> Self {
        Self {
            seed,
            dbs: vec![BTreeMap::new(); databases as usize],
            held: (0..PARTITIONS).map(held).collect(),
            bytes: 0,
            expired: 0,
        }
    }

    /// Number of databases.
    pub fn databases(&self) -> u16 {
        self.dbs.len() as u16
    }

    /// Names a key; `slot` if the caller knows it already.
    #[inline]
    pub fn key<'k>(&self, name: &'k [u8], slot: Option<u16>) -> Key<'k> {
        Key { name, slot: slot.unwrap_or_else(|| slot_of(name)), hash: self.seed }
    }

    /// The value of a key; marks it as used now. `None` also if it has expired.
    pub fn get(&mut self, db: u16, key: &Key<'_>, now_ms: u64) -> Option<Value<'_>> {
        let entry = self.dbs[db as usize].get_mut(&at(key))?;
        entry.used_ms = now_ms;
        Some(Value { name: entry.name(), entry }).filter(|v| !v.is_expired(now_ms))
    }

    /// The value of a key. `None` also if it has expired.
    pub fn peek(&self, db: u16, key: &Key<'_>, now_ms: u64) -> Option<Value<'_>> {
        let entry = self.dbs[db as usize].get(&at(key))?;
        Some(Value { name: entry.name(), entry }).filter(|v| !v.is_expired(now_ms))
    }

    /// Sets a key to a string; a canonical integer is kept as one.
    pub fn set_bytes(&mut self, db: u16, key: &Key<'_>, value: &[u8], expire: Expire, now_ms: u64) -> Prior {
        let payload = match value::parse_int(value) {
            Some(int) => Payload::Int(int),
            None => Payload::Bytes(value.to_vec()),
        };
        self.store(db, key, payload, expire, now_ms)
    }

    /// Sets a key to an integer.
    pub fn set_int(&mut self, db: u16, key: &Key<'_>, value: i64, expire: Expire, now_ms: u64) -> Prior {
        self.store(db, key, Payload::Int(value), expire, now_ms)
    }

    fn store(&mut self, db: u16, key: &Key<'_>, payload: Payload, expire: Expire, now_ms: u64) -> Prior {
        let old = self.dbs[db as usize].get(&at(key));
        let prior = match old {
            None => Prior::Missing,
            Some(old) if old.expire_at_ms.is_some_and(|t| t <= now_ms) => Prior::Expired,
            Some(_) => Prior::Live,
        };
        let expire_at_ms = match expire {
            Expire::Clear => None,
            Expire::At(ms) => Some(ms),
            Expire::Keep => old.filter(|_| prior == Prior::Live).and_then(|old| old.expire_at_ms),
        };
        let entry = Detached { name: key.name.to_vec(), payload, expire_at_ms, used_ms: now_ms };
        self.dbs[db as usize].insert(at(key), entry);
        self.expired += u64::from(prior == Prior::Expired);
        prior
    }

    /// Appends to a string, which comes into being if it is missing. Returns its new length.
    pub fn append(&mut self, db: u16, key: &Key<'_>, tail: &[u8], now_ms: u64) -> usize {
        let bytes = self.bytes_vec(db, key, now_ms);
        bytes.extend_from_slice(tail);
        bytes.len()
    }

    /// The bytes of a string, made and filled up with zeros to `min_bytes`.
    pub fn bytes_mut(&mut self, db: u16, key: &Key<'_>, min_bytes: usize, now_ms: u64) -> &mut [u8] {
        let bytes = self.bytes_vec(db, key, now_ms);
        if bytes.len() < min_bytes {
            bytes.resize(min_bytes, 0);
        }
        bytes
    }

    fn bytes_vec(&mut self, db: u16, key: &Key<'_>, now_ms: u64) -> &mut Vec<u8> {
        let entry = self.dbs[db as usize].entry(at(key)).or_insert_with(|| Detached {
            name: key.name.to_vec(),
            payload: Payload::Bytes(Vec::new()),
            expire_at_ms: None,
            used_ms: now_ms,
        });
        entry.payload.as_raw()
    }

    /// Removes a key. Returns whether it was there.
    pub fn remove(&mut self, db: u16, key: &Key<'_>) -> bool {
        self.take(db, key).is_some()
    }

    /// Removes a key whose time has come. Returns whether it did.
    pub fn remove_expired(&mut self, db: u16, key: &Key<'_>, now_ms: u64) -> bool {
        let due = self.dbs[db as usize]
            .get(&at(key))
            .is_some_and(|old| old.expire_at_ms.is_some_and(|t| t <= now_ms));
        self.expired += u64::from(due);
        due && self.remove(db, key)
    }

    /// Removes a key and hands its value over.
    pub fn take(&mut self, db: u16, key: &Key<'_>) -> Option<Detached> {
        self.dbs[db as usize].remove(&at(key))
    }

    /// Puts a detached value under a key. Returns whether the key existed.
    pub fn put(&mut self, db: u16, key: &Key<'_>, mut value: Detached, now_ms: u64) -> bool {
        value.name = key.name.to_vec();
        value.used_ms = now_ms;
        self.dbs[db as usize].insert(at(key), value).is_some()
    }

    /// Sets or removes a key's expiry. Returns whether the key is there.
    pub fn set_expire(&mut self, db: u16, key: &Key<'_>, at_ms: Option<u64>) -> bool {
        match self.dbs[db as usize].get_mut(&at(key)) {
            Some(entry) => {
                entry.expire_at_ms = at_ms;
                true
            }
            None => false,
        }
    }

    /// Keys in a database.
    pub fn len(&self, db: u16) -> u64 {
        self.dbs[db as usize].len() as u64
    }

    /// Keys in a database that have an expiry.
    pub fn volatile(&self, db: u16) -> u64 {
        self.dbs[db as usize].values().filter(|e| e.expire_at_ms.is_some()).count() as u64
    }

    /// Keys that expired since this keyspace was made.
    pub fn expired_total(&self) -> u64 {
        self.expired
    }

    /// One key by chance.
    pub fn random(&self, db: u16, rng: &mut fastrand::Rng, now_ms: u64) -> Option<Value<'_>> {
        let map = &self.dbs[db as usize];
        let live: Vec<_> = map.values().filter(|e| e.expire_at_ms.is_none_or(|t| t > now_ms)).collect();
        if live.is_empty() {
            return None;
        }
        let entry = live[rng.usize(..live.len())];
        Some(Value { name: entry.name(), entry })
    }

    /// Visits keys from `cursor` on.
    pub fn scan(
        &self,
        db: u16,
        cursor: u64,
        count: usize,
        now_ms: u64,
        expired: &mut Vec<Box<[u8]>>,
        mut visit: impl FnMut(Value<'_>),
    ) -> u64 {
        let (mut slot, mut seen) = (slot_of_cursor(cursor), 0);
        while slot < SLOTS {
            if !self.held[slot as usize / SLOTS_PER_PARTITION] || seen >= count {
                return u64::from(slot) << 39;
            }
            let range = (slot, Vec::new())..(slot + 1, Vec::new());
            for entry in self.dbs[db as usize].range(range).map(|(_, e)| e) {
                let value = Value { name: entry.name(), entry };
                if value.is_expired(now_ms) {
                    expired.push(value.name.into());
                } else {
                    visit(value);
                }
                seen += 1;
            }
            slot += 1;
        }
        0
    }

    /// Removes all keys of a database.
    pub fn clear(&mut self, db: u16) {
        self.dbs[db as usize].clear();
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, a: u16, b: u16) {
        self.dbs.swap(a as usize, b as usize);
    }

    /// Bytes in use.
    pub fn used_bytes(&self) -> usize {
        self.bytes
    }

    /// Whether `max_bytes` (0: no limit) are used up.
    #[inline]
    pub fn over_limit(&self, max_bytes: u64) -> bool {
        max_bytes != 0 && self.bytes as u64 > max_bytes
    }
}

fn at(key: &Key<'_>) -> (u16, Vec<u8>) {
    (key.slot, key.name.to_vec())
}
