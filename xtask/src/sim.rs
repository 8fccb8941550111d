//! `cargo xtask sim`: the whole node under seeds. Builds `corelane-sim` for release, where a seed
//! takes milliseconds, and hands the arguments on.

use std::process::{Command, ExitCode};

/// Arguments of `corelane-sim`: `--seeds 1000 --from 0`, `--seed 42`, `--shards 2`, `--verbose`…
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Handed on; `cargo xtask sim -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "corelane-sim",
            "--",
        ])
        .args(&options.arguments)
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}
