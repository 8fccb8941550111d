//! System calls per request, counted by perf in a round of its own: counting them slows them down.

use std::process::Command as Process;

use super::child::Server;
use super::generator::{Load, run};
use super::outcome::Calls;
use super::plan::Command;
use crate::place::has_program;

/// Requests under the counter, per pipeline depth.
const REQUESTS: u64 = 50_000;

/// All system calls, and those into io_uring among them.
const EVENTS: &str = "raw_syscalls:sys_enter,syscalls:sys_enter_io_uring_enter";

/// The perf program.
pub(crate) struct Perf;

impl Perf {
    /// Finds perf and tries whether it may count.
    ///
    /// # Errors
    /// Says what is missing.
    pub(crate) fn find() -> Result<Self, String> {
        if !has_program("perf") {
            return Err("system calls are not counted: no perf; install it with \
                        `apt-get install linux-perf`"
                .into());
        }
        let trial = Process::new("perf")
            .args(["stat", "-e", EVENTS, "true"])
            .output();
        match trial {
            Ok(output) if output.status.success() => Ok(Self),
            _ => Err(
                "system calls are not counted: perf may not count them here (it needs root, \
                      or kernel.perf_event_paranoid = -1 and a readable tracefs)"
                    .into(),
            ),
        }
    }

    /// Counts while `load` runs.
    pub(crate) fn count(
        &self,
        load: &Load,
        server: &Server,
        command: Command,
        pipeline: u32,
    ) -> Result<Calls, String> {
        let requests = REQUESTS * u64::from(pipeline);
        let plain = load.plain(server, command, pipeline, requests);
        let mut perf = Process::new("perf");
        perf.args([
            "stat",
            "-x",
            ",",
            "-e",
            EVENTS,
            "-p",
            &server.process().0.to_string(),
            "--",
        ]);
        perf.arg(plain.get_program()).args(plain.get_args());
        let output = run(server, perf)?;
        let text = String::from_utf8_lossy(&output.stderr);
        let per_request = |event: &str| Some(parse(&text, event)? as f64 / requests as f64);
        Ok(Calls {
            all: per_request("raw_syscalls:sys_enter").ok_or("perf's output is unreadable")?,
            io_uring: per_request("syscalls:sys_enter_io_uring_enter").unwrap_or(0.0),
        })
    }
}

/// The count in the line `123,,EVENT,…`.
fn parse(output: &str, event: &str) -> Option<u64> {
    output.lines().find_map(|line| {
        let mut fields = line.split(',');
        let count = fields.next()?.parse().ok()?;
        (fields.nth(1)? == event).then_some(count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perf_is_read() {
        let output = "1234,,raw_syscalls:sys_enter,55,100.00,,\n<not counted>,,x,0,100.00,,\n";
        assert_eq!(parse(output, "raw_syscalls:sys_enter"), Some(1234));
        assert_eq!(parse(output, "x"), None);
    }
}
