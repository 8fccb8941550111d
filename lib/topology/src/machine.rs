//! A machine as this process finds it: every reader of this crate, joined.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cgroup::Cgroup;
use crate::cpu_set::CpuSet;
use crate::devices::Devices;
use crate::host::Host;
use crate::live::Live;
use crate::memory::Memory;
use crate::processors::{Cache, Cpu, Node, Processors};
use crate::uring::IoUring;

/// What a machine has, and what this process may use of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The running kernel.
    pub kernel: Kernel,
    /// CPUs that could ever come online, those that are off included.
    pub possible: CpuSet,
    /// CPUs that are online, ascending.
    pub cpus: Vec<Cpu>,
    /// CPUs that are online and that this process may run on; never empty.
    pub allowed: CpuSet,
    /// NUMA nodes, ascending; at least one.
    pub nodes: Vec<Node>,
    /// Caches of the CPUs that are online, each once, nearest first.
    pub caches: Vec<Cache>,
    /// The whole machine's memory.
    pub memory: Memory,
    /// What control groups allow.
    pub cgroup: Cgroup,
    /// Whether io_uring works.
    pub io_uring: IoUring,
    /// Disks, network, GPUs.
    pub devices: Devices,
    /// Files that could not be understood; what they would have said is missing above.
    pub warnings: Vec<Warning>,
}

/// The running kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// As `uname -r` prints it; empty where unknown.
    pub release: String,
    /// Major and minor number of the release.
    pub version: Option<(u32, u32)>,
}

/// A file that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Which, beneath the root.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

/// Why a machine could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Neither files nor kernel tell of any CPU.
    #[error("no CPU found: {file} cannot be read or lists none; is /sys mounted?")]
    NoCpu {
        /// The file that should have listed them.
        file: PathBuf,
    },
    /// Online and allowed CPUs have none in common.
    #[error(
        "this process may run on none of the CPUs that are online: allowed are {allowed}, \
         online are {online}; give it another CPU set (taskset, cpuset, container runtime)"
    )]
    NoneAllowed {
        /// What the process may use.
        allowed: CpuSet,
        /// What is there.
        online: CpuSet,
    },
}

impl Machine {
    /// Reads the machine whose files lie under `root`.
    ///
    /// With the root `/` this is the machine we run on, and the kernel itself is asked for affinity
    /// and io_uring. Under any other root nothing is asked: see [`Machine::read_with`]. Takes a few
    /// milliseconds on a large machine; meant for the start of a process.
    pub fn read(root: &Path) -> Result<Self, ReadError> {
        let live = if root == Path::new("/") {
            Live::ask()
        } else {
            Live::default()
        };
        Self::read_with(root, &live)
    }

    /// Reads the files under `root` and takes from `live` what no file tells.
    pub fn read_with(root: &Path, live: &Live) -> Result<Self, ReadError> {
        let host = Host::new(root);
        let permitted = live.allowed.clone().or_else(|| permitted(&host));
        let unlisted = permitted
            .clone()
            .or_else(|| live.parallelism.map(|n| (0..n).collect()));
        let memory = Memory::read(&host);
        let processors = Processors::read(&host, &unlisted.unwrap_or_default(), memory.total_bytes);
        let online: CpuSet = processors.cpus.iter().map(|cpu| cpu.id).collect();
        let allowed = match &permitted {
            Some(permitted) => online.intersection(permitted),
            None => online.clone(),
        };
        if online.is_empty() {
            return Err(ReadError::NoCpu {
                file: root.join("sys/devices/system/cpu/online"),
            });
        }
        if allowed.is_empty() {
            return Err(ReadError::NoneAllowed {
                allowed: permitted.unwrap_or_default(),
                online,
            });
        }
        Ok(Self {
            kernel: Kernel::read(&host),
            possible: processors.possible,
            cpus: processors.cpus,
            allowed,
            nodes: processors.nodes,
            caches: processors.caches,
            memory,
            cgroup: Cgroup::read(&host),
            io_uring: IoUring::read(&host, &live.io_uring),
            devices: Devices::read(&host),
            warnings: host.into_warnings(),
        })
    }

    /// The allowed CPUs themselves, ascending.
    pub fn usable(&self) -> impl Iterator<Item = &Cpu> {
        self.cpus.iter().filter(|cpu| self.allowed.contains(cpu.id))
    }

    /// Memory this process may use: the lower of the machine's and the control groups'.
    pub fn usable_memory_bytes(&self) -> Option<u64> {
        let limit = self.cgroup.memory.as_ref().map(|limit| limit.limit_bytes);
        [self.memory.total_bytes, limit].into_iter().flatten().min()
    }
}

/// `Cpus_allowed_list` of `/proc/self/status`.
fn permitted(host: &Host) -> Option<CpuSet> {
    let path = "/proc/self/status";
    let status = host.text(path)?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let parsed = list.map(str::parse::<CpuSet>);
    match parsed {
        Some(Ok(set)) if !set.is_empty() => Some(set),
        Some(Err(error)) => {
            host.warn(path, format!("Cpus_allowed_list: {error}"));
            None
        }
        _ => {
            host.warn(path, "has no Cpus_allowed_list".to_owned());
            None
        }
    }
}

impl Kernel {
    fn read(host: &Host) -> Self {
        let release = host.text("/proc/sys/kernel/osrelease").unwrap_or_default();
        // One line of moderate length, whatever the file says.
        let release = crate::host::quoted(&release);
        let version = version_of(&release);
        Self { release, version }
    }
}

/// (6, 18) of `6.18.44-generic`.
fn version_of(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (release, expected) in [
            ("6.18.44-generic", Some((6, 18))),
            ("5.10", Some((5, 10))),
            ("6.1+", Some((6, 1))),
            ("", None),
            ("6", None),
            ("rolling", None),
            ("99999999999.1", None),
        ] {
            assert_eq!(version_of(release), expected, "for {release:?}");
        }
    }

    #[test]
    fn the_machine_we_run_on_is_read() {
        let machine = Machine::read(Path::new("/")).expect("a live machine");
        assert!(!machine.cpus.is_empty() && !machine.allowed.is_empty());
        assert!(machine.usable().count() <= machine.cpus.len());
        assert!(machine.nodes.iter().any(|node| !node.cpus.is_empty()));
    }

    #[test]
    fn an_empty_tree_is_refused_and_a_hint_helps() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let error = Machine::read(root.path()).expect_err("no files at all");
        assert!(error.to_string().starts_with("no CPU found: "), "{error}");

        let live = Live {
            parallelism: Some(3),
            ..Live::default()
        };
        let machine = Machine::read_with(root.path(), &live).expect("the hint names three");
        assert_eq!(machine.allowed.to_string(), "0-2");
        assert_eq!(machine.usable_memory_bytes(), None);
    }
}
