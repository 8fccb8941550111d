//! Connections that change their shard: put into the plans of clients, between any two of their commands.
//!
//! Lots are drawn apart from those of the plans themselves, so that a seed's clients ask the same whether they move or
//! not.

use corelane_wire::Value;

use super::client::{ClientPlan, Finish, SessionPlan};
use super::requests::{Expect, Request, Standing, Words};

/// How commands reach other shards.
pub(super) const ROUTINGS: [&str; 3] = ["hop", "migrate", "adaptive"];

/// How a connection may be told to reach other shards.
const WAYS: [&str; 4] = ["hop", "migrate", "adaptive", "default"];

/// Puts moves into the plans of `clients`.
pub(super) fn add(rng: &mut fastrand::Rng, clients: &mut [ClientPlan]) {
    let count = clients.len();
    for session in clients.iter_mut().flat_map(|client| &mut client.sessions) {
        // One command of so many is followed by a move, on the average.
        let rarity = [2, 4, 10, 40][rng.usize(0..4)];
        let requests = std::mem::take(&mut session.requests);
        let last = match session.finish {
            // What follows `QUIT` is not answered.
            Finish::Quit => requests.len().saturating_sub(1),
            _ => requests.len(),
        };
        let mut mover = Mover {
            clients: count,
            standing: Standing::default(),
            quiet: false,
            names: 0,
        };
        let mut moved = Vec::with_capacity(requests.len() * 2);
        for (index, request) in requests.into_iter().enumerate() {
            mover.follow(&request);
            // The reply of whatever comes next is skipped.
            let skips = says(&request, "CLIENT REPLY SKIP");
            moved.push(request);
            if !skips && index < last && rng.usize(0..rarity) == 0 {
                moved.push(mover.request(rng));
            }
        }
        grow(session, moved.len());
        session.requests = moved;
    }
}

/// A client that vanishes does so as far into its plan as before.
fn grow(session: &mut SessionPlan, length: usize) {
    if let Finish::Vanish { after, .. } = &mut session.finish {
        *after = (*after * 3 / 2).min(length);
    }
}

/// One connection's way through its plan: what it is by now.
struct Mover {
    clients: usize,
    standing: Standing,
    /// Between `CLIENT REPLY OFF` and `ON`.
    quiet: bool,
    names: u32,
}

impl Mover {
    fn follow(&mut self, request: &Request) {
        let Words::Fixed(words) = &request.words else {
            return;
        };
        if says(request, "CLIENT REPLY OFF") {
            self.quiet = true;
        } else if says(request, "CLIENT REPLY ON") {
            self.quiet = false;
        } else if says(request, "HELLO 3") {
            self.standing.resp = 3;
        } else if words[0] == b"SELECT" {
            self.standing.db = String::from_utf8_lossy(&words[1]).parse().unwrap_or(0);
        }
    }

    /// A move, or a look at what should have come along.
    fn request(&mut self, rng: &mut fastrand::Rng) -> Request {
        let ok = || Value::Simple("OK".to_owned());
        let request = match rng.u8(0..15) {
            0..7 => Request::migrate(None, rng.u16(..)),
            7..9 => Request::migrate(Some(rng.usize(0..self.clients)), rng.u16(..)),
            9 => {
                self.names += 1;
                self.standing.name = format!("name-{}", self.names);
                Request::fixed(&format!("CLIENT SETNAME {}", self.standing.name), ok())
            }
            10..12 => {
                self.standing.routing = WAYS[rng.usize(0..WAYS.len())];
                Request::fixed(&format!("CLIENT ROUTING {}", self.standing.routing), ok())
            }
            12 => {
                let way = ROUTINGS[rng.usize(0..ROUTINGS.len())];
                Request::fixed(&format!("CONFIG SET routing {way}"), ok())
            }
            _ => Request {
                expect: Expect::Standing(self.standing.clone()),
                ..Request::fixed("CLIENT INFO", Value::Null)
            },
        };
        Request {
            silent: self.quiet,
            ..request
        }
    }
}

/// Whether a command has these words.
pub(super) fn says(request: &Request, text: &str) -> bool {
    let Words::Fixed(words) = &request.words else {
        return false;
    };
    text.split(' ').map(str::as_bytes).eq(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_stands_between_commands_and_is_as_silent_as_they_are() {
        let ok = || Value::Simple("OK".to_owned());
        let silent = |text: &str| Request {
            silent: true,
            ..Request::fixed(text, ok())
        };
        let requests = vec![
            silent("CLIENT REPLY SKIP"),
            silent("PING"),
            silent("CLIENT REPLY OFF"),
            silent("PING"),
            Request::fixed("CLIENT REPLY ON", ok()),
            Request::fixed("SELECT 1", ok()),
            Request::fixed("QUIT", ok()),
        ];
        let (mut skipped, mut quiet, mut seen) = (0, 0, 0);
        for seed in 0..200 {
            let plan = SessionPlan::plain(requests.clone(), Finish::Quit);
            let sessions = vec![plan];
            let mut clients = [ClientPlan { sessions }];
            add(&mut fastrand::Rng::with_seed(seed), &mut clients);
            let moved = &clients[0].sessions[0].requests;
            assert!(says(&moved[1], "PING") && moved[1].silent);
            assert!(says(&moved[moved.len() - 1], "QUIT"));
            let off = moved.iter().position(|one| says(one, "CLIENT REPLY OFF"));
            let on = moved.iter().position(|one| says(one, "CLIENT REPLY ON"));
            let (off, on) = (off.expect("it is there"), on.expect("it is there"));
            assert!(moved[off..on].iter().all(|one| one.silent));
            assert!(moved[on..].iter().all(|one| !one.silent));
            skipped += off - 2;
            quiet += on - off - 2;
            let standing = moved.last_chunk::<2>().map(|[before, _]| &before.expect);
            if let Some(Expect::Standing(standing)) = standing {
                assert_eq!(standing.db, 1);
                seen += 1;
            }
        }
        assert!(skipped > 10 && quiet > 10 && seen > 3);
    }
}
