//! Databases, background work, logging, and the file that all of it came from.

use std::path::PathBuf;

use crate::Settings;

/// Databases and background work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyspaceOptions {
    /// Databases that `SELECT` can choose from.
    pub databases: u16,
    /// Background rounds per second and shard.
    pub hz: u32,
    /// How much time expiry may take, 1 to 10.
    pub active_expire_effort: u8,
    /// Directory for everything on disk; an absolute path.
    pub dir: PathBuf,
}

/// What to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// A filter in the form of `RUST_LOG`.
    pub filter: String,
}

impl Settings {
    /// Databases and background work.
    pub fn keyspace(&self) -> KeyspaceOptions {
        KeyspaceOptions {
            databases: self.number("databases"),
            hz: self.number("hz"),
            active_expire_effort: self.number("active-expire-effort"),
            dir: self.path("dir"),
        }
    }

    /// What to log: `log`, or what `loglevel` stands for.
    pub fn logging(&self) -> Logging {
        let filter = match (self.text("log"), self.text("loglevel")) {
            ("", "debug") => "trace",
            ("", "verbose") => "debug",
            ("", "warning") => "warn",
            ("", _) => "info",
            (filter, _) => filter,
        };
        Logging {
            filter: filter.to_owned(),
        }
    }

    /// The TOML file that was read, which `CONFIG REWRITE` writes.
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.path("config")).filter(|path| !path.as_os_str().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, find};

    #[test]
    fn log_goes_before_loglevel() {
        let rows = [
            ("", "notice", "info"),
            ("", "verbose", "debug"),
            ("", "warning", "warn"),
            ("warn", "debug", "warn"),
        ];
        for (log, level, want) in rows {
            let mut settings = Settings::default();
            for (name, text) in [("log", log), ("loglevel", level)] {
                let (index, setting) = find(name).unwrap();
                settings.put(
                    index,
                    setting.kind.parse(text.as_bytes(), None).unwrap(),
                    Source::ConfigSet,
                );
            }
            assert_eq!(settings.logging().filter, want);
        }
    }
}
