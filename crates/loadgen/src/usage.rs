//! What a process has used of its processors: time and context switches, from `/proc`.
//!
//! Beside throughput, because at pipeline depth 1 the generator is the bottleneck and only the
//! server's processor time per request tells two servers apart.

use std::fs;
use std::io;
use std::ops::Sub;
use std::path::Path;

/// Use of the processors since a process began, over all its living threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Time on a processor, in user and kernel mode, in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// Times a thread went to sleep or gave way.
    pub(crate) voluntary_switches: u64,
    /// Times the kernel put another thread in its place.
    pub(crate) involuntary_switches: u64,
}

impl Usage {
    /// Reads the use of process `pid`.
    ///
    /// # Errors
    /// If there is no such process, or this system has no `/proc/PID/task/*/schedstat`.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        Self::of_tasks(Path::new(&format!("/proc/{pid}/task")))
    }

    /// Reads the use of this process; nothing where the system does not tell.
    pub(crate) fn own() -> Option<Self> {
        Self::of_tasks(Path::new("/proc/self/task")).ok()
    }

    fn of_tasks(tasks: &Path) -> io::Result<Self> {
        let mut sum = Self::default();
        for task in fs::read_dir(tasks)? {
            let task = task?.path();
            // A thread may end between the listing and the reading.
            let Ok(status) = fs::read_to_string(task.join("status")) else {
                continue;
            };
            sum.cpu_ns += parse_schedstat(&fs::read_to_string(task.join("schedstat"))?)?;
            sum.voluntary_switches += status_field(&status, "voluntary_ctxt_switches:");
            sum.involuntary_switches += status_field(&status, "nonvoluntary_ctxt_switches:");
        }
        Ok(sum)
    }
}

impl Sub for Usage {
    type Output = Self;

    /// What was used since `earlier`; threads that ended in between are left out.
    fn sub(self, earlier: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            voluntary_switches: self
                .voluntary_switches
                .saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(earlier.involuntary_switches),
        }
    }
}

/// The first of the three numbers: nanoseconds on a processor.
fn parse_schedstat(text: &str) -> io::Result<u64> {
    let first = text.split_ascii_whitespace().next();
    first.and_then(|n| n.parse().ok()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("unknown schedstat line {text:?}"),
        )
    })
}

fn status_field(status: &str, name: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|v| v.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_threads_of_a_fixture() {
        let root = std::env::temp_dir().join(format!("corelane-usage-{}", std::process::id()));
        for (task, cpu_ns, voluntary) in [("10", 1_000, 3), ("11", 250, 4)] {
            let dir = root.join(task);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("schedstat"), format!("{cpu_ns} 77 5\n")).unwrap();
            let status = format!(
                "Name:\tx\nvoluntary_ctxt_switches:\t{voluntary}\nnonvoluntary_ctxt_switches:\t2\n"
            );
            fs::write(dir.join("status"), status).unwrap();
        }
        let usage = Usage::of_tasks(&root);
        fs::remove_dir_all(&root).unwrap();
        let want = Usage {
            cpu_ns: 1_250,
            voluntary_switches: 7,
            involuntary_switches: 4,
        };
        assert_eq!(usage.unwrap(), want);
    }

    #[test]
    fn unknown_processes_and_lines_are_errors() {
        assert!(Usage::of(u32::MAX).is_err());
        assert!(parse_schedstat("").is_err());
        assert!(parse_schedstat("x 1 2").is_err());
    }
}
