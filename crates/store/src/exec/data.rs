//! The keyspace as one command sees it: from its database, at its time.
//!
//! An expired key is never seen: the first look at it removes it and reports a `DEL` effect. Every
//! method that changes a key leaves it to the handler to say so ([`Data::touch`], [`Data::as_given`],
//! [`Data::rewrite`]), because only the handler knows what the change means.

use crate::keyspace::{Detached, Expire, Found, Key, Keyspace, Prior, Value};

use super::{Effects, Event, Touched};

/// One command's view of the shard's keys.
#[derive(Debug)]
pub struct Data<'a> {
    /// The shard's keys.
    pub space: &'a mut Keyspace,
    /// What the command did, for logs and replicas.
    pub effects: &'a mut Effects,
    /// Which keys it touched, for watchers.
    pub touched: &'a mut Touched,
    /// Unix time in milliseconds; the same for the whole command.
    pub now_ms: u64,
    /// The selected database.
    pub db: u16,
    /// Slot of the command's first key, where the router has worked it out.
    pub first_slot: Option<u16>,
}

impl Data<'_> {
    /// The same view on another database (`COPY … DB`, `MOVE`).
    pub fn in_db(&mut self, db: u16) -> Data<'_> {
        Data {
            space: self.space,
            effects: self.effects,
            touched: self.touched,
            now_ms: self.now_ms,
            db,
            first_slot: self.first_slot,
        }
    }

    /// Names a key.
    #[inline]
    pub fn key<'k>(&self, name: &'k [u8]) -> Key<'k> {
        self.space.key(name, None)
    }

    /// Names the command's first key, using the router's slot where there is one.
    #[inline]
    pub fn first_key<'k>(&self, name: &'k [u8]) -> Key<'k> {
        self.space.key(name, self.first_slot)
    }

    /// The value of a key; marks it as used now.
    #[inline]
    pub fn get(&mut self, key: &Key<'_>) -> Option<Value<'_>> {
        self.look(key, true)
    }

    /// The value of a key, without marking it as used (`TYPE`, `TTL`, `OBJECT`).
    #[inline]
    pub fn peek(&mut self, key: &Key<'_>) -> Option<Value<'_>> {
        self.look(key, false)
    }

    /// Whether a key exists.
    #[inline]
    pub fn contains(&mut self, key: &Key<'_>) -> bool {
        self.peek(key).is_some()
    }

    /// Sets a key to a string; a canonical integer is kept as one. Returns whether the key existed.
    #[inline]
    pub fn set(&mut self, key: &Key<'_>, value: &[u8], expire: Expire) -> bool {
        let prior = self
            .space
            .set_bytes(self.db, key, value, expire, self.now_ms);
        self.replaced(key, prior)
    }

    /// Sets a key to an integer. Returns whether the key existed.
    #[inline]
    pub fn set_int(&mut self, key: &Key<'_>, value: i64, expire: Expire) -> bool {
        let prior = self.space.set_int(self.db, key, value, expire, self.now_ms);
        self.replaced(key, prior)
    }

    /// Appends to a string, which comes into being if it is missing. Returns its new length in bytes.
    pub fn append(&mut self, key: &Key<'_>, tail: &[u8]) -> usize {
        self.settle(key);
        self.space.append(self.db, key, tail, self.now_ms)
    }

    /// The bytes of a string, to be changed in place (`SETRANGE`, `SETBIT`). The string comes into
    /// being if it is missing, and is filled up with zeros if it is shorter than `min_bytes`.
    pub fn bytes_mut(&mut self, key: &Key<'_>, min_bytes: usize) -> &mut [u8] {
        self.settle(key);
        self.space.bytes_mut(self.db, key, min_bytes, self.now_ms)
    }

    /// Removes a key. Returns whether it existed.
    #[inline]
    pub fn remove(&mut self, key: &Key<'_>) -> bool {
        let prior = self.space.remove(self.db, key, self.now_ms);
        if prior == Prior::Expired {
            report_expired(self.effects, self.touched, self.db, key.name());
        }
        prior == Prior::Live
    }

    /// Removes a key and hands its value over (`RENAME`, `MOVE`, `GETDEL`).
    pub fn take(&mut self, key: &Key<'_>) -> Option<Detached> {
        self.settle(key);
        self.space.take(self.db, key)
    }

    /// A copy of a key's value, with its expiry (`COPY`).
    pub fn copy(&mut self, key: &Key<'_>) -> Option<Detached> {
        self.peek(key).map(Value::to_detached)
    }

    /// Puts a detached value under a key, with the expiry it carries. Returns whether the key existed.
    pub fn put(&mut self, key: &Key<'_>, value: Detached) -> bool {
        self.settle(key);
        self.space.put(self.db, key, value, self.now_ms)
    }

    /// Sets (`Some`, unix time in ms) or removes (`None`) a key's expiry. Returns whether the key
    /// exists; a time in the past removes nothing by itself.
    pub fn set_expire(&mut self, key: &Key<'_>, at_ms: Option<u64>) -> bool {
        self.settle(key);
        self.space.set_expire(self.db, key, at_ms)
    }

    /// Keys in the selected database, those that expired unseen included.
    #[inline]
    pub fn len(&self) -> u64 {
        self.space.len(self.db)
    }

    /// Whether the selected database is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One key by chance, nearly uniformly.
    pub fn random(&mut self, rng: &mut fastrand::Rng) -> Option<Value<'_>> {
        self.space.random(self.db, rng, self.now_ms)
    }

    /// Visits at least `count` keys from `cursor` on, if there are so many in the partitions this shard holds;
    /// see [`Keyspace::scan`]. Returns the next cursor, 0 at the end.
    pub fn scan(&mut self, cursor: u64, count: usize, visit: impl FnMut(Value<'_>)) -> u64 {
        let mut expired = Vec::new();
        let next = self
            .space
            .scan(self.db, cursor, count, self.now_ms, &mut expired, visit);
        for name in &expired {
            self.settle(&self.space.key(name, None));
        }
        next
    }

    /// The command is its own effect.
    #[inline]
    pub fn as_given(&mut self) {
        self.effects.as_given(self.db);
    }

    /// The effect is this command: its name, then its arguments.
    #[inline]
    pub fn rewrite<'b>(&mut self, args: impl IntoIterator<Item = &'b [u8]>) {
        self.effects.push(self.db, args);
    }

    /// Something happened to a key.
    #[inline]
    pub fn touch(&mut self, key: &Key<'_>, event: Event) {
        self.touched.push(self.db, key.name(), event);
    }

    #[inline]
    fn look(&mut self, key: &Key<'_>, used: bool) -> Option<Value<'_>> {
        match self.space.look(self.db, key, self.now_ms, used) {
            Found::Live(value) => Some(value),
            Found::Missing => None,
            Found::Expired => {
                report_expired(self.effects, self.touched, self.db, key.name());
                None
            }
        }
    }

    /// Removes `key` if its time has come.
    #[inline]
    fn settle(&mut self, key: &Key<'_>) {
        if self.space.volatile(self.db) > 0 && self.space.remove_expired(self.db, key, self.now_ms)
        {
            report_expired(self.effects, self.touched, self.db, key.name());
        }
    }

    /// What was set needs no `DEL` before it.
    #[inline]
    fn replaced(&mut self, key: &Key<'_>, prior: Prior) -> bool {
        if prior == Prior::Expired {
            self.touched.push(self.db, key.name(), Event::EXPIRED);
        }
        prior == Prior::Live
    }
}

/// A key was removed because its time had come.
#[cold]
fn report_expired(effects: &mut Effects, touched: &mut Touched, db: u16, name: &[u8]) {
    effects.push(db, [&b"DEL"[..], name]);
    touched.push(db, name, Event::EXPIRED);
}
