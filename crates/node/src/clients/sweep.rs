//! The rounds over a shard's clients: who is silent for too long, or leaves replies unread for too long, is ended; and
//! where the clients of all shards hold more memory than `maxmemory-clients`, the largest are. A round is made of slices,
//! for there may be very many clients.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use corelane_settings::ClientLimits;

use super::client::{Client, Ending};
use super::list::{ClientId, Clients};

/// Clients that one slice looks at: some ten microseconds.
const SLICE_CLIENTS: usize = 1024;

/// Clients that one round evicts at most.
const EVICTED_PER_ROUND: usize = 64;

/// A round under way, and what the last one found.
#[derive(Debug, Default)]
pub(crate) struct ClientSweep {
    /// The last client looked at.
    last: Option<ClientId>,
    sum: Weights,
    /// Of the last whole round.
    found: Weights,
}

/// What clients hold.
#[derive(Debug, Default)]
struct Weights {
    bytes: u64,
    /// The largest that may be evicted; the smallest of these on top.
    largest: BinaryHeap<Reverse<(u64, ClientId)>>,
}

impl Weights {
    fn add(&mut self, client: &Client) {
        let bytes = client.memory_bytes();
        self.bytes += bytes;
        if client.no_evict.get() || client.ending().is_some() {
            return;
        }
        self.largest.push(Reverse((bytes, client.id)));
        if self.largest.len() > EVICTED_PER_ROUND {
            self.largest.pop();
        }
    }
}

impl ClientSweep {
    /// One slice; whether the round is over.
    pub(crate) fn slice(&mut self, clients: &Clients, now_ms: u64, limits: &ClientLimits) -> bool {
        let weighs = limits.max_memory.is_some();
        if !weighs {
            self.found = Weights::default();
        }
        let idle = limits.idle_timeout.is_none() && limits.output.normal.soft_bytes == 0;
        if idle && !weighs {
            return true;
        }
        let mut seen = 0;
        for client in clients.after(self.last).take(SLICE_CLIENTS) {
            seen += 1;
            self.last = Some(client.id);
            if let Some(ending) = overdue(client, now_ms, limits) {
                client.end(ending);
            }
            if weighs {
                self.sum.add(client);
            }
        }
        let over = seen < SLICE_CLIENTS;
        if over {
            self.last = None;
            self.found = std::mem::take(&mut self.sum);
        }
        over
    }

    /// Bytes that the clients held in the last round.
    pub(crate) fn bytes(&self) -> u64 {
        self.found.bytes
    }

    /// Bytes of the largest client of the last round that may be evicted.
    pub(crate) fn largest_bytes(&self) -> u64 {
        let largest = self.found.largest.iter().map(|Reverse((bytes, _))| *bytes);
        largest.max().unwrap_or(0)
    }

    /// Ends the largest clients until `excess_bytes` are less, but none that is smaller than `others_largest_bytes`:
    /// that one's shard sees to it.
    pub(crate) fn evict(
        &mut self,
        clients: &Clients,
        excess_bytes: u64,
        others_largest_bytes: u64,
    ) {
        let mut left_bytes = excess_bytes;
        let mut largest = std::mem::take(&mut self.found.largest).into_vec();
        // Largest first; of equals the oldest.
        largest.sort_unstable_by_key(|Reverse((bytes, id))| (Reverse(*bytes), *id));
        largest.retain(|Reverse((bytes, id))| {
            if left_bytes == 0 || *bytes < others_largest_bytes {
                return true;
            }
            if let Some(client) = clients.get(*id) {
                client.end(Ending::Evicted);
            }
            left_bytes = left_bytes.saturating_sub(*bytes);
            self.found.bytes = self.found.bytes.saturating_sub(*bytes);
            false
        });
        self.found.largest = largest.into();
    }
}

/// Why a client is to be ended, if it is.
fn overdue(client: &Client, now_ms: u64, limits: &ClientLimits) -> Option<Ending> {
    let output = client.output.get();
    let silent_ms = now_ms.saturating_sub(client.active_ms.get());
    let is_silent = |timeout: std::time::Duration| u128::from(silent_ms) > timeout.as_millis();
    if limits.idle_timeout.is_some_and(is_silent) && !client.waiting.get() {
        return Some(Ending::Idle);
    }
    let soft = &limits.output.normal;
    let unread_ms = now_ms.saturating_sub(output.since_ms);
    let is_slow = soft.soft_bytes > 0
        && output.bytes as u64 > soft.soft_bytes
        && unread_ms > u64::from(soft.soft_s) * 1000;
    is_slow.then_some(Ending::SlowReader)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use corelane::ShardId;
    use corelane_settings::{MemoryShare, OutputLimit, Settings};

    use super::*;
    use crate::clients::Arrival;

    fn limits() -> ClientLimits {
        Settings::default().client_limits()
    }

    fn enter(clients: &mut Clients) -> Rc<Client> {
        clients.enter(Arrival {
            peer: None,
            local: "/socket".into(),
            door: crate::Door::Main,
            speaks_tls: false,
            now_ms: 1_000,
        })
    }

    fn sweep(clients: &Clients, now_ms: u64, limits: &ClientLimits) -> ClientSweep {
        let mut sweep = ClientSweep::default();
        while !sweep.slice(clients, now_ms, limits) {}
        sweep
    }

    #[test]
    fn silence_is_neither_work_nor_taking_replies() {
        #[track_caller]
        fn check(prepare: impl Fn(&Client), now_ms: u64, expected: Option<Ending>) {
            let mut clients = Clients::going_on(ShardId::new(0), 1);
            let client = enter(&mut clients);
            prepare(&client);
            let limits = ClientLimits {
                idle_timeout: Some(Duration::from_secs(5)),
                ..limits()
            };
            sweep(&clients, now_ms, &limits);
            assert_eq!(client.ending(), expected);
        }
        check(|_| {}, 6_000, None);
        check(|_| {}, 6_001, Some(Ending::Idle));
        check(|client| client.waiting.set(true), 60_000, None);
        check(|client| client.active_ms.set(4_000), 6_001, None);
        check(|client| client.note_sent(0, 4_000), 6_001, None);
        check(
            |client| client.note_output(10, 4_000),
            6_001,
            Some(Ending::Idle),
        );
    }

    #[test]
    fn unread_output_above_the_soft_limit_is_borne_for_its_time() {
        let mut limits = limits();
        limits.output.normal = OutputLimit {
            hard_bytes: 0,
            soft_bytes: 100,
            soft_s: 2,
        };
        let mut clients = Clients::going_on(ShardId::new(0), 1);
        let client = enter(&mut clients);
        client.note_output(101, 10_000);
        client.note_output(500, 11_900);
        sweep(&clients, 12_000, &limits);
        assert_eq!(client.ending(), None);
        client.note_sent(500, 12_000);
        sweep(&clients, 13_000, &limits);
        assert_eq!(client.ending(), None);
        sweep(&clients, 14_001, &limits);
        assert_eq!(client.ending(), Some(Ending::SlowReader));
    }

    #[test]
    fn the_largest_are_evicted_until_there_is_room() {
        let limits = ClientLimits {
            max_memory: Some(MemoryShare::Bytes(1)),
            ..limits()
        };
        let mut clients = Clients::going_on(ShardId::new(0), 1);
        let crowd: Vec<_> = (0..3_000).map(|_| enter(&mut clients)).collect();
        let sizes = [
            (7, 50_000),
            (1_500, 90_000),
            (2_900, 70_000),
            (2_950, 80_000),
        ];
        for (n, bytes) in sizes {
            crowd[n].query_bytes.set(bytes);
        }
        crowd[2_950].no_evict.set(true);
        let mut round = sweep(&clients, 2_000, &limits);
        let total: u64 = crowd.iter().map(|client| client.memory_bytes()).sum();
        assert_eq!(round.bytes(), total);
        assert_eq!(round.largest_bytes(), crowd[1_500].memory_bytes());
        // Somebody else has a larger one than all but the first.
        round.evict(&clients, 1_000_000, 75_000);
        let evicted = |n: usize| crowd[n].ending() == Some(Ending::Evicted);
        assert_eq!(
            [7, 1_500, 2_900, 2_950].map(evicted),
            [false, true, false, false]
        );
        round.evict(&clients, 60_000, 0);
        assert_eq!(
            [7, 1_500, 2_900, 2_950].map(evicted),
            [false, true, true, false]
        );
        assert_eq!(
            crowd
                .iter()
                .filter(|client| client.ending().is_some())
                .count(),
            2
        );
    }
}
