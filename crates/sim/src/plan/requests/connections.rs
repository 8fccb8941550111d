//! Commands about connections, settings and shards.

use corelane_wire::Value;

use super::expect::{Expect, Kind, Part, Pick};
use super::request::{Request, Words, split};
use crate::model::{Action, Life, Write};
use crate::plan::keyspace::{Keyspace, SETTING_NAME};

impl Request {
    /// The connection's own number.
    pub(crate) fn number() -> Self {
        Self::new(split("CLIENT ID"), Expect::Number)
    }

    /// A connection goes to another shard.
    pub(in crate::plan) fn migrate(client: Option<usize>, lot: u16) -> Self {
        Self {
            words: Words::Migrate { client, lot },
            expect: match client {
                None => Expect::Is(Value::Simple("OK".to_owned())),
                Some(_) => Expect::Kind(Kind::Int),
            },
            silent: false,
        }
    }

    /// So many shards are to serve from here on.
    pub(crate) fn resize(lot: u16) -> Self {
        Self {
            words: Words::Resize { lot },
            expect: Expect::Resized,
            silent: false,
        }
    }

    /// How many shards serve.
    pub(crate) fn shards() -> Self {
        Self::new(split("CONFIG GET shards"), Expect::Shards)
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
    pub(in crate::plan) fn hello() -> Self {
        Self::kind("HELLO 3", Kind::List)
    }

    /// Ends another client's connection.
    pub(in crate::plan) fn kill(client: usize) -> Self {
        Self {
            words: Words::Kill { client },
            expect: Expect::Kind(Kind::Int),
            silent: false,
        }
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
    pub(in crate::plan) fn write_setting(keyspace: &Keyspace, rng: &mut fastrand::Rng) -> Self {
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
}
