//! Clients that fall silent give back what they hold for their next command: buffers, and the send that ended last.
//!
//! A client that sends something is noted here, once; when it has been silent for a second it is told to rest. So the cost
//! is one look per second and client that talks, and none for those that do not.

use std::collections::VecDeque;

use super::{Client, ClientId, Clients};

/// Silence after which a client rests.
const SILENCE_MS: u64 = 1_000;

/// Clients that one slice looks at: some ten microseconds.
const SLICE_CLIENTS: usize = 1024;

/// Looks at clients that have gone are thrown out at once where so many more looks are due than there are clients.
const STALE_LOOKS: usize = 1024;

/// The clients that do not rest, and when each is to be looked at.
///
/// A client that goes to another shard leaves its look behind, and may come back many times a second. So a look holds the
/// client's number alone, counts only as long as the client says so itself, and those that do not count are thrown out
/// before they are more than [`STALE_LOOKS`] and as many again as there are clients.
#[derive(Debug, Default)]
pub(crate) struct Awake {
    looks: VecDeque<(u64, ClientId)>,
}

impl Awake {
    /// A client of this shard sends something that was at rest.
    pub(crate) fn enter(&mut self, client: &Client, clients: &Clients) {
        if self.looks.len() >= 2 * clients.len() + STALE_LOOKS {
            self.looks.retain(|(due_ms, id)| {
                clients
                    .get(*id)
                    .is_some_and(|client| client.look_ms() == *due_ms)
            });
        }
        let due_ms = client.active_ms.get() + SILENCE_MS;
        client.look_at_ms(due_ms);
        self.looks.push_back((due_ms, client.id));
    }

    /// Tells those to rest who are silent; whether that were all that are due.
    pub(crate) fn slice(&mut self, clients: &Clients, now_ms: u64) -> bool {
        for _ in 0..SLICE_CLIENTS {
            let (due_ms, id) = match self.looks.front() {
                Some(look) if look.0 <= now_ms => *look,
                Some(_) => return true,
                None => {
                    self.looks = VecDeque::new();
                    return true;
                }
            };
            self.looks.pop_front();
            match clients.get(id) {
                Some(client) if client.look_ms() == due_ms => self.look(client, clients, now_ms),
                _ => {}
            }
        }
        false
    }

    fn look(&mut self, client: &Client, clients: &Clients, now_ms: u64) {
        if client.active_ms.get() + SILENCE_MS <= now_ms {
            client.rest();
        } else {
            self.enter(client, clients);
        }
    }
}

#[cfg(test)]
mod tests {
    use corelane::ShardId;

    use super::*;
    use crate::clients::Arrival;
    use crate::routing::Gauge;

    fn arrival() -> Arrival {
        Arrival {
            peer: None,
            local: "/socket".into(),
            door: crate::Door::Main,
            speaks_tls: false,
            now_ms: 1_000,
        }
    }

    #[test]
    fn who_is_silent_for_a_second_rests_once() {
        let mut clients = Clients::going_on(ShardId::new(0), 1);
        let crowd: Vec<_> = (0..3_000).map(|_| clients.enter(arrival())).collect();
        let mut awake = Awake::default();
        let rest = |awake: &mut Awake, now_ms| {
            while !awake.slice(&clients, now_ms) {}
            crowd.iter().filter(|client| client.takes_rest()).count()
        };
        for client in &crowd {
            assert!(!client.is_awake());
            awake.enter(client, &clients);
            assert!(client.is_awake());
        }
        assert_eq!(rest(&mut awake, 1_999), 0);
        crowd[7].active_ms.set(1_500);
        assert_eq!(rest(&mut awake, 2_000), crowd.len() - 1);
        assert_eq!(rest(&mut awake, 2_400), 0);
        assert_eq!(rest(&mut awake, 2_500), 1);
        assert_eq!(rest(&mut awake, 9_000), 0);
        assert!(awake.looks.is_empty() && !crowd[7].is_awake());
    }

    /// It comes and goes without end: one look of its counts, and those it left behind are not kept.
    #[test]
    fn a_client_that_comes_and_goes_leaves_little_behind() {
        let mut clients = Clients::going_on(ShardId::new(0), 1);
        let mut client = clients.enter(arrival());
        let mut awake = Awake::default();
        let costs = Gauge::default().costs();
        for n in 0..50_000 {
            let now_ms = 1_000 + n / 100;
            client.active_ms.set(now_ms);
            if !client.is_awake() {
                awake.enter(&client, &clients);
            }
            let gone = clients.depart(client, now_ms).expect("nobody else has it");
            client = clients.arrive(gone, &costs);
            assert!(!client.is_awake());
        }
        assert!(
            awake.looks.len() <= STALE_LOOKS + 2,
            "{}",
            awake.looks.len()
        );
        awake.enter(&client, &clients);
        let rest = |awake: &mut Awake, now_ms| {
            while !awake.slice(&clients, now_ms) {}
            client.takes_rest()
        };
        assert!(
            !rest(&mut awake, 2_498),
            "it was there half a millisecond ago"
        );
        assert!(rest(&mut awake, 2_500));
        assert!(!rest(&mut awake, 9_000), "it rests once");
        assert!(awake.looks.is_empty());
    }
}
