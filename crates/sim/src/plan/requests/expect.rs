//! What must come back for a command, and which object gets which part of it.

use corelane_wire::Value;

use crate::model::Action;

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
    /// OK, or that another resize is going on.
    Resized,
    /// `CONFIG GET shards`, which tells how many serve.
    Shards,
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
    /// How its commands reach other shards.
    pub routing: &'static str,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            db: 0,
            resp: 2,
            name: String::new(),
            routing: "default",
        }
    }
}

impl Standing {
    /// Whether a line of `CLIENT LIST` says the same.
    pub fn is_in(&self, line: &str) -> bool {
        let Self {
            db,
            resp,
            name,
            routing,
        } = self;
        let fields = [
            format!(" db={db} "),
            format!(" resp={resp} "),
            format!(" name={name} "),
            format!(" routing={routing}"),
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
