//! One shard's keys, and what can be asked of them.

use std::collections::HashMap;

use corelane::http::hyper::body::Bytes;
use corelane::net::Listener;
use corelane::{Cx, Outcome, Service, ShardId};
use hdrhistogram::Histogram;

/// The longest value in bytes.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Keys of one shard at most; beyond it new ones are refused.
pub const KEYS_MAX: usize = 1_000_000;

/// One shard's part of the state.
pub struct Store {
    values: HashMap<String, Bytes>,
    stats: Stats,
    /// Made with the state, so that a node whose port is taken does not start; the shard's main takes it.
    pub(crate) listener: Option<Listener>,
}

/// What a shard can be asked.
#[derive(Debug)]
pub enum Ask {
    /// A key's value.
    Get(String),
    /// Sets a key's value.
    Put(String, Bytes),
    /// Adds to a key's value; a missing one counts as 0.
    Add(String, i64),
    /// Removes a key.
    Delete(String),
    /// What this shard has counted.
    Stats,
}

/// What it answers.
#[derive(Debug)]
pub enum Answer {
    /// The value asked for.
    Value(Bytes),
    /// No such key.
    Missing,
    /// The value is set; whether the key is new.
    Stored {
        /// It was not there before.
        is_new: bool,
    },
    /// The key is gone.
    Deleted,
    /// To [`Ask::Add`]: the value is no whole number, or the sum is none of 64 bits.
    NoNumber,
    /// The shard has [`KEYS_MAX`] keys.
    Full,
    /// To [`Ask::Stats`].
    Stats(Box<Stats>),
}

/// What a shard has counted; sums of it are the node's.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Shards that these are the counts of.
    pub shards: u64,
    /// Keys there are.
    pub keys: u64,
    /// Requests for keys, handled by the shard that owns them.
    pub asked: u64,
    /// New keys refused because of [`KEYS_MAX`].
    pub refused_full: u64,
    /// Service times of HTTP requests in ns, counted by the shard that has the connection.
    pub service_ns: Histogram<u64>,
}

impl Store {
    /// A shard without keys.
    #[must_use]
    pub fn new(listener: Listener) -> Self {
        Self {
            values: HashMap::new(),
            stats: Stats::new(1),
            listener: Some(listener),
        }
    }

    /// Counts one HTTP request.
    pub fn served(&mut self, service_ns: u64) {
        self.stats.service_ns.saturating_record(service_ns);
    }

    fn put(&mut self, key: String, value: Bytes) -> Answer {
        let is_new = !self.values.contains_key(&key);
        if is_new && self.values.len() >= KEYS_MAX {
            self.stats.refused_full += 1;
            return Answer::Full;
        }
        self.values.insert(key, value);
        Answer::Stored { is_new }
    }

    fn add(&mut self, key: String, by: i64) -> Answer {
        let old = match self.values.get(&key) {
            Some(value) => std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok()),
            None => Some(0i64),
        };
        let Some(sum) = old.and_then(|old| old.checked_add(by)) else {
            return Answer::NoNumber;
        };
        let value = Bytes::from(sum.to_string());
        match self.put(key, value.clone()) {
            Answer::Stored { .. } => Answer::Value(value),
            refused => refused,
        }
    }
}

impl Service for Store {
    type Request = Ask;
    type Reply = Answer;
    type Control = ();

    fn handle(&mut self, ask: Ask, _cx: &Cx<'_, Self>) -> Outcome<Self> {
        self.stats.asked += u64::from(!matches!(ask, Ask::Stats));
        Outcome::Ready(match ask {
            Ask::Get(key) => {
                let value = self.values.get(&key).cloned();
                value.map_or(Answer::Missing, Answer::Value)
            }
            Ask::Put(key, value) => self.put(key, value),
            Ask::Add(key, by) => self.add(key, by),
            Ask::Delete(key) => match self.values.remove(&key) {
                Some(_) => Answer::Deleted,
                None => Answer::Missing,
            },
            Ask::Stats => {
                self.stats.keys = self.values.len() as u64;
                Answer::Stats(Box::new(self.stats.clone()))
            }
        })
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

impl Stats {
    /// Of so many shards that have counted nothing.
    #[must_use]
    pub fn new(shards: u64) -> Self {
        Self {
            shards,
            keys: 0,
            asked: 0,
            refused_full: 0,
            // 0.1 µs to 100 s, to two digits.
            service_ns: Histogram::new_with_bounds(100, 100_000_000_000, 2).expect("good bounds"),
        }
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.shards += other.shards;
        self.keys += other.keys;
        self.asked += other.asked;
        self.refused_full += other.refused_full;
        self.service_ns
            .add(&other.service_ns)
            .expect("the same bounds");
        self
    }
}
