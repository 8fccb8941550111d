//! Tests counted: added up over steps, read from the closing lines of test runners.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// How many tests passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// One check that passed or failed as a whole.
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
            skipped: 0,
        }
    }

    /// One check that could not be made.
    pub(crate) fn skipped() -> Self {
        Self {
            skipped: 1,
            ..Self::default()
        }
    }

    /// What a line of output counts: the closing line of nextest, of each of cargo's test binaries, or
    /// of a chore of ours. Only nextest's is indented: indented lines like the others' are what a
    /// failed test has printed, and are counted already.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let line = line.trim_end();
        let summary = line.trim_start().strip_prefix("Summary [");
        let counts = if let Some((_, counts)) = summary.and_then(|rest| rest.split_once(" run: ")) {
            counts
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            counts.split_once(". ")?.1
        } else if line.starts_with(|first: char| first.is_ascii_digit())
            && line.contains(" passed, ")
            && (line.ends_with(" failed") || line.ends_with(" skipped"))
        {
            line
        } else {
            return None;
        };
        let mut tally = Self::default();
        for count in counts.split([',', ';']) {
            let Some((number, what)) = count.trim().split_once(' ') else {
                continue;
            };
            // What stands in brackets tells of tests that are counted already: "(2 slow".
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what.split(" (").next().unwrap_or(what) {
                "passed" => tally.passed += number,
                "failed" | "timed out" | "exec failed" => tally.failed += number,
                "skipped" | "ignored" => tally.skipped += number,
                _ => {}
            }
        }
        Some(tally)
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, counts: Option<[u64; 3]>) {
        let expected = counts.map(|[passed, failed, skipped]| Tally {
            passed,
            failed,
            skipped,
        });
        assert_eq!(Tally::of_line(line), expected, "{line}");
    }

    #[test]
    fn closing_lines_are_understood() {
        check(
            "     Summary [   1.5s] 7 tests run: 7 passed, 0 skipped",
            Some([7, 0, 0]),
        );
        check(
            "     Summary [  20.7s] 9/12 tests run: 5 passed (1 slow, 1 flaky), 2 failed, 2 timed out, 3 skipped",
            Some([5, 4, 3]),
        );
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.10s",
            Some([12, 0, 1]),
        );
        check(
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            Some([1, 1, 0]),
        );
        check("3 passed, 0 failed, 1 skipped", Some([3, 0, 1]));
        check("199 passed, 1 failed", Some([199, 1, 0]));
        check(
            "     Summary [   0.1s] 1 test run: 1 passed, 0 skipped",
            Some([1, 0, 0]),
        );
        check(
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored",
            None,
        );
        check("test a::b ... ok", None);
        check("it passed, and nothing was skipped over", None);
    }

    #[test]
    fn a_tally_reads_what_it_writes() {
        let tally = Tally {
            passed: 3,
            failed: 2,
            skipped: 1,
        };
        assert_eq!(Tally::of_line(&tally.to_string()), Some(tally));
    }
}
