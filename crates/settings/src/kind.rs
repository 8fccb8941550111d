//! What values a setting takes: text to [`Value`], the error texts that Redis's clients know, and
//! the words for help. What the values then mean is not decided here.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::address::{BindAddress, MAX_ADDRESSES};
use crate::number::{parse_bytes, parse_int, parse_octal, show_bytes};
use crate::output_limit::OutputLimits;
use crate::{SavePoint, Value, events};

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// A whole number within a range.
    Int {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A whole number up to `max`, or `auto`.
    IntOrAuto {
        /// Greatest value; the least is 0.
        max: i64,
    },
    /// A number of bytes, with or without a unit.
    Bytes {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Bytes, or `auto`: what the machine and its limits allow.
    BytesOrAuto,
    /// Bytes, or a share of `maxmemory` such as `5%`.
    BytesOrPercent,
    /// A file mode in octal, up to 777.
    Mode,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several of these words; the first of the list stands for none of the others.
    Words(&'static [&'static str]),
    /// Free text.
    Text,
    /// Free text that may not be empty.
    SomeText,
    /// A path.
    Path,
    /// A password.
    Secret,
    /// Up to 16 addresses to listen on.
    Addresses,
    /// `class hard soft seconds`, repeated.
    OutputLimits,
    /// `seconds changes`, repeated, or nothing.
    SavePoints,
    /// Letters of event classes.
    Events,
    /// Percentiles, or nothing.
    Percentiles,
    /// Exactly this many whole numbers within ±`bound`.
    Ints {
        /// How many.
        count: usize,
        /// The greatest absolute value.
        bound: i64,
    },
}

/// Why a text is not a value of its setting. `Display` is the reason as `CONFIG SET` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadValue {
    /// It does not have the form, or lies outside the range.
    #[error("{0}")]
    Form(String),
    /// It is well formed, and refused for this reason.
    #[error("{0}")]
    Refused(String),
}

impl Kind {
    /// Reads a value. `current` matters to kinds that a value changes only in part.
    pub fn parse(&self, bytes: &[u8], current: Option<&Value>) -> Result<Value, BadValue> {
        if *self == Kind::Secret {
            return Ok(Value::Secret(bytes.to_vec()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| form("argument must be UTF-8 text"))?;
        self.parse_text(text, current)
    }

    fn parse_text(&self, text: &str, current: Option<&Value>) -> Result<Value, BadValue> {
        match *self {
            Kind::Bool => parse_bool(text),
            Kind::Int { min, max } => parse_in_range(text, min, max),
            Kind::Bytes { min, max } => parse_bytes_in_range(text, min, max),
            Kind::BytesOrAuto | Kind::IntOrAuto { .. } if text.eq_ignore_ascii_case("auto") => {
                Ok(Value::Auto)
            }
            Kind::IntOrAuto { max } => parse_in_range(text, 0, max),
            Kind::BytesOrAuto => parse_bytes_in_range(text, 0, u64::MAX),
            Kind::BytesOrPercent => parse_bytes_or_percent(text),
            Kind::Mode => parse_mode(text),
            Kind::Word(words) => one_of(words, text).map(Value::Word),
            Kind::Words(words) => parse_words(words, text),
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::SomeText if text.is_empty() => Err(form("argument can't be empty")),
            Kind::SomeText => Ok(Value::Text(text.to_owned())),
            Kind::Path => Ok(Value::Path(PathBuf::from(text))),
            Kind::Secret => Ok(Value::Secret(text.as_bytes().to_vec())),
            Kind::Addresses => parse_addresses(text),
            Kind::OutputLimits => parse_output_limits(text, current),
            Kind::SavePoints => parse_save_points(text),
            Kind::Events => events::canonical(text)
                .map(Value::Text)
                .ok_or_else(|| form("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")),
            Kind::Percentiles => parse_percentiles(text),
            Kind::Ints { count, bound } => parse_ints(text, count, bound),
        }
    }

    /// Whether a value is several words, so that flags and TOML arrays may give them one by one.
    pub fn takes_words(&self) -> bool {
        use Kind::*;
        matches!(
            self,
            Words(_) | Addresses | OutputLimits | SavePoints | Percentiles | Ints { .. }
        )
    }

    /// How help names the value: `<bytes>`.
    pub fn placeholder(&self) -> &'static str {
        match self {
            Kind::Bool => "yes|no",
            Kind::Int { .. } | Kind::IntOrAuto { .. } => "n",
            Kind::Bytes { .. } | Kind::BytesOrAuto => "bytes",
            Kind::BytesOrPercent => "bytes|percent",
            Kind::Mode => "mode",
            Kind::Word(_) => "word",
            Kind::Words(_) => "words",
            Kind::Text | Kind::SomeText => "text",
            Kind::Path => "path",
            Kind::Secret => "password",
            Kind::Addresses => "address",
            Kind::OutputLimits => "class hard soft seconds",
            Kind::SavePoints => "seconds changes",
            Kind::Events => "letters",
            Kind::Percentiles => "percentiles",
            Kind::Ints { .. } => "numbers",
        }
    }
}

/// What the kind takes, as the object of a sentence: "port takes *a whole number from 0 to 65535*".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("yes or no"),
            Kind::Int { min: 0, max } if *max >= i64::from(i32::MAX) => {
                f.write_str("a whole number from 0")
            }
            Kind::Int { min, max }
                if *min <= i64::from(i32::MIN) && *max >= i64::from(i32::MAX) =>
            {
                f.write_str("a whole number")
            }
            Kind::Int { min, max } if *max >= i64::from(i32::MAX) => {
                write!(f, "a whole number from {min}")
            }
            Kind::Int { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Bytes { min, .. } if *min <= 1 => f.write_str("bytes, such as 1000 or 64mb"),
            Kind::Bytes { min, .. } => write!(f, "bytes from {}, such as 64mb", show_bytes(*min)),
            Kind::IntOrAuto { max } => write!(f, "a whole number from 0 to {max}, or auto"),
            Kind::BytesOrAuto => f.write_str("bytes, such as 2gb, or auto"),
            Kind::BytesOrPercent => f.write_str("bytes, such as 64mb, or a percentage up to 100%"),
            Kind::Mode => f.write_str("an octal file mode up to 777"),
            Kind::Word(words) => write!(f, "{}", alternatives(words)),
            Kind::Words(words) => write!(f, "some of {}", words.join(", ")),
            Kind::Text => f.write_str("text"),
            Kind::SomeText => f.write_str("text that is not empty"),
            Kind::Path => f.write_str("a path"),
            Kind::Secret => f.write_str("a password"),
            Kind::Addresses => {
                write!(
                    f,
                    "up to {MAX_ADDRESSES} IP addresses, such as 127.0.0.1 or ::1 (* is every IPv4 address)"
                )
            }
            Kind::OutputLimits => f.write_str(
                "groups of class (normal, replica, pubsub), hard bytes, soft bytes and seconds",
            ),
            Kind::SavePoints => f.write_str("pairs of seconds and changes, or nothing"),
            Kind::Events => f.write_str("letters out of Ag$lshzxeKEtmdn"),
            Kind::Percentiles => f.write_str("percentiles from 0 to 100, or nothing"),
            Kind::Ints { count, bound } => {
                write!(f, "{count} whole numbers from -{bound} to {bound}")
            }
        }
    }
}

fn form(reason: impl Into<String>) -> BadValue {
    BadValue::Form(reason.into())
}

/// `a`, `a or b`, `a, b or c`.
fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [start @ .., last] => format!("{} or {last}", start.join(", ")),
    }
}

fn parse_bool(text: &str) -> Result<Value, BadValue> {
    if text.eq_ignore_ascii_case("yes") {
        Ok(Value::Bool(true))
    } else if text.eq_ignore_ascii_case("no") {
        Ok(Value::Bool(false))
    } else {
        Err(form("argument must be 'yes' or 'no'"))
    }
}

fn parse_in_range(text: &str, min: i64, max: i64) -> Result<Value, BadValue> {
    let number =
        parse_int(text).ok_or_else(|| form("argument couldn't be parsed into an integer"))?;
    within(number, min, max)?;
    Ok(Value::Int(number))
}

fn within<T: PartialOrd + fmt::Display>(value: T, min: T, max: T) -> Result<(), BadValue> {
    if value < min || value > max {
        return Err(form(format!(
            "argument must be between {min} and {max} inclusive"
        )));
    }
    Ok(())
}

fn parse_bytes_in_range(text: &str, min: u64, max: u64) -> Result<Value, BadValue> {
    let bytes = parse_bytes(text).ok_or_else(|| form("argument must be a memory value"))?;
    within(bytes, min, max)?;
    Ok(Value::Bytes(bytes))
}

fn parse_bytes_or_percent(text: &str) -> Result<Value, BadValue> {
    if let Some(bytes) = parse_bytes(text) {
        return Ok(Value::Bytes(bytes));
    }
    let share = text
        .strip_suffix('%')
        .and_then(parse_int)
        .filter(|&n| n >= 0);
    let share = share.ok_or_else(|| form("argument must be a memory or percent value"))?;
    match u8::try_from(share) {
        Ok(percent) if percent <= 100 => Ok(Value::Percent(percent)),
        _ => Err(form("percentage argument must be less or equal to 100")),
    }
}

fn parse_mode(text: &str) -> Result<Value, BadValue> {
    let mode =
        parse_octal(text).ok_or_else(|| form("argument couldn't be parsed as an octal number"))?;
    if mode > 0o777 {
        return Err(form("argument must be between 0 and 777 inclusive"));
    }
    Ok(Value::Mode(mode))
}

fn one_of(words: &'static [&'static str], text: &str) -> Result<&'static str, BadValue> {
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    found.copied().ok_or_else(|| {
        form(format!(
            "argument(s) must be one of the following: {}",
            words.join(", ")
        ))
    })
}

fn parse_words(words: &'static [&'static str], text: &str) -> Result<Value, BadValue> {
    let mut given = Vec::new();
    for word in text.split(' ') {
        given.push(one_of(words, word)?);
    }
    let mut kept: Vec<&'static str> = words
        .iter()
        .skip(1)
        .copied()
        .filter(|word| given.contains(word))
        .collect();
    if kept.is_empty() {
        kept.push(words[0]);
    }
    Ok(Value::Words(kept))
}

fn parse_addresses(text: &str) -> Result<Value, BadValue> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.len() > MAX_ADDRESSES {
        return Err(form("Too many bind addresses specified."));
    }
    let address = |word: &&str| {
        BindAddress::parse(word).ok_or_else(|| form(format!("'{word}' is not an IP address")))
    };
    words
        .iter()
        .map(address)
        .collect::<Result<_, _>>()
        .map(Value::Addresses)
}

fn parse_output_limits(text: &str, current: Option<&Value>) -> Result<Value, BadValue> {
    let base = match current {
        Some(Value::Output(limits)) => *limits,
        _ => OutputLimits::NONE,
    };
    base.with(text).map(Value::Output).map_err(form)
}

fn parse_save_points(text: &str) -> Result<Value, BadValue> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let pair = |pair: &[&str]| {
        let seconds = pair[0].parse::<u64>().ok().filter(|&s| s >= 1)?;
        let changes = pair.get(1)?.parse::<u64>().ok()?;
        Some(SavePoint { seconds, changes })
    };
    let points: Option<Vec<SavePoint>> = words.chunks(2).map(pair).collect();
    points
        .map(Value::Save)
        .ok_or_else(|| form("Invalid save parameters"))
}

fn parse_percentiles(text: &str) -> Result<Value, BadValue> {
    let mut percentiles = Vec::new();
    for word in text.split_ascii_whitespace() {
        let number: f64 = word
            .parse()
            .map_err(|_| form("Invalid latency-tracking-info-percentiles parameters"))?;
        if !(0.0..=100.0).contains(&number) {
            return Err(form(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
            ));
        }
        percentiles.push(number);
    }
    Ok(Value::Percentiles(percentiles))
}

fn parse_ints(text: &str, count: usize, bound: i64) -> Result<Value, BadValue> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.len() != count {
        return Err(form("wrong number of arguments"));
    }
    let number = |word: &&str| parse_int(word).filter(|n| (-bound..=bound).contains(n));
    let numbers: Option<Vec<i64>> = words.iter().map(number).collect();
    numbers.map(Value::Ints).ok_or_else(|| {
        form(format!(
            "Invalid values, elements must be between -{bound} and {bound}."
        ))
    })
}

#[cfg(test)]
mod tests;
