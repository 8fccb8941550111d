//! `CONFIG GET` and `CONFIG SET`: Redis's behaviour and its error texts, over [`Settings`]. Who may
//! call them, and how the new values reach the shards, is the caller's.

use thiserror::Error;

use crate::{BadValue, Change, SETTINGS, Setting, Settings, Shown, Source, Value, find};

/// Why `CONFIG SET` changed nothing. `Display` is the text after `-ERR `.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// No such setting.
    #[error("Unknown option or number of arguments for CONFIG SET - '{0}'")]
    Unknown(String),
    /// The setting is there, the value cannot be set.
    #[error("CONFIG SET failed (possibly related to argument '{name}') - {reason}")]
    Refused {
        /// The setting.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Settings {
    /// The rows of `CONFIG GET`: for each pattern the settings it matches, none twice, older names
    /// as rows of their own. `glob` matches a pattern against a name without regard to case.
    pub fn get(
        &self,
        patterns: &[&[u8]],
        glob: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut add = |name: &[u8], index: usize| {
            if !rows
                .iter()
                .any(|(there, _)| there.eq_ignore_ascii_case(name))
            {
                rows.push((name.to_vec(), self.value_at(index).to_bytes()));
            }
        };
        for pattern in patterns {
            if !pattern.iter().any(|byte| b"[*?".contains(byte)) {
                // Asked for by name, it is answered under the name that was asked for.
                if let Some((index, _)) = std::str::from_utf8(pattern).ok().and_then(find) {
                    add(pattern, index);
                }
                continue;
            }
            for (index, setting) in SETTINGS
                .iter()
                .enumerate()
                .filter(|(_, s)| s.shown != Shown::Hidden)
            {
                for name in setting
                    .names()
                    .filter(|name| glob(pattern, name.as_bytes()))
                {
                    add(name.as_bytes(), index);
                }
            }
        }
        rows
    }

    /// `CONFIG SET`: sets all pairs or none, and raises the epoch if anything changed. Answers which
    /// settings changed.
    ///
    /// A setting that can only be given at start is refused, unless the value is the one it has.
    pub fn set(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<Vec<&'static Setting>, SetError> {
        let targets = self.targets(pairs)?;
        let mut next = self.clone();
        let mut changed = Vec::new();
        for (&(index, setting), (_, text)) in targets.iter().zip(pairs) {
            let value = read(setting, text, self.given_at(index))
                .map_err(|e| refused(setting.name, e.to_string()))?;
            if let Some(most) = self.over_at(index, &value) {
                return Err(refused(setting.name, beyond(setting.name, most)));
            }
            if value != *self.given_at(index) {
                next.put(index, value, Source::ConfigSet);
                changed.push(setting);
            }
        }
        if !changed.is_empty() {
            next.stays_safe(&changed)?;
            next.raise_epoch();
            *self = next;
        }
        Ok(changed)
    }

    /// The settings that the pairs name; the first wrong pair is the error.
    fn targets(
        &self,
        pairs: &[(&[u8], &[u8])],
    ) -> Result<Vec<(usize, &'static Setting)>, SetError> {
        let mut targets: Vec<(usize, &'static Setting)> = Vec::with_capacity(pairs.len());
        for (name, text) in pairs {
            let shown = String::from_utf8_lossy(name);
            let (index, setting) =
                find(&shown).ok_or_else(|| SetError::Unknown(shown.clone().into_owned()))?;
            if setting.change == Change::Start && !self.has(index, setting, text) {
                return Err(refused(&shown, "can't set immutable config"));
            }
            if targets.iter().any(|(there, _)| *there == index) {
                return Err(refused(&shown, "duplicate parameter"));
            }
            targets.push((index, setting));
        }
        Ok(targets)
    }

    fn has(&self, index: usize, setting: &Setting, text: &[u8]) -> bool {
        let same = |value: Value| value == *self.value_at(index) || value == *self.given_at(index);
        setting
            .kind
            .parse(text, Some(self.given_at(index)))
            .is_ok_and(same)
    }

    /// A password that is taken away must not open a public address, neither at start nor later.
    fn stays_safe(&self, changed: &[&'static Setting]) -> Result<(), SetError> {
        let (Some(ip), Some(first)) = (
            self.exposed(),
            changed.iter().find(|s| GUARDS.contains(&s.name)),
        ) else {
            return Ok(());
        };
        let reason = format!(
            "clients of other machines reach {ip}: it needs requirepass, or protected-mode no"
        );
        Err(refused(first.name, reason))
    }
}

/// The settings whose change can open a public address.
const GUARDS: [&str; 3] = ["requirepass", "protected-mode", "bind"];

/// Reads a value and asks the setting's own check.
pub(crate) fn read(setting: &Setting, text: &[u8], current: &Value) -> Result<Value, BadValue> {
    let value = setting.kind.parse(text, Some(current))?;
    if let Some(check) = setting.check {
        check(&value).map_err(BadValue::Refused)?;
    }
    Ok(value)
}

/// What the machine cannot give; of `maxclients` in Redis's words.
fn beyond(name: &str, most: i64) -> String {
    match name {
        "maxclients" => format!(
            "The operating system is not able to handle the specified number of clients, try with {most}"
        ),
        _ => format!("this machine can give {most} at most"),
    }
}

fn refused(name: &str, reason: impl Into<String>) -> SetError {
    SetError::Refused {
        name: name.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
