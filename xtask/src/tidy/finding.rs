//! One broken rule at one place, said so that whoever reads it knows what to do.

use std::fmt;

/// A broken rule. Sorts by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the workspace, with forward slashes.
    pub(crate) path: String,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What is there.
    pub(crate) what: String,
    /// Why that is wrong.
    pub(crate) why: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            what,
            why,
            remedy,
        } = self;
        write!(
            f,
            "{path}:{line}: {what}\n    why: {why}\n    do:  {remedy}"
        )
    }
}

/// What a rule finds in one file's text, as the lines of its findings: one row of a rule's tests.
#[cfg(test)]
pub(crate) fn check_rows(
    rule: fn(&super::source::Source) -> Vec<Finding>,
    path: &str,
    rows: &[(&str, &[usize])],
) {
    for (text, lines) in rows {
        let found = rule(&super::source::Source::new(path, text));
        let found: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(found, *lines, "{path}: {text}");
    }
}
