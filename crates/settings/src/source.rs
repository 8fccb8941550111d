//! Where a value came from: errors and `corelane check` name it, `CONFIG REWRITE` decides by it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The layer that gave a value; later ones go before earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The list itself.
    Default,
    /// A line of the TOML file.
    File {
        /// The file.
        path: Arc<Path>,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Env(String),
    /// A command-line flag, with its dashes.
    Flag(String),
    /// `CONFIG SET`.
    ConfigSet,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { path, line } => write!(f, "{}:{line}", path.display()),
            Source::Env(name) => write!(f, "variable {name}"),
            Source::Flag(name) => write!(f, "flag {name}"),
            Source::ConfigSet => f.write_str("CONFIG SET"),
        }
    }
}
