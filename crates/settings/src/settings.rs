//! The values of all settings at one moment, each with where it came from. Cheap enough to copy
//! for every shard; reading them by kind is here, reading them by meaning in `typed`.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::{BindAddress, Effect, SETTINGS, Setting, Source, Value, find};

/// The values of all settings.
///
/// One copy is the truth; shards hold copies of it, and the [epoch](Settings::epoch) says which is
/// newer.
#[derive(Clone, Debug)]
pub struct Settings {
    values: Box<[Stored]>,
    epoch: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    value: Value,
    source: Source,
    /// What `auto` came to on this machine.
    detected: Option<Value>,
    /// What this machine can give at most, of a number.
    most: Option<i64>,
}

impl Default for Settings {
    /// Every setting at its default, epoch 0.
    fn default() -> Settings {
        let stored = |setting: &Setting| Stored {
            value: setting.default_value(),
            source: Source::Default,
            detected: None,
            most: None,
        };
        Settings {
            values: SETTINGS.iter().map(stored).collect(),
            epoch: 0,
        }
    }
}

impl Settings {
    /// Raised by one with every change.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The value of a setting as it acts: where it says `auto` and the machine has been looked at,
    /// what was found.
    ///
    /// # Panics
    /// If there is no such setting: names in code are checked by the tests of who uses them.
    pub fn value(&self, name: &str) -> &Value {
        self.value_at(index_of(name))
    }

    /// The value of a setting as it was given: `auto` stays `auto`.
    ///
    /// # Panics
    /// If there is no such setting.
    pub fn value_as_given(&self, name: &str) -> &Value {
        self.given_at(index_of(name))
    }

    /// Where the value of `name` came from.
    ///
    /// # Panics
    /// If there is no such setting.
    pub fn source(&self, name: &str) -> &Source {
        &self.values[index_of(name)].source
    }

    /// A whole number, or bytes as one.
    ///
    /// # Panics
    /// If there is no such setting, or it is of another kind.
    pub fn int(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Int(number) => *number,
            Value::Bytes(bytes) => i64::try_from(*bytes).unwrap_or(i64::MAX),
            other => wrong_kind(name, other),
        }
    }

    /// Bytes.
    ///
    /// # Panics
    /// If there is no such setting, or it is of another kind.
    pub fn bytes(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Bytes(bytes) => *bytes,
            other => wrong_kind(name, other),
        }
    }

    /// `yes` or `no`.
    ///
    /// # Panics
    /// If there is no such setting, or it is of another kind.
    pub fn bool(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Bool(yes) => *yes,
            other => wrong_kind(name, other),
        }
    }

    /// Text, or the word of a list.
    ///
    /// # Panics
    /// If there is no such setting, or it is of another kind.
    pub fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Value::Text(text) => text,
            Value::Word(word) => word,
            other => wrong_kind(name, other),
        }
    }

    /// A whole number as the type that its use takes.
    pub(crate) fn number<T: TryFrom<i64>>(&self, name: &str) -> T {
        let number = self.int(name);
        T::try_from(number)
            .unwrap_or_else(|_| panic!("'{name}' holds {number}, beyond the range of its use"))
    }

    /// A path.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self.value(name) {
            Value::Path(path) => path.clone(),
            other => unreachable!("{name} holds {other:?}"),
        }
    }

    /// Notes what `auto` comes to on this machine. A value that was given stays as it is.
    ///
    /// # Panics
    /// If there is no such setting.
    pub fn detect(&mut self, name: &str, found: Value) {
        self.values[index_of(name)].detected = Some(found);
    }

    /// Notes that this machine can give `most` of a number at most, now and when it is set again: a greater value is
    /// lowered to that, and returned. Its source stays, for it is not what anybody wants written to the file.
    ///
    /// # Panics
    /// If there is no such setting, or it is not a number.
    pub fn bound(&mut self, name: &str, most: i64) -> Option<i64> {
        let given = self.int(name);
        let stored = &mut self.values[index_of(name)];
        stored.most = Some(most);
        (given > most).then(|| {
            stored.value = Value::Int(most);
            given
        })
    }

    /// Settings that were given a value other than their default, with that value's source.
    pub fn given(&self) -> impl Iterator<Item = (&'static Setting, &Value, &Source)> {
        SETTINGS
            .iter()
            .zip(&self.values)
            .filter(|(setting, stored)| {
                stored.source != Source::Default && stored.value != setting.default_value()
            })
            .map(|(setting, stored)| (setting, &stored.value, &stored.source))
    }

    /// Of the given ones, those that nothing acts on in this version: worth a word in the log.
    pub fn given_without_effect(
        &self,
    ) -> impl Iterator<Item = (&'static Setting, &Value, &Source)> {
        self.given()
            .filter(|(setting, ..)| setting.effect == Effect::None)
    }

    /// An address that other machines reach although no password protects it, if there is one.
    pub(crate) fn exposed(&self) -> Option<IpAddr> {
        let guarded =
            self.bool("protected-mode") && self.value("requirepass").to_bytes().is_empty();
        let Value::Addresses(addresses) = self.value("bind") else {
            return None;
        };
        let public = |address: &&BindAddress| guarded && !address.is_loopback();
        addresses.iter().find(public).map(|address| address.ip)
    }

    pub(crate) fn value_at(&self, index: usize) -> &Value {
        let stored = &self.values[index];
        match (&stored.value, &stored.detected) {
            (Value::Auto, Some(found)) => found,
            (value, _) => value,
        }
    }

    /// The value as it was given: `auto` stays `auto`.
    pub(crate) fn given_at(&self, index: usize) -> &Value {
        &self.values[index].value
    }

    pub(crate) fn source_at(&self, index: usize) -> &Source {
        &self.values[index].source
    }

    /// What of a number this machine can give at most, where the value is more than that.
    pub(crate) fn over_at(&self, index: usize, value: &Value) -> Option<i64> {
        let Value::Int(asked) = value else {
            return None;
        };
        self.values[index].most.filter(|most| asked > most)
    }

    pub(crate) fn put(&mut self, index: usize, value: Value, source: Source) {
        self.values[index].value = value;
        self.values[index].source = source;
    }

    pub(crate) fn raise_epoch(&mut self) {
        self.epoch += 1;
    }
}

fn index_of(name: &str) -> usize {
    match find(name) {
        Some((index, _)) => index,
        None => panic!("there is no setting '{name}'"),
    }
}

fn wrong_kind(name: &str, value: &Value) -> ! {
    panic!("the setting '{name}' is not read by its kind: {value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_detected_stands_in_for_auto_only() {
        let mut settings = Settings::default();
        assert_eq!(settings.value("maxmemory"), &Value::Auto);
        settings.detect("maxmemory", Value::Bytes(1 << 30));
        assert_eq!(settings.bytes("maxmemory"), 1 << 30);
        settings.put(index_of("maxmemory"), Value::Bytes(0), Source::ConfigSet);
        assert_eq!(settings.bytes("maxmemory"), 0);
    }

    #[test]
    fn given_leaves_defaults_out() {
        let mut settings = Settings::default();
        settings.put(
            index_of("port"),
            Value::Int(7000),
            Source::Flag("--port".into()),
        );
        settings.put(index_of("hz"), Value::Int(10), Source::Flag("--hz".into()));
        settings.put(
            index_of("appendonly"),
            Value::Bool(true),
            Source::Env("CORELANE_APPENDONLY".into()),
        );
        let names: Vec<_> = settings.given().map(|(s, ..)| s.name).collect();
        assert_eq!(names, ["port", "appendonly"]);
        let idle: Vec<_> = settings
            .given_without_effect()
            .map(|(s, ..)| s.name)
            .collect();
        assert_eq!(idle, ["appendonly"]);
    }
}
