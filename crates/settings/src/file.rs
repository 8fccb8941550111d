//! The TOML file as a list of settings with their lines. What the values mean is not known here.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml_edit::{Array, Document, Formatted, Item, Value};

use crate::layers::known;
use crate::{Kind, LoadError, Setting, Source};

/// One key of the file.
pub(crate) struct Entry {
    /// The setting it names.
    pub(crate) setting: &'static Setting,
    /// Its value in the words of `CONFIG SET`.
    pub(crate) text: String,
    /// Its line.
    pub(crate) at: Source,
}

/// Reads the file's keys in their order.
pub(crate) fn read(path: &Path, text: &str) -> Result<Vec<Entry>, LoadError> {
    let path: Arc<Path> = path.into();
    let at = |line| Source::File {
        path: path.clone(),
        line,
    };
    let document = Document::parse(text).map_err(|e| LoadError::Syntax {
        at: at(line_of(text, e.span())),
        message: one_line(e.message()),
    })?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut lines: Vec<usize> = Vec::new();
    for (name, item) in document.iter() {
        let key = document.key(name).and_then(toml_edit::Key::span);
        let line = line_of(text, key.or(item.span()));
        let entry = entry(name, item, text, at(line))?;
        let same = |earlier: &Entry| earlier.setting.name == entry.setting.name;
        if let Some(first) = entries.iter().position(same) {
            let first_line = lines[first];
            return Err(LoadError::Twice {
                at: at(line),
                name: name.to_owned(),
                first_line,
            });
        }
        entries.push(entry);
        lines.push(line);
    }
    Ok(entries)
}

fn entry(name: &str, item: &Item, file: &str, at: Source) -> Result<Entry, LoadError> {
    let section = || LoadError::Section {
        at: at.clone(),
        key: name.to_owned(),
    };
    let Item::Value(value) = item else {
        return Err(section());
    };
    let setting = known(name, &at)?;
    if setting.name == "config" {
        return Err(LoadError::ConfigInFile { at });
    }
    let text = words_of(value, setting.kind, file).ok_or_else(section)?;
    Ok(Entry { setting, text, at })
}

/// The value as `CONFIG SET` would have it: `true` is `yes`, an array is its elements in a row.
fn words_of(value: &Value, kind: Kind, file: &str) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(integer(number, kind, file)),
        Value::Float(number) => Some(number.value().to_string()),
        Value::Boolean(yes) => Some(if *yes.value() { "yes" } else { "no" }.to_owned()),
        Value::Array(items) => joined(items, kind, file),
        Value::Datetime(_) | Value::InlineTable(_) => None,
    }
}

fn joined(items: &Array, kind: Kind, file: &str) -> Option<String> {
    let words: Option<Vec<String>> = items
        .iter()
        .map(|item| words_of(item, kind, file))
        .collect();
    Some(words?.join(" "))
}

/// A mode is octal digits whether TOML's own octal form says so or not: `0o700` and `700` are one.
fn integer(number: &Formatted<i64>, kind: Kind, file: &str) -> String {
    let written = number.span().and_then(|span| file.get(span));
    match written.and_then(|written| written.strip_prefix("0o")) {
        Some(octal) if kind == Kind::Mode => octal.replace('_', ""),
        _ => number.value().to_string(),
    }
}

/// The line of a place in the text, counted from 1.
pub(crate) fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start.min(text.len()));
    1 + text.as_bytes()[..start]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
}

pub(crate) fn one_line(message: &str) -> String {
    message
        .split('\n')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
