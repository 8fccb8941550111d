//! The project's own chores, run as `cargo xtask NAME`: one folder or file per chore, listed here.

#![forbid(unsafe_code)]

mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own chores.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check what the compiler does not: floors, headers, unsafe code, effects, sizes
    Tidy(tidy::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().chore {
        Chore::Tidy(options) => tidy::run(&options),
    }
}
