//! The list of subcommands, and the choice among them. Each has its own file with one block for
//! the list; help is made from it.

mod bench;
mod check;
mod plan;
mod resize;
mod serve;

use std::ffi::OsString;

use clap::ArgMatches;

use crate::failure::Failure;

/// One subcommand.
struct Subcommand {
    name: &'static str,
    /// One line of help.
    about: &'static str,
    /// Adds its arguments.
    define: fn(clap::Command) -> clap::Command,
    run: fn(&ArgMatches) -> Result<(), Failure>,
}

/// Every subcommand; the first is the one that runs when none is given.
static SUBCOMMANDS: &[Subcommand] = &[
    serve::SUBCOMMAND,
    plan::SUBCOMMAND,
    bench::SUBCOMMAND,
    check::SUBCOMMAND,
    resize::SUBCOMMAND,
];

/// Does what the arguments say; the first is the program's name.
pub(crate) fn run(args: Vec<OsString>) -> Result<(), Failure> {
    let matches = match command().try_get_matches_from(with_default(args)) {
        Ok(matches) => matches,
        Err(answer) => return Failure::from_clap(&answer),
    };
    let (name, matches) = matches
        .subcommand()
        .expect("a subcommand is always given or added");
    let chosen = SUBCOMMANDS.iter().find(|command| command.name == name);
    (chosen.expect("clap knows no other subcommands").run)(matches)
}

fn command() -> clap::Command {
    let command = clap::Command::new("corelane")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A data server that speaks the Redis protocol, with a shard per core")
        .after_help(
            "Without a command, `serve` runs: `corelane --port 7000` is `corelane serve --port 7000`.",
        )
        .disable_help_subcommand(true)
        .override_usage("corelane [COMMAND] [OPTIONS]");
    SUBCOMMANDS.iter().fold(command, |command, sub| {
        command.subcommand((sub.define)(clap::Command::new(sub.name)).about(sub.about))
    })
}

/// Puts the default subcommand in where none is named, so that `corelane --port 7000` serves.
fn with_default(mut args: Vec<OsString>) -> Vec<OsString> {
    let first = args.get(1).and_then(|arg| arg.to_str());
    let asks_the_program = matches!(first, Some("-h" | "--help" | "-V" | "--version"));
    let is_flag = first.is_none_or(|arg| arg.starts_with('-'));
    if is_flag && !asks_the_program {
        args.insert(args.len().min(1), SUBCOMMANDS[0].name.into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_nothing_wrong() {
        command().debug_assert();
    }

    #[test]
    fn serve_is_put_in_where_no_command_is_named() {
        let rows = [
            ("corelane", "corelane serve"),
            ("corelane --port 1", "corelane serve --port 1"),
            ("corelane serve --port 1", "corelane serve --port 1"),
            ("corelane --help", "corelane --help"),
            ("corelane -V", "corelane -V"),
            ("corelane plan --help", "corelane plan --help"),
            ("corelane nonsense", "corelane nonsense"),
        ];
        for (given, want) in rows {
            let args = given.split(' ').map(OsString::from).collect();
            let got: Vec<String> = with_default(args)
                .into_iter()
                .map(|a| a.into_string().unwrap())
                .collect();
            assert_eq!(got.join(" "), want);
        }
    }
}
