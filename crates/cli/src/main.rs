//! The one binary, `corelane`: from a command line to the crate that does the work, and from its
//! outcome to an exit status. `commands` is the list of what it can do.

#![forbid(unsafe_code)]

mod commands;
mod failure;
mod flags;
mod logging;
mod output;
mod start;

use std::process::ExitCode;

/// Shards allocate and free on their own threads; mimalloc gives each its own heap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
