//! What has been run at this revision: a file that is written after every slice.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::place::{root, target};
use crate::tally::Tally;

/// What came of a slice.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) tally: Tally,
    pub(crate) seconds: f64,
}

/// What has been run.
#[derive(Serialize, Deserialize)]
pub(crate) struct State {
    /// The revision that all of it is about.
    pub(crate) revision: String,
    /// By `part/slice`.
    done: BTreeMap<String, Done>,
}

impl State {
    /// What was run at this revision before; nothing, if it was another revision or `fresh` asks so.
    ///
    /// # Errors
    /// If git does not say what revision this is.
    pub(crate) fn load(fresh: bool) -> Result<Self, String> {
        let revision = revision()?;
        let text = fs::read_to_string(path()).unwrap_or_default();
        // A file that cannot be understood is from another version of this program.
        let earlier = serde_json::from_str::<Self>(&text).ok();
        let same = earlier.filter(|state| state.revision == revision && !fresh);
        Ok(same.unwrap_or(Self {
            revision,
            done: BTreeMap::new(),
        }))
    }

    pub(crate) fn get(&self, part: &str, slice: &str) -> Option<Done> {
        self.done.get(&key(part, slice)).copied()
    }

    /// Writes down what came of a slice.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn set(&mut self, part: &str, slice: &str, done: Done) -> Result<(), String> {
        self.done.insert(key(part, slice), done);
        let path = path();
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        fs::create_dir_all(folder()).map_err(failed)?;
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        // A run that is ended while it writes must not lose what earlier ones found.
        let unfinished = path.with_extension("new");
        fs::write(&unfinished, text).map_err(failed)?;
        fs::rename(&unfinished, &path).map_err(failed)
    }
}

fn key(part: &str, slice: &str) -> String {
    format!("{part}/{slice}")
}

fn folder() -> PathBuf {
    target().join("full")
}

fn path() -> PathBuf {
    folder().join("state.json")
}

/// The commit, and whether files differ from it. Documents do not count: the results are one.
fn revision() -> Result<String, String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--", ".", ":!*.md"])?;
    let word = if changed.is_empty() {
        ""
    } else {
        ", with changes"
    };
    Ok(format!("{commit}{word}"))
}

fn git(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root())
        .output();
    let output = output.map_err(|error| format!("cannot run git: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("git {}: {}", arguments.join(" "), said.trim()))
    }
}
