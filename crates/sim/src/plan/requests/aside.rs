//! Commands that no history is kept of.

use corelane_wire::Value;

use super::expect::Kind;
use super::request::Request;
use crate::plan::keyspace::{Keyspace, SETTING_NAME};

impl Request {
    /// A command that no history is kept of.
    pub(in crate::plan) fn aside(
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
