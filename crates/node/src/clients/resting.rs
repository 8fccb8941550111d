//! Clients that fall silent give back what they hold for their next command: buffers, and the send that ended last.
//!
//! A client that sends something is noted here, once; when it has been silent for a second it is told to rest. So the cost
//! is one look per second and client that talks, and none for those that do not.

use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::client::Client;

/// Silence after which a client rests.
const SILENCE_MS: u64 = 1_000;

/// Clients that one slice looks at: some ten microseconds.
const SLICE_CLIENTS: usize = 1024;

/// The clients that do not rest, and when each is to be looked at. As many as there are clients, at most.
#[derive(Debug, Default)]
pub(crate) struct Awake {
    queue: VecDeque<(u64, Weak<Client>)>,
}

impl Awake {
    /// A client sends something that was at rest, or comes from another shard.
    pub(crate) fn enter(&mut self, client: &Rc<Client>) {
        let due_ms = client.active_ms.get() + SILENCE_MS;
        self.queue.push_back((due_ms, Rc::downgrade(client)));
    }

    /// Tells those to rest who are silent; whether that were all that are due.
    pub(crate) fn slice(&mut self, now_ms: u64) -> bool {
        for _ in 0..SLICE_CLIENTS {
            match self.queue.front() {
                Some((due_ms, _)) if *due_ms <= now_ms => {}
                Some(_) => return true,
                None => {
                    self.queue = VecDeque::new();
                    return true;
                }
            }
            let client = self.queue.pop_front();
            let Some(client) = client.and_then(|(_, client)| client.upgrade()) else {
                continue;
            };
            if client.active_ms.get() + SILENCE_MS <= now_ms {
                client.rest();
            } else {
                self.enter(&client);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use corelane::ShardId;

    use super::*;
    use crate::clients::{Arrival, Clients};

    #[test]
    fn who_is_silent_for_a_second_rests_once() {
        let mut clients = Clients::going_on(ShardId::new(0), 1);
        let crowd: Vec<_> = (0..3_000)
            .map(|_| {
                clients.enter(Arrival {
                    peer: None,
                    local: "/socket".into(),
                    door: crate::Door::Main,
                    speaks_tls: false,
                    now_ms: 1_000,
                })
            })
            .collect();
        let mut awake = Awake::default();
        let rest = |awake: &mut Awake, now_ms| {
            while !awake.slice(now_ms) {}
            crowd.iter().filter(|client| client.takes_rest()).count()
        };
        for client in &crowd {
            assert!(client.wakes(), "it was at rest");
            assert!(!client.wakes(), "it is awake");
            awake.enter(client);
        }
        assert_eq!(rest(&mut awake, 1_999), 0);
        crowd[7].active_ms.set(1_500);
        assert_eq!(rest(&mut awake, 2_000), crowd.len() - 1);
        assert_eq!(rest(&mut awake, 2_400), 0);
        assert_eq!(rest(&mut awake, 2_500), 1);
        assert_eq!(rest(&mut awake, 9_000), 0);
        assert!(awake.queue.is_empty() && crowd[7].wakes());
    }
}
