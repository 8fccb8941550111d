//! What a shard is made of, and what goes on from one of its lives to the next: a resize lets shards sleep and wakes
//! them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use corelane::tls::Acceptor;
use corelane::{ShardId, ShardMap};
use corelane_settings::Settings;

/// What all shards of a node are made from.
#[derive(Debug, Clone)]
pub struct ShardSeed {
    /// The settings at start.
    pub(crate) settings: Arc<Settings>,
    /// What TLS connections are accepted with at start.
    pub(crate) tls: Option<Acceptor>,
    /// How many commands the catalog has.
    pub(crate) commands: usize,
    /// Who owns what at start.
    pub(crate) map: ShardMap,
    /// Seeds the hashes of all shards: one node, one seed, so that tables can move.
    pub(crate) hash_seed: u64,
    seats: Arc<[Seat]>,
}

/// What outlives a shard's life. Touched when one begins and when it ends.
#[derive(Debug)]
struct Seat {
    begun: AtomicBool,
    next_client: AtomicU64,
}

impl ShardSeed {
    /// For a node that begins with the `map` and has room for `max_shards` shards; `commands` is the length of
    /// the catalog.
    pub fn new(
        settings: Arc<Settings>,
        commands: usize,
        map: ShardMap,
        max_shards: usize,
        hash_seed: u64,
    ) -> Self {
        let seat = |_| Seat {
            begun: AtomicBool::new(false),
            next_client: AtomicU64::new(1),
        };
        Self {
            settings,
            tls: None,
            commands,
            map,
            hash_seed,
            seats: (0..max_shards).map(seat).collect(),
        }
    }

    /// The same, with what TLS connections are accepted with.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Acceptor>) -> Self {
        self.tls = tls;
        self
    }

    /// Shards that there is room for.
    pub fn max_shards(&self) -> usize {
        self.seats.len()
    }

    /// Begins a shard's next life; whether it is the first.
    pub(crate) fn begin_life(&self, shard: ShardId) -> (Life, bool) {
        let life = Life {
            seats: Arc::clone(&self.seats),
            shard,
        };
        let is_first = !life.seat().begun.swap(true, Ordering::AcqRel);
        (life, is_first)
    }
}

/// One life of a shard.
#[derive(Debug)]
pub(crate) struct Life {
    seats: Arc<[Seat]>,
    shard: ShardId,
}

impl Life {
    fn seat(&self) -> &Seat {
        &self.seats[self.shard.index()]
    }

    /// The number of its first client: clients that have moved to other shards keep theirs.
    pub(crate) fn next_client(&self) -> u64 {
        self.seat().next_client.load(Ordering::Acquire)
    }

    /// The life is over, and its next client would have had this number.
    pub(crate) fn end(&self, next_client: u64) {
        self.seat()
            .next_client
            .store(next_client, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::Arrival;
    use crate::shard::Shard;
    use corelane::Service;

    /// What a shard holds in its first life and in the second, and the number of its next client.
    #[test]
    fn a_shard_that_wakes_is_empty_and_gives_no_number_twice() {
        let settings = Arc::new(Settings::default());
        let seed = ShardSeed::new(settings, 0, ShardMap::even(2), 3, 7);
        for (shard, held) in [(0, 128), (1, 128), (2, 0)] {
            let id = ShardId::new(shard);
            let holds = |shard: &Shard| (0..256).filter(|p| shard.space.holds(*p)).count();
            let mut first = Shard::new(id, &seed, 1);
            assert_eq!(holds(&first), held, "shard {shard}");
            let arrival = Arrival {
                peer: None,
                local: String::new(),
                door: crate::Door::Main,
                speaks_tls: false,
                now_ms: 0,
            };
            let before = first.clients.enter(arrival.clone()).id;
            first.shutdown();
            let mut second = Shard::new(id, &seed, 1);
            assert_eq!(holds(&second), 0, "shard {shard}");
            assert!(second.clients.enter(arrival).id > before);
        }
    }
}
