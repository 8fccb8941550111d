//! What can be done with one key.
//!
//! Every method that is given the time treats a key whose time has come as missing; those that are
//! not leave that to their caller ([`Keyspace::remove_expired`] first).

use crate::entry::{Payload, Word};
use crate::table::{Look, Rehash, Table};

use super::value::{clock, payload_of};
use super::{Counts, Detached, Expire, Key, Keyspace, Prior, Value};

/// What a look at a key found.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Missing,
    /// Its time had come; it has been removed.
    Expired,
    Live(Value<'a>),
}

impl Keyspace {
    /// The value of a key; marks it as used now. An expired key is removed.
    #[inline]
    pub fn get(&mut self, db: u16, key: &Key<'_>, now_ms: u64) -> Option<Value<'_>> {
        match self.look(db, key, now_ms, true) {
            Found::Live(value) => Some(value),
            Found::Missing | Found::Expired => None,
        }
    }

    /// The value of a key, unless it has expired. Changes nothing.
    #[inline]
    pub fn peek(&self, db: u16, key: &Key<'_>, now_ms: u64) -> Option<Value<'_>> {
        let word = self.table(db, key)?.peek(key.hash, key.name)?;
        Some(Value(word.entry())).filter(|_| !word.is_expired(now_ms))
    }

    /// Looks for a key, removes it if its time has come, marks it as used if `used`.
    #[inline]
    pub(crate) fn look(&mut self, db: u16, key: &Key<'_>, now_ms: u64, used: bool) -> Found<'_> {
        let Some(partition) = self.partitions[key.partition()].as_deref_mut() else {
            return Found::Missing;
        };
        let Some(home) = partition.dbs[db as usize].as_deref_mut() else {
            return Found::Missing;
        };
        let before = home.counts;
        match home.tables[key.table()].look(key.hash, key.name, now_ms, &mut home.counts) {
            Look::Missing => Found::Missing,
            Look::Expired => {
                self.expired += 1;
                let total = &mut self.totals[db as usize];
                super::space::settle(total, &mut self.live_bytes, before, home.counts);
                Found::Expired
            }
            Look::Live(word) => {
                if used {
                    word.set_clock(clock(now_ms));
                }
                Found::Live(Value(word.entry()))
            }
        }
    }

    /// Sets a key to a string; a canonical integer is kept as one.
    #[inline]
    pub fn set_bytes(
        &mut self,
        db: u16,
        key: &Key<'_>,
        value: &[u8],
        expire: Expire,
        now_ms: u64,
    ) -> Prior {
        self.set(db, key, payload_of(value), expire, now_ms)
    }

    /// Sets a key to an integer.
    #[inline]
    pub fn set_int(
        &mut self,
        db: u16,
        key: &Key<'_>,
        value: i64,
        expire: Expire,
        now_ms: u64,
    ) -> Prior {
        self.set(db, key, Payload::Int(value), expire, now_ms)
    }

    fn set(
        &mut self,
        db: u16,
        key: &Key<'_>,
        value: Payload<'_>,
        expire: Expire,
        now_ms: u64,
    ) -> Prior {
        let prior = self.with_made_table(db, key, |table, rehash, counts| {
            let overwrite = |word: &mut Word| {
                let expired = word.is_expired(now_ms);
                let at_ms = match expire {
                    Expire::At(at_ms) => Some(at_ms),
                    Expire::Keep if !expired => word.entry().expire_at_ms(),
                    Expire::Keep | Expire::Clear => None,
                };
                word.write(value, at_ms);
                word.set_clock(clock(now_ms));
                if expired { Prior::Expired } else { Prior::Live }
            };
            table
                .update(key.hash, key.name, counts, overwrite)
                .unwrap_or_else(|| {
                    let at_ms = if let Expire::At(at_ms) = expire {
                        Some(at_ms)
                    } else {
                        None
                    };
                    let mut word = Word::new(key.hash.fragment(), key.name, value, at_ms);
                    word.set_clock(clock(now_ms));
                    table.insert(key.hash, word, rehash, counts);
                    Prior::Missing
                })
        });
        self.expired += u64::from(prior == Prior::Expired);
        prior
    }

    /// Appends to a string, which comes into being if it is missing. Returns its new length in bytes.
    pub fn append(&mut self, db: u16, key: &Key<'_>, tail: &[u8], now_ms: u64) -> usize {
        self.with_made_table(db, key, |table, rehash, counts| {
            update_or_make(table, key, rehash, counts, |word| {
                word.set_clock(clock(now_ms));
                word.append(tail)
            })
        })
    }

    /// The bytes of a string, to be changed in place. It comes into being if it is missing, and is
    /// filled up with zeros to `min_bytes`.
    pub fn bytes_mut(
        &mut self,
        db: u16,
        key: &Key<'_>,
        min_bytes: usize,
        now_ms: u64,
    ) -> &mut [u8] {
        self.with_made_table(db, key, |table, rehash, counts| {
            update_or_make(table, key, rehash, counts, |word| {
                word.set_clock(clock(now_ms));
                word.bytes_mut(min_bytes);
            });
            match table.look(key.hash, key.name, 0, counts) {
                Look::Live(word) => word.bytes_mut(min_bytes),
                Look::Missing | Look::Expired => unreachable!("the key has just been made"),
            }
        })
    }

    /// Removes a key.
    #[inline]
    pub fn remove(&mut self, db: u16, key: &Key<'_>, now_ms: u64) -> Prior {
        let word = self.take_word(db, key);
        match word {
            None => Prior::Missing,
            Some(word) if word.is_expired(now_ms) => {
                self.expired += 1;
                Prior::Expired
            }
            Some(_) => Prior::Live,
        }
    }

    /// Removes a key if its time has come. Returns whether it did.
    pub fn remove_expired(&mut self, db: u16, key: &Key<'_>, now_ms: u64) -> bool {
        matches!(self.look(db, key, now_ms, false), Found::Expired)
    }

    /// Removes a key and hands its value over.
    pub fn take(&mut self, db: u16, key: &Key<'_>) -> Option<Detached> {
        self.take_word(db, key).map(|word| Detached { word })
    }

    /// Puts a detached value under a key, with the expiry it carries. Returns whether the key existed.
    pub fn put(&mut self, db: u16, key: &Key<'_>, value: Detached, now_ms: u64) -> bool {
        let existed = self.take_word(db, key).is_some();
        let mut word = value.word.rekeyed(key.hash.fragment(), key.name);
        word.set_clock(clock(now_ms));
        self.with_made_table(db, key, |table, rehash, counts| {
            table.insert(key.hash, word, rehash, counts);
        });
        existed
    }

    /// Sets (`Some`, unix time in ms) or removes a key's expiry. Returns whether the key is there.
    pub fn set_expire(&mut self, db: u16, key: &Key<'_>, at_ms: Option<u64>) -> bool {
        let set = |word: &mut Word| word.set_expire(at_ms);
        self.with_table(db, key, |table, counts| {
            table.update(key.hash, key.name, counts, set)
        })
        .flatten()
        .is_some()
    }

    #[inline]
    fn take_word(&mut self, db: u16, key: &Key<'_>) -> Option<Word> {
        self.with_table(db, key, |table, counts| {
            table.remove(key.hash, key.name, counts)
        })
        .flatten()
    }
}

/// Changes the entry of a key, an empty string if there was none.
fn update_or_make<R>(
    table: &mut Table,
    key: &Key<'_>,
    rehash: Rehash<'_>,
    counts: &mut Counts,
    change: impl FnOnce(&mut Word) -> R,
) -> R {
    if table.peek(key.hash, key.name).is_none() {
        let word = Word::new(key.hash.fragment(), key.name, Payload::Bytes(b""), None);
        table.insert(key.hash, word, rehash, counts);
    }
    match table.update(key.hash, key.name, counts, change) {
        Some(result) => result,
        None => unreachable!("the key has just been made"),
    }
}
