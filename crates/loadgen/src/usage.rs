//! What a process has used of its processors: time and context switches, from `/proc`.
//!
//! Beside throughput, because at pipeline depth 1 the generator is the bottleneck and only the
//! server's processor time per request tells two servers apart.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

/// Use of the processors over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Time on a processor, in user and kernel mode, in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// Times a thread went to sleep or gave way.
    pub(crate) voluntary_switches: u64,
    /// Times the kernel put another thread in its place.
    pub(crate) involuntary_switches: u64,
}

/// What every living thread of a process has used since it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    threads: HashMap<OsString, Usage>,
}

impl Sample {
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

    /// What was used since `earlier`. Threads that ended in between are left out.
    pub(crate) fn since(&self, earlier: &Self) -> Usage {
        let mut sum = Usage::default();
        for (thread, now) in &self.threads {
            let before = earlier.threads.get(thread).copied().unwrap_or_default();
            sum.cpu_ns += now.cpu_ns.saturating_sub(before.cpu_ns);
            sum.voluntary_switches += now
                .voluntary_switches
                .saturating_sub(before.voluntary_switches);
            sum.involuntary_switches += now
                .involuntary_switches
                .saturating_sub(before.involuntary_switches);
        }
        sum
    }

    fn of_tasks(tasks: &Path) -> io::Result<Self> {
        let mut threads = HashMap::new();
        for task in fs::read_dir(tasks)? {
            let task = task?;
            let read = |file| fs::read_to_string(task.path().join(file));
            // A thread may end between the listing and the reading.
            let (Ok(status), Ok(schedstat)) = (read("status"), read("schedstat")) else {
                continue;
            };
            let usage = Usage {
                cpu_ns: parse_schedstat(&schedstat)?,
                voluntary_switches: status_field(&status, "voluntary_ctxt_switches:"),
                involuntary_switches: status_field(&status, "nonvoluntary_ctxt_switches:"),
            };
            threads.insert(task.file_name(), usage);
        }
        if threads.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no thread with a schedstat file",
            ));
        }
        Ok(Self { threads })
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

    fn sample(threads: &[(&str, u64, u64, u64)]) -> Sample {
        let usage =
            |&(name, cpu_ns, voluntary_switches, involuntary_switches): &(&str, _, _, _)| {
                (
                    name.into(),
                    Usage {
                        cpu_ns,
                        voluntary_switches,
                        involuntary_switches,
                    },
                )
            };
        Sample {
            threads: threads.iter().map(usage).collect(),
        }
    }

    #[test]
    fn a_fixture_is_read() {
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
        let read = Sample::of_tasks(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            read.unwrap(),
            sample(&[("10", 1_000, 3, 2), ("11", 250, 4, 2)])
        );
    }

    #[test]
    fn threads_that_begin_or_end_in_between_do_no_harm() {
        let earlier = sample(&[("1", 100, 1, 1), ("2", 900, 9, 9)]);
        let later = sample(&[("1", 150, 3, 1), ("3", 20, 1, 0)]);
        let want = Usage {
            cpu_ns: 70,
            voluntary_switches: 3,
            involuntary_switches: 0,
        };
        assert_eq!(later.since(&earlier), want);
    }

    #[test]
    fn unknown_processes_and_lines_are_errors() {
        assert!(Sample::of(u32::MAX).is_err());
        assert!(parse_schedstat("").is_err());
        assert!(parse_schedstat("x 1 2").is_err());
    }
}
