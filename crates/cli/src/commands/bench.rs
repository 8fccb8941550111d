//! `corelane bench`: the load generator at the command line: its options, a progress bar on
//! standard error, and the report on standard output.

use std::io::{IsTerminal, stderr};

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};
use corelane_loadgen::{Options, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use super::Subcommand;
use crate::failure::Failure;
use crate::output;

pub(super) const SUBCOMMAND: Subcommand = Subcommand {
    name: "bench",
    about: "Load a server that speaks the Redis protocol, and measure throughput and latency",
    define,
    run,
};

fn define(command: clap::Command) -> clap::Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Report as JSON");
    Options::augment_args(command)
        .next_help_heading("Report")
        .arg(json)
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let options = Options::from_arg_matches(matches).map_err(|e| Failure::Asked(e.to_string()))?;
    let bar = Bar::new(stderr().is_terminal());
    let report = corelane_loadgen::run(&options, &mut |progress| bar.show(progress))?;
    bar.0.finish_and_clear();
    if matches.get_flag("json") {
        let json =
            serde_json::to_string_pretty(&report).map_err(|e| Failure::Ran(e.to_string()))?;
        output::print(&(json + "\n"))?;
    } else {
        output::print(&report.table())?;
    }
    if report.clean() {
        Ok(())
    } else {
        Err(Failure::Ran(
            "some requests were not answered as they should; the report counts them".to_owned(),
        ))
    }
}

/// Progress for a person who watches; nothing in a pipe.
struct Bar(ProgressBar);

/// A bar of so many steps is finer than any terminal is wide.
const STEPS: f64 = 1000.0;

impl Bar {
    fn new(watched: bool) -> Bar {
        if !watched {
            return Bar(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{prefix:>12} {wide_bar} {msg}");
        let bar = ProgressBar::new(STEPS as u64);
        Bar(bar.with_style(style.expect("the template is a constant and well formed")))
    }

    fn show(&self, progress: Progress) {
        self.0.set_prefix(progress.phase.to_string());
        self.0
            .set_position((progress.fraction.clamp(0.0, 1.0) * STEPS) as u64);
        let errors = match progress.errors {
            0 => String::new(),
            errors => format!(", {errors} errors"),
        };
        self.0
            .set_message(format!("{:.0}/s{errors}", progress.per_second));
    }
}
