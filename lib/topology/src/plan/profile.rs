//! Profiles by name. What each of them chooses stands in `profiles`, apart from how a name is read.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What a node is for: one word that decides all that was not asked for by itself.
///
/// What each of them chooses, and why, is printed by [`Plan::explain`](crate::Plan::explain).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// A machine or container of the node's own: every CPU, most of the memory.
    #[default]
    Production,
    /// A developer's machine, where other programs matter more than this node.
    Development,
    /// The same node wherever the tests run, from a seed.
    Testing,
    /// Answers in microseconds, at the price of CPU time.
    LowLatency,
    /// As many requests as the machine can do, at the price of waiting a little longer.
    Throughput,
    /// The least a node can be: one shard beside something more important.
    Minimal,
}

impl Profile {
    /// Every profile, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Production,
        Self::Development,
        Self::Testing,
        Self::LowLatency,
        Self::Throughput,
        Self::Minimal,
    ];

    /// As it is written: `low-latency`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
            Self::Testing => "testing",
            Self::LowLatency => "low-latency",
            Self::Throughput => "throughput",
            Self::Minimal => "minimal",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "profile = `{given}`: write production, development, testing, low-latency, throughput or minimal"
)]
pub struct ProfileError {
    given: String,
}

impl FromStr for Profile {
    type Err = ProfileError;

    /// Reads what [`name`](Self::name) writes.
    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let named = Self::ALL.into_iter().find(|profile| profile.name() == text);
        named.ok_or_else(|| ProfileError {
            given: crate::host::quoted(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn every_profile_is_read_as_it_is_written() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert_eq!(Profile::ALL[0], Profile::default());
    }

    #[test]
    fn other_words_are_refused_with_those_that_would_do() {
        for text in ["", "Production", "low_latency", "fast"] {
            let error = text.parse::<Profile>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("profile = `{text}`: write production, ")),
                "{error}"
            );
        }
    }
}
