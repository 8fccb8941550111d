//! One unit under Redis's harness in external mode: how it is called, what its output says.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stream;

/// How long the harness waits for a test, in seconds.
const TEST_PATIENCE_S: &str = "120";

/// Lines of a failed test's explanation that are kept, and of each line so many characters.
const EXPLANATION_LINES: usize = 12;
const EXPLANATION_WIDTH: usize = 200;

/// How a unit is run.
pub(crate) struct Call<'a> {
    pub(crate) sources: &'a Path,
    pub(crate) unit: &'a str,
    pub(crate) address: (&'a str, &'a str),
    pub(crate) which: Which<'a>,
    /// Tests left out by tag.
    pub(crate) tags: &'a [&'a str],
    /// All output goes here; the names to skip go beside it.
    pub(crate) log: PathBuf,
}

/// Which of a unit's tests run.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    AllBut(&'a [&'a str]),
    Only(&'a [&'a str]),
}

/// What came of a unit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: Vec<String>,
    pub(crate) failed: Vec<Failure>,
    /// Left out by name.
    pub(crate) skipped: Vec<String>,
    /// Left out by tag.
    pub(crate) ignored: Vec<String>,
    /// The harness itself gave up.
    pub(crate) broken: Vec<String>,
    /// The unit was run to its end.
    pub(crate) done: bool,
}

/// A failed test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) test: String,
    /// What the harness says about it.
    pub(crate) lines: Vec<String>,
}

impl Call<'_> {
    /// Runs the unit.
    ///
    /// # Errors
    /// If the harness cannot be run.
    pub(crate) fn run(&self) -> Result<Outcome, String> {
        let failed = |error: io::Error| format!("cannot run {}: {error}", self.unit);
        let skipfile = self.log.with_extension("skip");
        let (skipped, only) = match self.which {
            Which::AllBut(names) => (names, [].as_slice()),
            Which::Only(names) => ([].as_slice(), names),
        };
        fs::write(&skipfile, skipped.join("\n")).map_err(failed)?;
        let tags: Vec<String> = self.tags.iter().map(|tag| format!("-{tag}")).collect();
        let (host, port) = self.address;
        let mut command = Command::new("sh");
        command
            .args(["./runtest", "--host", host, "--port", port])
            .args(["--single", self.unit, "--skipfile"])
            .arg(&skipfile)
            // Encodings and digests are Redis's inner ways.
            .args(["--ignore-encoding", "--ignore-digest"])
            .args(["--tags", &tags.join(" "), "--durable", "--clients", "1"])
            .args(["--timeout", TEST_PATIENCE_S])
            .args(only.iter().flat_map(|name| ["--only", name]))
            .current_dir(self.sources);
        let mut log = File::create(&self.log).map_err(failed)?;
        let mut outcome = Outcome::default();
        let mut reader = Reader::default();
        let status = stream::copy(&mut command, &mut log, |line| {
            reader.take(line, &mut outcome)
        })
        .map_err(failed)?;
        if !status.success() && outcome.failed.is_empty() && outcome.broken.is_empty() {
            outcome
                .broken
                .push(format!("the harness ended with {status}"));
        }
        Ok(outcome)
    }
}

/// Reads the harness's lines: `[ok]: name (3 ms)`, `[err]: name in tests/unit/…` and what follows.
#[derive(Default)]
struct Reader {
    /// The lines that come explain the last failure.
    explaining: bool,
    /// The summary has begun, which says everything again.
    over: bool,
}

impl Reader {
    fn take(&mut self, line: &str, outcome: &mut Outcome) {
        self.over |= line.trim() == "The End";
        let event = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (kind, rest) = match event {
            Some((kind, rest)) => (kind, rest.trim_start_matches(':').trim()),
            None => {
                self.explain(line, outcome);
                return;
            }
        };
        if self.over {
            return;
        }
        match kind {
            "ok" => outcome.passed.push(without_time(rest)),
            "skip" => outcome.skipped.push(rest.to_owned()),
            "ignore" => outcome.ignored.push(rest.to_owned()),
            "err" => {
                let test = rest.split(" in tests/").next().unwrap_or(rest);
                outcome.failed.push(Failure {
                    test: test.to_owned(),
                    lines: Vec::new(),
                });
            }
            "exception" | "TIMEOUT" => outcome.broken.push(format!("{kind}: {rest}")),
            _ if kind.ends_with(" done") => outcome.done = true,
            // A line of a failure's explanation that happens to begin with a bracket.
            _ => {
                self.explain(line, outcome);
                return;
            }
        }
        self.explaining = kind == "err";
    }

    fn explain(&self, line: &str, outcome: &mut Outcome) {
        let Some(failure) = outcome.failed.last_mut() else {
            return;
        };
        if self.explaining && !self.over && failure.lines.len() < EXPLANATION_LINES {
            failure
                .lines
                .push(line.chars().take(EXPLANATION_WIDTH).collect());
        }
    }
}

/// `name` of `name (3 ms)`.
fn without_time(rest: &str) -> String {
    rest.rsplit_once(" (")
        .map_or(rest, |(name, _)| name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_is_understood() {
        let text = "Starting test server at port 21079\n\
            [ready]: 10133\n\
            Testing unit/x\n\
            [ok]: A (with brackets) (12 ms)\n\
            [err]: B fails in tests/unit/x.tcl\n\
            Expected '1' to be '2'\n\
            [a bracket] in the explanation\n\
            [skip]: C\n\
            [ignore]: D: Tag: needs:repl denied\n\
            [ok]: E (0 ms)\n\
            [1/1 done]: unit/x (1 seconds)\n\
            \n                   The End\n\n\
            *** [err]: B fails in tests/unit/x.tcl\n\
            Expected '1' to be '2'\n\
            [ok]: not counted twice (0 ms)\n";
        let mut outcome = Outcome::default();
        let mut reader = Reader::default();
        text.lines()
            .for_each(|line| reader.take(line, &mut outcome));
        let failure = Failure {
            test: "B fails".into(),
            lines: vec![
                "Expected '1' to be '2'".into(),
                "[a bracket] in the explanation".into(),
            ],
        };
        let expected = Outcome {
            passed: vec!["A (with brackets)".into(), "E".into()],
            failed: vec![failure],
            skipped: vec!["C".into()],
            ignored: vec!["D: Tag: needs:repl denied".into()],
            broken: Vec::new(),
            done: true,
        };
        assert_eq!(outcome, expected);
    }

    #[test]
    fn a_harness_that_gives_up_is_no_success() {
        let mut outcome = Outcome::default();
        let mut reader = Reader::default();
        for line in [
            "[ok]: A (0 ms)",
            "[exception]: Executing test client: no",
            "[TIMEOUT]: clients state report follows.",
        ] {
            reader.take(line, &mut outcome);
        }
        assert_eq!(outcome.broken.len(), 2);
        assert!(!outcome.done);
    }
}
