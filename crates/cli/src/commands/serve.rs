//! `corelane serve`: the server, with every setting as a flag. Runs until it is stopped.

use clap::ArgMatches;

use super::Subcommand;
use crate::failure::Failure;
use crate::{flags, logging, start};

pub(super) const SUBCOMMAND: Subcommand = Subcommand {
    name: "serve",
    about: "Run the server; this is what runs when no command is given",
    define,
    run,
};

fn define(command: clap::Command) -> clap::Command {
    command.args(flags::of(|_| true)).after_help(
        "Every setting is also a key of the TOML file, a variable such as CORELANE_PORT, and a name of \
         CONFIG GET. `--help` lists more of them than `-h`; docs/reference/settings.md has all.",
    )
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = start::settings(&flags::given(matches))?;
    logging::start(&loaded.settings)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(corelane_server::run(loaded.settings)?)
}
