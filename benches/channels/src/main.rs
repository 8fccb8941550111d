//! The channels beside rtrb, crossfire, flume, kanal, crossbeam and std.
//!
//! Usage: `channels [ROUNDS] [FILTER]`. Every round measures every contestant once, in turn, so that a
//! slow moment of the machine is everybody's; the table shows medians, in nanoseconds per value (one
//! way) or per hop (there and back, halved), and the ratio to ours. Senders are pinned to the first
//! core and receivers to the second. `FILTER` picks disciplines by a part of their name.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod table;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let rounds = args.next().map_or(Ok(9), |rounds| rounds.parse::<usize>());
    let Ok(rounds @ 1..) = rounds else {
        eprintln!("usage: channels [ROUNDS] [FILTER], with one round at least");
        return ExitCode::from(2);
    };
    table::run(rounds, &args.next().unwrap_or_default());
    ExitCode::SUCCESS
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("the channel benchmark needs Linux: it pins its threads to cores");
    ExitCode::FAILURE
}
