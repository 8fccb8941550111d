//! `CONFIG REWRITE`: the file's text with what `CONFIG SET` changed, and nothing else. Comments,
//! order and spelling stay. Values from flags and variables are not written: they come from there
//! again at the next start, and a password given as a variable stays out of the file.

use thiserror::Error;
use toml_edit::{Array, DocumentMut, Item, Value as Toml};

use crate::file::{line_of, one_line};
use crate::number::show_bytes;
use crate::{SETTINGS, Settings, Source, Value, find};

/// Why the file cannot be written. `Display` says why; the caller knows
/// the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RewriteError {
    /// The file as it is now cannot be read.
    #[error("line {line} is not valid TOML: {message}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What the TOML reader says.
        message: String,
    },
    /// TOML is text.
    #[error("{0} is not UTF-8 text, which TOML needs")]
    NotText(&'static str),
}

/// The new text of the file: `old` with every value that `CONFIG SET` changed.
pub fn rewrite(old: &str, settings: &Settings) -> Result<String, RewriteError> {
    let mut document: DocumentMut =
        old.parse()
            .map_err(|e: toml_edit::TomlError| RewriteError::Syntax {
                line: line_of(old, e.span()),
                message: one_line(e.message()),
            })?;
    for (index, setting) in SETTINGS.iter().enumerate() {
        if *settings.source_at(index) != Source::ConfigSet {
            continue;
        }
        let value = settings.given_at(index);
        let key = document
            .iter()
            .map(|(key, _)| key.to_owned())
            .find(|key| names(key, index));
        match key.and_then(|key| document.get_mut(&key)) {
            Some(item) => replace(item, value).ok_or(RewriteError::NotText(setting.name))?,
            None if *value == setting.default_value() => {}
            None => {
                let toml = to_toml(value, None).ok_or(RewriteError::NotText(setting.name))?;
                document.insert(setting.name, Item::Value(toml));
            }
        }
    }
    Ok(document.to_string())
}

fn names(key: &str, index: usize) -> bool {
    find(key).is_some_and(|(found, _)| found == index)
}

/// Puts the value in, keeping the space and the comment around the old one.
fn replace(item: &mut Item, value: &Value) -> Option<()> {
    let old = item.as_value();
    let mut new = to_toml(value, old)?;
    if let Some(old) = old {
        *new.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(new);
    Some(())
}

/// The value in the form that the file uses already, or else in the one that reads best. `None` if
/// it is not text.
fn to_toml(value: &Value, like: Option<&Toml>) -> Option<Toml> {
    let as_string = like.is_some_and(Toml::is_str);
    Some(match value {
        Value::Bool(yes) if !as_string => Toml::from(*yes),
        Value::Int(number) if !as_string => Toml::from(*number),
        Value::Bytes(bytes) => bytes_to_toml(*bytes, like),
        Value::Addresses(addresses) if !as_string => {
            Toml::from(addresses.iter().map(ToString::to_string).collect::<Array>())
        }
        Value::Secret(secret) => Toml::from(std::str::from_utf8(secret).ok()?),
        other => Toml::from(other.to_string()),
    })
}

fn bytes_to_toml(bytes: u64, like: Option<&Toml>) -> Toml {
    let with_unit = show_bytes(bytes);
    let plain = with_unit.bytes().all(|b| b.is_ascii_digit()) || like.is_some_and(Toml::is_integer);
    match i64::try_from(bytes) {
        Ok(number) if plain => Toml::from(number),
        _ => Toml::from(with_unit),
    }
}

#[cfg(test)]
mod tests;
