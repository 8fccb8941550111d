//! `corelane check`: reads a configuration file as the server would, and starts nothing.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};
use corelane_settings::{Layers, load};

use super::Subcommand;
use crate::failure::Failure;
use crate::{output, start};

pub(super) const SUBCOMMAND: Subcommand = Subcommand {
    name: "check",
    about: "Read a configuration file, and say what it sets or what is wrong",
    define,
    run,
};

fn define(command: clap::Command) -> clap::Command {
    let file = Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf));
    command.arg(file.help("The TOML file"))
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path: &PathBuf = matches.get_one("file").expect("the argument is required");
    let text = start::read_file(path)?;
    output::print(&verdict(path, &text)?)
}

/// What a good file sets, line by line; the first fault of a bad one. Variables and flags, which
/// may differ from start to start, are left out.
fn verdict(path: &Path, text: &str) -> Result<String, Failure> {
    let layers = Layers {
        cwd: Path::new(""),
        file: Some((path, text)),
        env: &[],
        flags: &[],
    };
    let loaded = load(&layers).map_err(|e| Failure::Asked(e.to_string()))?;
    let mut verdict = format!("{}: good\n", path.display());
    for (setting, value, source) in loaded.settings.given() {
        let _ = writeln!(verdict, "{source}: {} = {value}", setting.name);
    }
    for (setting, _, source) in loaded.settings.given_without_effect() {
        let _ = writeln!(
            verdict,
            "{source}: warning: nothing acts on {} in this version",
            setting.name
        );
    }
    Ok(verdict)
}
