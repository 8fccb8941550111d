//! A setting's value in memory, and its text in `CONFIG GET`. How text becomes a value is
//! [`Kind`](crate::Kind)'s business.

use std::fmt;
use std::path::PathBuf;

use crate::{BindAddress, OutputLimits};

/// A parsed value of a setting.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `yes` or `no`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number of bytes.
    Bytes(u64),
    /// A share of `maxmemory`, in percent.
    Percent(u8),
    /// A file mode, written in octal.
    Mode(u32),
    /// To be decided by what the machine has.
    Auto,
    /// One word of a fixed list.
    Word(&'static str),
    /// Several words of a fixed list, in the list's order.
    Words(Vec<&'static str>),
    /// Free text.
    Text(String),
    /// A path; empty when there is none.
    Path(PathBuf),
    /// A password: any bytes, never shown in logs.
    Secret(Vec<u8>),
    /// Addresses to listen on.
    Addresses(Vec<BindAddress>),
    /// Output-buffer limits of the client classes.
    Output(OutputLimits),
    /// When to take snapshots.
    Save(Vec<SavePoint>),
    /// A fixed count of numbers.
    Ints(Vec<i64>),
    /// Percentiles from 0 to 100.
    Percentiles(Vec<f64>),
}

/// A snapshot is due after `seconds` if at least `changes` writes happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// How long after the last snapshot, in seconds.
    pub seconds: u64,
    /// How many changed keys it takes.
    pub changes: u64,
}

impl Value {
    /// The text that `CONFIG GET` answers.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Value::Secret(secret) => secret.clone(),
            other => other.to_string().into_bytes(),
        }
    }
}

/// As in `CONFIG GET`, but a secret shows only whether it is set.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(true) => f.write_str("yes"),
            Value::Bool(false) => f.write_str("no"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Bytes(n) => write!(f, "{n}"),
            Value::Percent(n) => write!(f, "{n}%"),
            Value::Mode(mode) => write!(f, "{mode:o}"),
            Value::Auto => f.write_str("auto"),
            Value::Word(word) => f.write_str(word),
            Value::Words(words) => joined(f, words),
            Value::Text(text) => f.write_str(text),
            Value::Path(path) => write!(f, "{}", path.display()),
            Value::Secret(secret) if secret.is_empty() => Ok(()),
            Value::Secret(_) => f.write_str("(redacted)"),
            Value::Addresses(addresses) => joined(f, addresses),
            Value::Output(limits) => write!(f, "{limits}"),
            Value::Save(points) => joined(f, points),
            Value::Ints(numbers) => joined(f, numbers),
            Value::Percentiles(numbers) => joined(f, numbers),
        }
    }
}

/// Values end up in logs, so that a secret stays out of this too.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl fmt::Display for SavePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seconds, self.changes)
    }
}

fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(" ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}
