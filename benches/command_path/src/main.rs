//! The path of one kind of command through parser, slot, store and reply, again and again, without
//! sockets: what `cargo xtask gate` runs under callgrind.
//!
//! Instructions, unlike times, are the same on a busy machine and on an idle one, so a change that
//! makes a command dearer shows in one run. The functions whose instructions are counted are those
//! of `stages`; what is around them (making keys, filling the store) is not.
//!
//! Usage: `command_path --list`, or `command_path KIND` with a name from that list.

#![forbid(unsafe_code)]

mod kinds;
mod path;
mod stages;

use std::process::ExitCode;

/// As in the server, so that allocations cost here what they cost there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted == "--list" {
        kinds::KINDS
            .iter()
            .for_each(|kind| println!("{}", kind.name));
        return ExitCode::SUCCESS;
    }
    let Some(kind) = kinds::KINDS.iter().find(|kind| kind.name == wanted) else {
        eprintln!("usage: command_path --list | KIND");
        return ExitCode::from(2);
    };
    match path::run(kind) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{wanted}: {problem}");
            ExitCode::FAILURE
        }
    }
}
