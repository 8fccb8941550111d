//! What the system says of a running server: processor time, memory, descriptors, waiting.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Sub;

/// A process of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// What its threads have used since it began.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Use {
    /// On a processor, to the nanosecond.
    pub(crate) cpu_ns: u64,
    /// User and system time as `top` and `ps` count it: ticks of 10 ms.
    pub(crate) ticks: u64,
    /// Ready to run, and another thread had the processor.
    pub(crate) waited_ns: u64,
    /// Times another thread was put in its place.
    pub(crate) preempted: u64,
}

/// What it holds in memory, in bytes.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Memory {
    /// Resident.
    pub(crate) rss: u64,
    /// The same, with a share only of what others map, too.
    pub(crate) pss: u64,
    /// The most that was ever resident.
    pub(crate) peak_rss: u64,
}

impl Process {
    /// What it has used.
    ///
    /// # Errors
    /// If there is no such process any more.
    pub(crate) fn used(self) -> Result<Use, String> {
        let read = || -> io::Result<Use> {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
            let mut used = Use {
                ticks: ticks(&stat),
                ..Use::default()
            };
            for task in fs::read_dir(format!("/proc/{}/task", self.0))? {
                let path = task?.path();
                let read = |file| fs::read_to_string(path.join(file));
                // A thread may end between the listing and the reading.
                if let (Ok(schedstat), Ok(status)) = (read("schedstat"), read("status")) {
                    used.cpu_ns += number(schedstat.split(' ').next());
                    used.waited_ns += number(schedstat.split(' ').nth(1));
                    used.preempted += field(&status, "nonvoluntary_ctxt_switches:");
                }
            }
            Ok(used)
        };
        read().map_err(|error| self.gone(&error))
    }

    /// What each of its threads has used of a processor, by its number.
    ///
    /// # Errors
    /// As for [`used`](Self::used).
    pub(crate) fn threads_ns(self) -> Result<BTreeMap<String, u64>, String> {
        let read = || -> io::Result<BTreeMap<String, u64>> {
            let mut threads = BTreeMap::new();
            for task in fs::read_dir(format!("/proc/{}/task", self.0))? {
                let task = task?;
                // A thread may end between the listing and the reading.
                if let Ok(schedstat) = fs::read_to_string(task.path().join("schedstat")) {
                    let name = task.file_name().to_string_lossy().into_owned();
                    threads.insert(name, number(schedstat.split(' ').next()));
                }
            }
            Ok(threads)
        };
        read().map_err(|error| self.gone(&error))
    }

    /// What it holds.
    ///
    /// # Errors
    /// As for [`used`](Self::used).
    pub(crate) fn memory(self) -> Result<Memory, String> {
        let read = |file: &str| {
            fs::read_to_string(format!("/proc/{}/{file}", self.0))
                .map_err(|error| self.gone(&error))
        };
        let (text, status) = (read("smaps_rollup")?, read("status")?);
        Ok(Memory {
            rss: field(&text, "Rss:") * 1024,
            pss: field(&text, "Pss:") * 1024,
            peak_rss: field(&status, "VmHWM:") * 1024,
        })
    }

    /// Resident memory in bytes, by the kernel's own count: unlike [`memory`](Self::memory), reading it
    /// does not hold the process up.
    ///
    /// # Errors
    /// As for [`used`](Self::used).
    pub(crate) fn rss(self) -> Result<u64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0));
        Ok(field(&status.map_err(|error| self.gone(&error))?, "VmRSS:") * 1024)
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    /// As for [`used`](Self::used).
    pub(crate) fn descriptors(self) -> Result<usize, String> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.0));
        Ok(entries.map_err(|error| self.gone(&error))?.count())
    }

    fn gone(self, error: &io::Error) -> String {
        format!("process {} cannot be watched: {error}", self.0)
    }
}

impl Sub for Use {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            ticks: self.ticks.saturating_sub(earlier.ticks),
            waited_ns: self.waited_ns.saturating_sub(earlier.waited_ns),
            preempted: self.preempted.saturating_sub(earlier.preempted),
        }
    }
}

/// User and system time from a `stat` line; its second field, in brackets, may hold anything.
fn ticks(stat: &str) -> u64 {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = rest.split_ascii_whitespace().skip(11);
    number(fields.next()) + number(fields.next())
}

/// The first number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    number(value.and_then(|value| value.split_ascii_whitespace().next()))
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 120 30 0 0 20 0 1 0 5 0 0";
        assert_eq!(ticks(stat), 150);
        assert_eq!(ticks(""), 0);
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t2\n";
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), 2);
        assert_eq!(field("Rss:      12 kB\n", "Rss:"), 12);
        assert_eq!(field("", "Rss:"), 0);
    }

    #[test]
    fn this_process_uses_something() {
        let me = Process(std::process::id());
        assert!(me.used().unwrap().cpu_ns > 0);
        assert!(me.memory().unwrap().pss > 0 && me.rss().unwrap() > 0);
        assert!(me.descriptors().unwrap() > 2);
        assert!(Process(u32::MAX).used().is_err());
    }
}
