//! The document: what was run at which revision, what came of it.

use std::fmt::Write;
use std::fs;
use std::thread::available_parallelism;

use super::parts::{PARTS, Part, Slice};
use super::state::{Done, State};
use super::task::Options;
use crate::place::root;
use crate::tally::Tally;

/// Where the document is, relative to the workspace.
pub(crate) const DOCUMENT: &str = "docs/results/full.md";

/// Writes the document.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(state: &State, options: &Options) -> Result<(), String> {
    let path = root().join(DOCUMENT);
    let folder = path.parent().unwrap_or(&path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, text(state, options)))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn text(state: &State, options: &Options) -> String {
    let mut text = format!(
        "# The long runs\n\nWritten by `cargo xtask full` at revision {}, on {} processors. A part's slices are run one \
         by one; one that failed is run again the next time.\n\n\
         | part | what | slices run | passed | failed | left out | minutes |\n|---|---|---|---|---|---|---|\n",
        state.revision,
        available_parallelism().map_or(1, usize::from),
    );
    for part in PARTS {
        let row = Row::of(part, state, options);
        let Tally {
            passed,
            failed,
            skipped,
        } = row.tally;
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} of {} | {passed} | {failed} | {skipped} | {:.1} |",
            part.name,
            part.about,
            row.run,
            row.slices,
            row.seconds / 60.0
        );
    }
    let failed: Vec<String> = PARTS
        .iter()
        .flat_map(|part| failures(part, state, options))
        .collect();
    if !failed.is_empty() {
        let _ = write!(text, "\nFailed:\n\n{}\n", failed.join("\n"));
    }
    text
}

/// A part's line.
struct Row {
    slices: usize,
    run: usize,
    tally: Tally,
    seconds: f64,
}

impl Row {
    fn of(part: &Part, state: &State, options: &Options) -> Self {
        let slices = (part.slices)(options);
        let done: Vec<Done> = slices
            .iter()
            .filter_map(|slice| state.get(part.name, &slice.name))
            .collect();
        Self {
            slices: slices.len(),
            run: done.len(),
            tally: done.iter().map(|done| done.tally).sum(),
            // Not `sum`, which is -0 where nothing was run.
            seconds: done.iter().fold(0.0, |sum, done| sum + done.seconds),
        }
    }
}

fn failures(part: &Part, state: &State, options: &Options) -> Vec<String> {
    let failed = |slice: &Slice| {
        let done = state.get(part.name, &slice.name)?;
        (done.tally.failed > 0).then(|| format!("- {}: {}: {}", part.name, slice.name, done.tally))
    };
    (part.slices)(options).iter().filter_map(failed).collect()
}
