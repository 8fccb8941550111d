//! Reading text files under a root directory, with bounds on everything.
//!
//! The rest of the crate never opens a path itself: what it reads comes through [`Host`], so every
//! path lies under the root, no file is read past [`MAX_FILE_BYTES`], no directory past
//! [`MAX_ENTRIES`], and what could not be understood is kept as a [`Warning`] instead of being lost.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use crate::machine::Warning;

/// Bytes read of one file; what follows is cut off. `mountinfo` on a container host runs to a few
/// hundred kilobytes, everything else to a few hundred bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Entries taken of one directory; the rest is left out with a warning.
const MAX_ENTRIES: usize = 4096;

/// Warnings kept; further ones are dropped (a machine that hostile has told us enough).
const MAX_WARNINGS: usize = 64;

/// Characters quoted of a text that could not be understood.
const MAX_QUOTED_CHARS: usize = 40;

/// One machine's files.
pub(crate) struct Host {
    root: PathBuf,
    warnings: RefCell<Vec<Warning>>,
}

impl Host {
    /// Files are looked up beneath `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            warnings: RefCell::default(),
        }
    }

    /// What could not be understood so far.
    pub(crate) fn into_warnings(self) -> Vec<Warning> {
        self.warnings.into_inner()
    }

    /// The file's text without blanks at its ends, or `None` when there is none.
    ///
    /// A missing file, and one the driver has no answer for (`speed` of an interface that is down is
    /// `EINVAL`), is normal: kernels differ in what they offer. Bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let outcome = File::open(self.under_root(path))
            .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes));
        match outcome {
            Ok(_) => Some(String::from_utf8_lossy(&bytes).trim().to_owned()),
            Err(error) => {
                if error.kind() == ErrorKind::PermissionDenied {
                    self.warn(path, "may not be read by this user".to_owned());
                }
                None
            }
        }
    }

    /// The file's text parsed, or `None` with a warning when it is there but is not a `T`.
    pub(crate) fn parsed<T>(&self, path: &str) -> Option<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let text = self.text(path)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.warn(path, format!("`{}`: {error}", quoted(&text)));
                None
            }
        }
    }

    /// The names in a directory, sorted; none when there is no such directory.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.under_root(path)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .take(MAX_ENTRIES + 1)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        if names.len() > MAX_ENTRIES {
            self.warn(
                path,
                format!("holds more than {MAX_ENTRIES} entries, the rest is left out"),
            );
            names.truncate(MAX_ENTRIES);
        }
        names.sort();
        names
    }

    /// Whether there is a file or directory at `path`.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.under_root(path).exists()
    }

    /// Keeps a warning about the file at `path`.
    pub(crate) fn warn(&self, path: &str, what: String) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MAX_WARNINGS {
            warnings.push(Warning {
                path: path.to_owned(),
                what,
            });
        }
    }

    /// `path` as absolute inside the root: a leading slash is dropped and `..` leads nowhere.
    fn under_root(&self, path: &str) -> PathBuf {
        let inner = Path::new(path).components();
        let names = inner.filter(|component| matches!(component, Component::Normal(_)));
        names.fold(self.root.clone(), |so_far, name| so_far.join(name))
    }
}

/// The start of a text, fit for a message: control characters replaced, cut at a bound.
pub(crate) fn quoted(text: &str) -> String {
    let mut start: String = text
        .chars()
        .take(MAX_QUOTED_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(MAX_QUOTED_CHARS).is_some() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_root() {
        let host = Host::new(Path::new("/fake"));
        for path in ["/a/b", "a/b", "../a/b", "/../a/./b", "//a/../b"] {
            let real = host.under_root(path);
            assert_eq!(real, Path::new("/fake/a/b"), "for {path}");
        }
    }

    #[test]
    fn huge_files_are_cut_and_odd_bytes_replaced() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let big = vec![b'7'; MAX_FILE_BYTES as usize + 10];
        fs::write(root.path().join("big"), big).expect("written");
        fs::write(root.path().join("odd"), b"\xff1\n").expect("written");
        let host = Host::new(root.path());
        assert_eq!(
            host.text("big").map(|text| text.len() as u64),
            Some(MAX_FILE_BYTES)
        );
        assert_eq!(host.text("odd").as_deref(), Some("\u{fffd}1"));
        assert_eq!(host.parsed::<u32>("odd"), None);
        assert_eq!(host.text("absent"), None);
        assert_eq!(host.text("."), None, "a directory is not a text");
        let warnings = host.into_warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(
            warnings[0].to_string(),
            "odd: `\u{fffd}1`: invalid digit found in string"
        );
    }

    #[test]
    fn quotes_are_short_and_printable() {
        assert_eq!(quoted("a\nb"), "a b");
        assert_eq!(quoted(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }
}
