//! The list of what runs and what is left out, with reasons: `tests/judges/redis-tcl.txt`.
//!
//! ```text
//! redis 7.0.15
//! tag needs:repl: needs replication
//!
//! unit/type/string
//!   needs lists:
//!     SETRANGE against key with wrong type
//! ```
//!
//! Tests under a reason that begins with `apart` run, but after the others, on a server of their own.

use std::fs;
use std::path::Path;

/// Which Redis's tests, which tags and tests are left out of them, why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// The version whose tests these are.
    pub(crate) version: String,
    /// Tags that are left out in all units.
    pub(crate) tags: Vec<Skipped>,
    /// Units that run, in order.
    pub(crate) units: Vec<Unit>,
}

/// A unit: a file of tests that share a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) skipped: Vec<Skipped>,
    /// Tests that run after the others, on a server of their own.
    pub(crate) apart: Vec<Skipped>,
}

/// A test or tag that is left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) name: String,
    pub(crate) reason: String,
}

impl Unit {
    /// All tests that do not run among the others.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Skipped> {
        self.skipped.iter().chain(&self.apart)
    }
}

impl List {
    /// Reads the list.
    ///
    /// # Errors
    /// A sentence that names file and line.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        let mut reason = None;
        for (at, line) in text.lines().enumerate() {
            let words = line.trim();
            if words.is_empty() || line.starts_with('#') {
                continue;
            }
            let taken = match line.len() - line.trim_start().len() {
                0 => {
                    reason = None;
                    list.take_head(words)
                }
                2 => {
                    reason = words.strip_suffix(':');
                    reason.map(|_| ())
                }
                4 => list.take_test(words, reason),
                _ => None,
            };
            taken.ok_or_else(|| {
                format!(
                    "line {}: {line:?} is none of `redis VERSION`, `tag NAME: REASON`, a unit, its `  REASON:`, \
                     that reason's `    TEST`",
                    at + 1
                )
            })?;
        }
        if list.version.is_empty() || list.units.is_empty() {
            return Err("it names no `redis VERSION`, or no unit".into());
        }
        Ok(list)
    }

    /// A line that is not indented.
    fn take_head(&mut self, words: &str) -> Option<()> {
        if let Some(version) = words.strip_prefix("redis ") {
            self.version = version.to_owned();
        } else if let Some(tag) = words.strip_prefix("tag ") {
            let (name, reason) = tag.split_once(": ")?;
            self.tags.push(Skipped {
                name: name.to_owned(),
                reason: reason.to_owned(),
            });
        } else if words.contains('/') && !words.contains(' ') {
            self.units.push(Unit {
                name: words.to_owned(),
                ..Unit::default()
            });
        } else {
            return None;
        }
        Some(())
    }

    fn take_test(&mut self, name: &str, reason: Option<&str>) -> Option<()> {
        let test = Skipped {
            name: name.to_owned(),
            reason: reason?.to_owned(),
        };
        let unit = self.units.last_mut()?;
        if test.reason.starts_with("apart") {
            unit.apart.push(test);
        } else {
            unit.skipped.push(test);
        }
        Some(())
    }

    /// The units called so, or all of them; a unit that is not in the list runs whole.
    pub(crate) fn only(self, names: &[String]) -> Vec<Unit> {
        if names.is_empty() {
            return self.units;
        }
        let mut units = self.units;
        names
            .iter()
            .map(
                |name| match units.iter().position(|unit| unit.name == *name) {
                    Some(at) => units.swap_remove(at),
                    None => Unit {
                        name: name.clone(),
                        ..Unit::default()
                    },
                },
            )
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let text = "# about\nredis 7.0.15\ntag a:b: why: so\n\nunit/one\nunit/two\n  needs x:\n    T: 1 - [a]\n    T 2\n  needs y:\n    T 3\n  apart, so:\n    T 4\n";
        let list = List::parse(text).expect("in order");
        let skip = |name: &str, reason: &str| Skipped {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        assert_eq!(list.version, "7.0.15");
        assert_eq!(list.tags, [skip("a:b", "why: so")]);
        assert_eq!(list.units[0].skipped, []);
        assert_eq!(
            list.units[1].skipped,
            [
                skip("T: 1 - [a]", "needs x"),
                skip("T 2", "needs x"),
                skip("T 3", "needs y")
            ]
        );
        assert_eq!(list.units[1].apart, [skip("T 4", "apart, so")]);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let rows = [
            ("redis 7\nunit/one\n    T 1\n", "line 3"),
            ("redis 7\nunit/one\n  no colon\n", "line 3"),
            ("redis 7\n  reason:\n    T 1\n", "line 3"),
            ("redis 7\nunit/one\n   three\n", "line 3"),
            ("redis 7\ntag lonely\n", "line 2"),
            ("redis 7\nsomething else\n", "line 2"),
            ("unit/one\n", "no `redis VERSION`"),
            ("redis 7\n", "no unit"),
        ];
        for (text, says) in rows {
            let error = List::parse(text).expect_err(text);
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_real_list_is_in_order() {
        let path = crate::place::root().join(super::super::task::LIST);
        let list = List::read(&path).expect("in order");
        for unit in &list.units {
            let mut names: Vec<_> = unit.listed().map(|test| &test.name).collect();
            let listed = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), listed, "{} lists a test twice", unit.name);
        }
    }
}
