//! Commands as they go over the wire, and what must come back for each.

use std::fmt;

use corelane_wire::Value;

use super::actions::{Taste, some};
use super::keyspace::{DATABASES, Keyspace, SETTING_NAME};
use crate::model::{Action, Key, Life, Write};

/// One command.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is sent.
    pub words: Words,
    /// What comes back.
    pub expect: Expect,
    /// No reply comes back, for the client asked for none (`CLIENT REPLY`).
    pub silent: bool,
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Words {
    /// These words, as an array of strings.
    Fixed(Vec<Vec<u8>>),
    /// These very bytes: a command typed by hand.
    Inline(Vec<u8>),
    /// `CLIENT KILL ID` with the number that this client has by then.
    Kill {
        /// The client.
        client: usize,
    },
    /// `CLIENT MIGRATE` to a shard that keeps clients: of this connection, or of this client's by then.
    Migrate {
        /// The client; `None` for whoever asks.
        client: Option<usize>,
        /// Which shard, of however many there are.
        lot: u16,
    },
}

/// What must come back.
#[derive(Clone, Debug)]
pub enum Expect {
    /// A reply that goes into the histories of these objects.
    Parts(Vec<Part>),
    /// This reply.
    Is(Value),
    /// A reply of this kind.
    Kind(Kind),
    /// The connection's own number.
    Number,
    /// The line of `CLIENT INFO`, with all that the connection has become.
    Standing(Standing),
    /// `INFO`, which tells how many connections have moved.
    Moves,
    /// `CLIENT LIST` when all is quiet: whoever lingers, and who asks.
    Everybody,
}

/// What a connection takes along from shard to shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The selected database.
    pub db: usize,
    /// The protocol's version.
    pub resp: u8,
    /// Its name.
    pub name: String,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            db: 0,
            resp: 2,
            name: String::new(),
        }
    }
}

impl Standing {
    /// Whether a line of `CLIENT LIST` says the same.
    pub fn is_in(&self, line: &str) -> bool {
        let Self { db, resp, name } = self;
        let fields = [
            format!(" db={db} "),
            format!(" resp={resp} "),
            format!(" name={name} "),
        ];
        fields.iter().all(|field| line.contains(field))
    }
}

/// What one object has to do with a command.
#[derive(Clone, Debug)]
pub struct Part {
    /// The object.
    pub object: usize,
    /// What happens to it.
    pub action: Action,
    /// Its part of the reply.
    pub pick: Pick,
}

/// One object's part of a reply.
#[derive(Clone, Debug)]
pub enum Pick {
    /// All of it.
    Whole,
    /// These elements of an array.
    Elements {
        /// Which.
        at: Vec<usize>,
        /// How many the array has.
        of: usize,
    },
    /// A count over several objects: it tells about one only if all keys counted, or none.
    Share {
        /// Keys of this object.
        own: i64,
        /// Keys of all.
        of: i64,
    },
    /// The value of `CONFIG GET` with one name.
    Setting,
}

/// A kind of reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Int,
    /// A number or an error.
    IntOrError,
    /// A string.
    Text,
    /// A string or nothing.
    TextOrNull,
    /// Several values.
    List,
    /// OK or an error.
    OkOrError,
    /// An error.
    Error,
}

impl Kind {
    /// Whether a reply is of this kind.
    pub fn accepts(self, reply: &Value) -> bool {
        let error = matches!(reply, Value::Error(_));
        match self {
            Self::Int => reply.as_int().is_some(),
            Self::IntOrError => error || reply.as_int().is_some(),
            Self::Text => reply.as_bytes().is_some(),
            Self::TextOrNull => reply.as_bytes().is_some() || *reply == Value::Null,
            Self::List => matches!(reply, Value::Array(_) | Value::Map(_) | Value::Set(_)),
            Self::OkOrError => error || reply.as_bytes() == Some(b"OK"),
            Self::Error => error,
        }
    }
}

impl Pick {
    /// An object's part of `reply`; `None` where it cannot be told. A reply of a wrong shape stays as it is: no
    /// object explains it.
    pub fn of(&self, reply: &Value) -> Option<Value> {
        match (self, reply) {
            (Self::Elements { at, of }, Value::Array(all)) if all.len() == *of => {
                Some(Value::Array(at.iter().map(|at| all[*at].clone()).collect()))
            }
            (Self::Share { own, of }, Value::Int(count)) if (0..=*of).contains(count) => {
                match *count {
                    0 => Some(Value::Int(0)),
                    count if count == *of => Some(Value::Int(*own)),
                    _ => None,
                }
            }
            (Self::Setting, Value::Array(pair)) if pair.len() == 2 => Some(pair[1].clone()),
            (Self::Setting, Value::Map(pairs)) if pairs.len() == 1 => Some(pairs[0].1.clone()),
            _ => Some(reply.clone()),
        }
    }
}

impl Request {
    fn new(words: Vec<Vec<u8>>, expect: Expect) -> Self {
        Self {
            words: Words::Fixed(words),
            expect,
            silent: false,
        }
    }

    /// A command of fixed words with a reply that is known.
    pub(crate) fn fixed(text: &str, reply: Value) -> Self {
        Self::new(split(text), Expect::Is(reply))
    }

    /// A command of fixed words whose reply has this kind.
    pub(super) fn kind(text: &str, kind: Kind) -> Self {
        Self::new(split(text), Expect::Kind(kind))
    }

    /// An action on one group.
    pub(crate) fn action(keyspace: &Keyspace, object: usize, action: Action) -> Self {
        let words = action.words(&keyspace.names(object));
        let pick = Pick::Whole;
        let part = Part {
            object,
            action,
            pick,
        };
        Self::new(words, Expect::Parts(vec![part]))
    }

    /// A read of the setting.
    pub(crate) fn read_setting(keyspace: &Keyspace) -> Self {
        let part = Part {
            object: keyspace.setting(),
            action: Action::Get(0),
            pick: Pick::Setting,
        };
        let words = split(&format!("CONFIG GET {SETTING_NAME}"));
        Self::new(words, Expect::Parts(vec![part]))
    }

    /// A change of the setting.
    pub(super) fn write_setting(keyspace: &Keyspace, rng: &mut fastrand::Rng) -> Self {
        let value = rng.u32(..1_000_000).to_string();
        let words = split(&format!("CONFIG SET {SETTING_NAME} {value}"));
        let write = Write {
            key: 0,
            value: value.into_bytes().into(),
            only: None,
            get: false,
            life: Life::Keep,
        };
        let part = Part {
            object: keyspace.setting(),
            action: Action::Set(write),
            pick: Pick::Whole,
        };
        Self::new(words, Expect::Parts(vec![part]))
    }

    /// The connection's own number.
    pub(crate) fn number() -> Self {
        Self::new(split("CLIENT ID"), Expect::Number)
    }

    /// A connection goes to another shard.
    pub(super) fn migrate(client: Option<usize>, lot: u16) -> Self {
        Self {
            words: Words::Migrate { client, lot },
            expect: match client {
                None => Expect::Is(Value::Simple("OK".to_owned())),
                Some(_) => Expect::Kind(Kind::Int),
            },
            silent: false,
        }
    }

    /// How many connections have moved so far.
    pub(crate) fn moves() -> Self {
        Self::new(split("INFO shards"), Expect::Moves)
    }

    /// Who is there when all is quiet.
    pub(crate) fn everybody() -> Self {
        Self::new(split("CLIENT LIST"), Expect::Everybody)
    }

    /// RESP3 from here on.
    pub(super) fn hello() -> Self {
        Self::kind("HELLO 3", Kind::List)
    }

    /// A command typed by hand.
    pub(super) fn inline(text: &str, reply: Value) -> Self {
        Self {
            words: Words::Inline(format!("{text}\r\n").into_bytes()),
            expect: Expect::Is(reply),
            silent: false,
        }
    }

    /// Ends another client's connection.
    pub(super) fn kill(client: usize) -> Self {
        Self {
            words: Words::Kill { client },
            expect: Expect::Kind(Kind::Int),
            silent: false,
        }
    }

    /// Everything of every database, or of one, is deleted.
    pub(super) fn flush(keyspace: &Keyspace, only_db: Option<usize>) -> Self {
        let dbs = (0..DATABASES).filter(|db| only_db.is_none_or(|only| only == *db));
        let groups = 0..keyspace.groups.len();
        let objects = dbs.flat_map(|db| groups.clone().map(move |group| (db, group)));
        let part = |(db, group)| Part {
            object: keyspace.object(db, group),
            action: Action::Flush,
            pick: Pick::Whole,
        };
        let command = if only_db.is_some() {
            "FLUSHDB"
        } else {
            "FLUSHALL"
        };
        Self::new(split(command), Expect::Parts(objects.map(part).collect()))
    }

    /// One command over keys of several groups: `MGET`, `MSET`, `EXISTS` or `UNLINK`, or an `MSET` that must be
    /// refused as a whole. Each group answers for its own keys; nothing is promised about all of them.
    pub(super) fn over_groups(
        keyspace: &Keyspace,
        taste: &mut Taste,
        rng: &mut fastrand::Rng,
        db: usize,
    ) -> Self {
        let mut groups: Vec<usize> = (0..keyspace.groups.len()).collect();
        rng.shuffle(&mut groups);
        groups.truncate(rng.usize(1..=groups.len()));
        let chosen = |group: &usize, rng: &mut fastrand::Rng| {
            some(rng, keyspace.groups[*group].len() as Key)
        };
        let mut places: Vec<(usize, Key)> = Vec::new();
        for group in &groups {
            places.extend(chosen(group, rng).into_iter().map(|key| (*group, key)));
        }
        rng.shuffle(&mut places);
        match rng.u8(0..8) {
            0..3 => Self::reads(keyspace, db, &groups, &places),
            3..5 => Self::counts(keyspace, db, &groups, &places, rng.bool()),
            kind => Self::writes(keyspace, taste, rng, db, &groups, kind == 7),
        }
    }

    fn reads(keyspace: &Keyspace, db: usize, groups: &[usize], places: &[(usize, Key)]) -> Self {
        let part = |group: &usize| {
            let own = places
                .iter()
                .enumerate()
                .filter(|(_, place)| place.0 == *group);
            let (at, keys) = own.map(|(at, place)| (at, place.1)).unzip();
            Part {
                object: keyspace.object(db, *group),
                action: Action::Mget(keys),
                pick: Pick::Elements {
                    at,
                    of: places.len(),
                },
            }
        };
        let parts = groups.iter().map(part).collect();
        Self::new(line("MGET", keyspace, places), Expect::Parts(parts))
    }

    fn counts(
        keyspace: &Keyspace,
        db: usize,
        groups: &[usize],
        places: &[(usize, Key)],
        delete: bool,
    ) -> Self {
        let part = |group: &usize| {
            let own = places.iter().filter(|place| place.0 == *group);
            let keys: Vec<Key> = own.map(|place| place.1).collect();
            let pick = Pick::Share {
                own: keys.len() as i64,
                of: places.len() as i64,
            };
            let action = match delete {
                true => Action::Del(keys),
                false => Action::Exists(keys),
            };
            Part {
                object: keyspace.object(db, *group),
                action,
                pick,
            }
        };
        let parts = groups.iter().map(part).collect();
        let command = if delete { "UNLINK" } else { "EXISTS" };
        Self::new(line(command, keyspace, places), Expect::Parts(parts))
    }

    fn writes(
        keyspace: &Keyspace,
        taste: &mut Taste,
        rng: &mut fastrand::Rng,
        db: usize,
        groups: &[usize],
        odd: bool,
    ) -> Self {
        let mut words = vec![b"MSET".to_vec()];
        let mut parts = Vec::new();
        for group in groups {
            let names = &keyspace.groups[*group];
            let pairs = taste.pairs(rng, names.len() as Key);
            for (key, value) in &pairs {
                words.push(names[usize::from(*key)].clone());
                words.push(value.to_vec());
            }
            let action = match odd {
                true => Action::MsetOdd(pairs),
                false => Action::Mset(pairs),
            };
            parts.push(Part {
                object: keyspace.object(db, *group),
                action,
                pick: Pick::Whole,
            });
        }
        if odd {
            words.pop();
        }
        Self::new(words, Expect::Parts(parts))
    }

    /// A command that no history is kept of.
    pub(super) fn aside(
        keyspace: &Keyspace,
        rng: &mut fastrand::Rng,
        token: u32,
        long_bytes: usize,
    ) -> Self {
        let loose = |rng: &mut fastrand::Rng| {
            let name = &keyspace.loose[rng.usize(0..keyspace.loose.len())];
            String::from_utf8_lossy(name).into_owned()
        };
        match rng.u8(0..20) {
            0..5 => {
                let mut text = format!("token-{token}-");
                if rng.u8(0..4) == 0 {
                    text.push_str(&"x".repeat(rng.usize(0..=long_bytes)));
                }
                Self::fixed(&format!("ECHO {text}"), Value::bulk(&text))
            }
            5 => Self::fixed("PING", Value::Simple("PONG".to_owned())),
            6 => Self::inline("PING", Value::Simple("PONG".to_owned())),
            7 => Self::inline(&format!("ECHO t{token}"), Value::bulk(format!("t{token}"))),
            8 => Self::kind("DBSIZE", Kind::Int),
            9 => Self::kind("CLIENT LIST", Kind::Text),
            10 => Self::kind("RANDOMKEY", Kind::TextOrNull),
            11 => Self::kind("KEYS *", Kind::List),
            12 => Self::kind("SCAN 0 COUNT 100", Kind::List),
            13 => Self::kind(&format!("SET {} {token}", loose(rng)), Kind::OkOrError),
            14 => {
                let text = format!("RENAME {} {}", loose(rng), loose(rng));
                Self::kind(&text, Kind::OkOrError)
            }
            15 => {
                let text = format!("COPY {} {} REPLACE", loose(rng), loose(rng));
                Self::kind(&text, Kind::IntOrError)
            }
            16 => {
                let text = format!("MSETNX {} 1 {} 2", loose(rng), loose(rng));
                Self::kind(&text, Kind::Int)
            }
            17 => Self::kind("NOSUCHCOMMAND a b", Kind::Error),
            18 => Self::kind("GET", Kind::Error),
            _ => Self::kind(&format!("CONFIG GET {SETTING_NAME}"), Kind::List),
        }
    }
}

/// The most of a text that is shown to people.
const SHOWN: usize = 200;

/// A text, cut where it is too long to be read.
pub(crate) fn shorten(mut text: String) -> String {
    if text.len() > SHOWN {
        let end = text.floor_char_boundary(SHOWN);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// As people type it.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.words {
            Words::Fixed(words) => {
                let words = words.iter().map(|word| String::from_utf8_lossy(word));
                words.collect::<Vec<_>>().join(" ")
            }
            Words::Inline(typed) => String::from_utf8_lossy(typed.trim_ascii_end()).into_owned(),
            Words::Kill { client } => format!("CLIENT KILL ID of client {client}"),
            Words::Migrate { client: None, .. } => "CLIENT MIGRATE".to_owned(),
            Words::Migrate {
                client: Some(client),
                ..
            } => format!("CLIENT MIGRATE ID of client {client}"),
        };
        write!(f, "'{}'", shorten(text))
    }
}

fn line(command: &str, keyspace: &Keyspace, places: &[(usize, Key)]) -> Vec<Vec<u8>> {
    let name = |(group, key): &(usize, Key)| keyspace.groups[*group][usize::from(*key)].clone();
    let command = std::iter::once(command.into());
    command.chain(places.iter().map(name)).collect()
}

fn split(text: &str) -> Vec<Vec<u8>> {
    text.split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect()
}
