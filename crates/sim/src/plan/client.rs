//! A client: its connections one after another, what is asked over each, and how each behaves.

use std::ops::Range;

use super::actions::Taste;
use super::keyspace::{DATABASES, Keyspace};
use super::requests::Request;
use corelane_wire::Value;

/// A client's life.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Its connections, one after another.
    pub sessions: Vec<SessionPlan>,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct SessionPlan {
    /// The pause before it, nanoseconds.
    pub before_ns: u64,
    /// The commands, in order.
    pub requests: Vec<Request>,
    /// How many are sent before replies have come.
    pub pace: Pace,
    /// How it reads.
    pub reading: Reading,
    /// Whether what it writes is cut anywhere.
    pub cut: bool,
    /// How it ends.
    pub finish: Finish,
    /// For choices while it runs.
    pub seed: u64,
}

/// How many commands are on their way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So many at once, and the next so many when all have been answered.
    Bursts(usize),
    /// Always up to so many.
    Window(usize),
}

/// How a client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As it comes.
    Prompt,
    /// With a pause of this many nanoseconds before each read.
    Slow(Range<u64>),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is closed once everything was answered.
    Close,
    /// It stops writing as soon as all is sent, and reads on to the end.
    HalfClose,
    /// The last command is `QUIT`.
    Quit,
    /// It goes away once so many commands were sent, whatever is answered.
    Vanish {
        /// Commands sent.
        after: usize,
        /// Whether it resets the connection rather than close it.
        abort: bool,
    },
    /// It stays until the node ends it.
    Linger,
}

impl SessionPlan {
    /// A connection without any mischief.
    pub(crate) fn plain(requests: Vec<Request>, finish: Finish) -> Self {
        Self {
            before_ns: 0,
            requests,
            pace: Pace::Window(8),
            reading: Reading::Prompt,
            cut: false,
            finish,
            seed: 1,
        }
    }
}

/// Clients of a storm.
const STORM: usize = 4;

/// What clients of a run have in common.
pub(super) struct Crowd<'a> {
    pub(super) keyspace: &'a Keyspace,
    pub(super) clients: usize,
    pub(super) taste: Taste,
    /// Commands of one connection, about.
    pub(super) length: usize,
    pub(super) long_bytes: usize,
    pub(super) kills: bool,
    pub(super) flushes: bool,
    pub(super) vanishing: bool,
    next_token: u32,
}

impl<'a> Crowd<'a> {
    pub(super) fn random(
        rng: &mut fastrand::Rng,
        keyspace: &'a Keyspace,
        clients: usize,
        length: usize,
        long_bytes: usize,
    ) -> Self {
        Self {
            keyspace,
            clients,
            taste: Taste::random(rng, long_bytes.min(2_000)),
            length,
            long_bytes,
            kills: rng.u8(0..4) == 0,
            flushes: rng.u8(0..4) == 0,
            vanishing: rng.u8(0..2) == 0,
            next_token: 0,
        }
    }

    pub(super) fn client(&mut self, rng: &mut fastrand::Rng) -> ClientPlan {
        let sessions = rng.usize(1..=3);
        ClientPlan {
            sessions: (0..sessions).map(|_| self.session(rng)).collect(),
        }
    }

    /// Several clients that change the setting at the same moment.
    pub(super) fn storm(&mut self, rng: &mut fastrand::Rng) -> Vec<SessionPlan> {
        let mut session = || {
            let changes = rng.usize(1..=3);
            let change = |_| Request::write_setting(self.keyspace, rng);
            let requests = (0..changes).map(change).collect();
            SessionPlan::plain(requests, Finish::Close)
        };
        (0..STORM).map(|_| session()).collect()
    }

    fn session(&mut self, rng: &mut fastrand::Rng) -> SessionPlan {
        let mut requests = self.requests(rng);
        let finish = match rng.u8(0..12) {
            0..2 => Finish::HalfClose,
            2 => Finish::Quit,
            3..6 if self.vanishing => Finish::Vanish {
                after: rng.usize(0..=requests.len()),
                abort: rng.bool(),
            },
            6 => Finish::Linger,
            _ => Finish::Close,
        };
        if finish == Finish::Quit {
            requests.push(Request::fixed("QUIT", Value::Simple("OK".to_owned())));
        }
        let depth = match rng.u8(0..4) {
            0 => 1,
            1 => 32,
            _ => rng.usize(1..=32),
        };
        SessionPlan {
            before_ns: rng.u64(0..1_000_000),
            requests,
            pace: if rng.bool() {
                Pace::Bursts(depth)
            } else {
                Pace::Window(depth)
            },
            reading: match rng.u8(0..5) {
                0 => Reading::Slow(0..rng.u64(1_000..3_000_000)),
                _ => Reading::Prompt,
            },
            cut: rng.bool(),
            finish,
            seed: rng.u64(..),
        }
    }

    fn requests(&mut self, rng: &mut fastrand::Rng) -> Vec<Request> {
        let ok = || Value::Simple("OK".to_owned());
        let length = rng.usize(1..=2 * self.length);
        let mut requests = Vec::with_capacity(length + 4);
        if rng.u8(0..3) == 0 {
            requests.push(Request::hello());
        }
        requests.push(Request::number());
        let mut db = 0;
        // `CLIENT REPLY OFF` up to here.
        let mut quiet = 0;
        for _ in 0..length {
            if quiet > 0 {
                quiet -= 1;
                requests.push(Request {
                    silent: true,
                    ..self.request(rng, db)
                });
                if quiet == 0 {
                    requests.push(Request::fixed("CLIENT REPLY ON", ok()));
                }
                continue;
            }
            match rng.u16(0..400) {
                0..6 => {
                    requests.push(Request {
                        silent: true,
                        ..Request::fixed("CLIENT REPLY SKIP", ok())
                    });
                    requests.push(Request {
                        silent: true,
                        ..self.request(rng, db)
                    });
                }
                6..9 => {
                    quiet = rng.u8(1..8);
                    requests.push(Request {
                        silent: true,
                        ..Request::fixed("CLIENT REPLY OFF", ok())
                    });
                }
                9..15 => {
                    db = rng.usize(0..DATABASES);
                    requests.push(Request::fixed(&format!("SELECT {db}"), ok()));
                }
                15..23 if self.kills => {
                    requests.push(Request::kill(rng.usize(0..self.clients)));
                }
                _ => requests.push(self.request(rng, db)),
            }
        }
        if quiet > 0 {
            requests.push(Request::fixed("CLIENT REPLY ON", ok()));
        }
        requests
    }

    /// A command that may stand anywhere.
    fn request(&mut self, rng: &mut fastrand::Rng, db: usize) -> Request {
        match rng.u16(0..400) {
            0..3 if self.flushes => Request::flush(self.keyspace, rng.bool().then_some(db)),
            3..6 => Request::write_setting(self.keyspace, rng),
            6..40 => {
                self.next_token += 1;
                Request::aside(self.keyspace, rng, self.next_token, self.long_bytes)
            }
            40..90 => Request::over_groups(self.keyspace, &mut self.taste, rng, db),
            _ => {
                let group = rng.usize(0..self.keyspace.groups.len());
                let keys = self.keyspace.groups[group].len();
                let action = self.taste.action(rng, keys);
                let object = self.keyspace.object(db, group);
                Request::action(self.keyspace, object, action)
            }
        }
    }
}
