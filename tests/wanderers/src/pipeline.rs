//! One pipeline: commands of all kinds, moves between any two of them, and the replies that must come.

use corelane_wire::{Value, encode_command};

use crate::model::{Asked, DATABASES, Model};

/// What a reply must be.
pub(crate) enum Expected {
    /// This.
    Is(Value),
    /// The connection's own line of `CLIENT LIST`, with these parts.
    Line(Vec<String>),
}

/// Commands as bytes, and their replies.
pub(crate) struct Pipeline {
    pub(crate) bytes: Vec<u8>,
    /// Each command as text, with what it must answer.
    pub(crate) expected: Vec<(String, Expected)>,
}

/// What a connection is, as its client knows it.
pub(crate) struct Standing {
    /// Its number, as `CLIENT ID` told it.
    pub(crate) id: i64,
    pub(crate) resp: u8,
    pub(crate) db: usize,
    pub(crate) name: String,
}

/// How often a command is followed by a move, in hundredths, where a client moves itself.
const MOVES_PERCENT: u8 = 40;

impl Pipeline {
    /// The next `depth` commands of a client, between which it sends itself to any of `shards` shards.
    pub(crate) fn next(
        rng: &mut fastrand::Rng,
        model: &mut Model,
        standing: &mut Standing,
        depth: usize,
        shards: usize,
    ) -> Self {
        let mut pipeline = Self {
            bytes: Vec::new(),
            expected: Vec::new(),
        };
        for _ in 0..depth {
            match rng.u8(0..100) {
                moves if moves < MOVES_PERCENT => {
                    let shard = rng.usize(..shards).to_string();
                    pipeline.push(Asked::ok(&["CLIENT", "MIGRATE", &shard]));
                }
                number => pipeline.push_other(rng, model, standing, number),
            }
        }
        pipeline
    }

    fn push_other(
        &mut self,
        rng: &mut fastrand::Rng,
        model: &mut Model,
        standing: &mut Standing,
        number: u8,
    ) {
        match number {
            90 => {
                let text = format!("echo-{}", rng.u32(..));
                self.push(Asked::new(&["ECHO", &text], Value::bulk(&text)));
            }
            91 => self.push(Asked::new(&["PING"], Value::Simple("PONG".to_owned()))),
            92 => self.push(Asked::new(&["CLIENT", "ID"], Value::Int(standing.id))),
            93 => {
                standing.name = format!("wanderer-{}", rng.u32(..));
                let words = ["CLIENT", "SETNAME", &standing.name];
                self.push(Asked::ok(&words));
            }
            94 => {
                let name = Value::bulk(&standing.name);
                self.push(Asked::new(&["CLIENT", "GETNAME"], name));
            }
            95 => {
                standing.db = rng.usize(..DATABASES);
                self.push(Asked::ok(&["SELECT", &standing.db.to_string()]));
            }
            96 => self.push_line(standing),
            97 => {
                // Inline, as typed by hand.
                let pong = Expected::Is(Value::Simple("PONG".to_owned()));
                self.bytes.extend_from_slice(b"PING\r\n");
                self.expected.push(("PING (inline)".to_owned(), pong));
            }
            _ => {
                let asked = model.command(rng, standing.db);
                self.push(asked);
            }
        }
    }

    /// Asks what the server knows of this connection.
    fn push_line(&mut self, standing: &Standing) {
        let words: [&[u8]; 2] = [b"CLIENT", b"INFO"];
        encode_command(&mut self.bytes, words);
        let parts = vec![
            format!("id={} ", standing.id),
            format!(" db={} ", standing.db),
            format!(" resp={} ", standing.resp),
            format!(" name={} ", standing.name),
        ];
        self.expected
            .push(("CLIENT INFO".to_owned(), Expected::Line(parts)));
    }

    pub(crate) fn push(&mut self, asked: Asked) {
        encode_command(&mut self.bytes, &asked.words);
        let words: Vec<_> = asked
            .words
            .iter()
            .map(|word| String::from_utf8_lossy(word))
            .collect();
        self.expected
            .push((words.join(" "), Expected::Is(asked.answer)));
    }
}

impl Expected {
    pub(crate) fn accepts(&self, reply: &Value) -> bool {
        match self {
            Self::Is(value) => reply == value,
            Self::Line(parts) => {
                let line = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default());
                parts.iter().all(|part| line.contains(part))
            }
        }
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Is(value) => format!("{value:?}"),
            Self::Line(parts) => format!("a line with {parts:?}"),
        }
    }
}
