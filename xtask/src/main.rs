//! The project's own chores, run as `cargo xtask NAME`: one folder or file per chore, listed here.

#![forbid(unsafe_code)]

mod compare;
mod full;
mod gate;
mod measure;
mod place;
mod server;
mod sim;
mod stream;
mod suite;
mod tally;
mod tcl;
mod test;
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
    /// Check everything: formatting, lints, tests, simulation, Redis's own tests
    Test(test::Options),
    /// Run what is too long for every change, resumable: seeds, fuzzing, soaking, both backends
    Full(full::Options),
    /// Run Redis's own TCL tests against our server
    Tcl(tcl::Options),
    /// Check what the compiler does not: floors, headers, unsafe code, effects, sizes
    Tidy(tidy::Options),
    /// Measure Corelane beside other servers, interleaved, with ratios
    Compare(compare::Options),
    /// Measure what idle connections, growth, hostile clients and hops cost
    Measure(measure::Options),
    /// Run the whole node under seeds
    Sim(sim::Options),
    /// Hold instructions per command against a ratchet
    Gate(gate::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().chore {
        Chore::Test(options) => test::run(&options),
        Chore::Full(options) => full::run(&options),
        Chore::Tcl(options) => tcl::run(&options),
        Chore::Tidy(options) => tidy::run(&options),
        Chore::Compare(options) => compare::run(&options),
        Chore::Measure(options) => measure::run(&options),
        Chore::Sim(options) => sim::run(&options),
        Chore::Gate(options) => gate::run(&options),
    }
}
