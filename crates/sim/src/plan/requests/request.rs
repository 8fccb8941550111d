//! A command: its words, and how it is shown to people.

use std::fmt;

use corelane_wire::Value;

use super::expect::{Expect, Kind};

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
        /// Which shard, of however many there are, or can be.
        lot: u16,
    },
    /// `CONFIG SET shards`, to a number that there is room for.
    Resize {
        /// Which number.
        lot: u16,
    },
}

impl Request {
    pub(super) fn new(words: Vec<Vec<u8>>, expect: Expect) -> Self {
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
    pub(in crate::plan) fn kind(text: &str, kind: Kind) -> Self {
        Self::new(split(text), Expect::Kind(kind))
    }

    /// A command typed by hand.
    pub(in crate::plan) fn inline(text: &str, reply: Value) -> Self {
        Self {
            words: Words::Inline(format!("{text}\r\n").into_bytes()),
            expect: Expect::Is(reply),
            silent: false,
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
            Words::Resize { .. } => "CONFIG SET shards".to_owned(),
            Words::Migrate { client: None, .. } => "CLIENT MIGRATE".to_owned(),
            Words::Migrate {
                client: Some(client),
                ..
            } => format!("CLIENT MIGRATE ID of client {client}"),
        };
        write!(f, "'{}'", shorten(text))
    }
}

/// The words of a text.
pub(super) fn split(text: &str) -> Vec<Vec<u8>> {
    text.split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect()
}
