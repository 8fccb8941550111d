//! The limits that control groups set on this process: the lowest over all groups it is in.
//!
//! A group is bound by its own files and by those of every ancestor, so all are read, and the
//! lowest value is kept with the name of the file that set it: people ask which one it was.
//! Files: `Documentation/admin-guide/cgroup-v2.rst`, `cgroup-v1/memory.rst`, `scheduler/sched-bwc.rst`.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use super::mounts::Hierarchies;
use crate::host::{Host, quoted};

/// Version 1 writes "no limit" as the largest page-aligned number it has; anything above this is
/// more memory than any machine can address.
const NO_MEMORY_LIMIT: u64 = 1 << 62;

/// What control groups allow this process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cgroup {
    /// Which versions are mounted.
    pub layout: Hierarchy,
    /// The lowest CPU quota.
    pub cpu: Option<CpuQuota>,
    /// The lowest memory limit.
    pub memory: Option<MemoryLimit>,
}

/// Which versions of control groups are mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hierarchy {
    /// None.
    None,
    /// Version 1 only.
    V1,
    /// Version 2 only.
    V2,
    /// Controllers on version 1, with a version 2 hierarchy beside them.
    Hybrid,
}

/// CPU time that may be used in each period, by all threads together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CpuQuota {
    /// CPU time per period.
    pub quota_us: u64,
    /// The period; above zero.
    pub period_us: u64,
    /// The file that says so.
    pub file: String,
}

/// Memory that may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryLimit {
    /// How much.
    pub limit_bytes: u64,
    /// The file that says so.
    pub file: String,
}

impl Cgroup {
    pub(crate) fn read(host: &Host) -> Self {
        let text = |path| host.text(path).unwrap_or_default();
        let hierarchies =
            Hierarchies::parse(&text("/proc/self/mountinfo"), &text("/proc/self/cgroup"));
        let layout = match (hierarchies.has_v1(), hierarchies.has_v2()) {
            (false, false) => Hierarchy::None,
            (true, false) => Hierarchy::V1,
            (false, true) => Hierarchy::V2,
            (true, true) => Hierarchy::Hybrid,
        };
        Self {
            layout,
            cpu: lowest_quota(host, &hierarchies),
            memory: lowest_memory(host, &hierarchies),
        }
    }
}

impl CpuQuota {
    /// The quota in CPUs: 1.5 for 150 ms in every 100 ms.
    pub fn cpus(&self) -> f64 {
        self.quota_us as f64 / self.period_us as f64
    }

    /// Whole CPUs, rounded down; may be zero.
    pub fn whole_cpus(&self) -> usize {
        usize::try_from(self.quota_us / self.period_us).unwrap_or(usize::MAX)
    }

    /// Whether the quota is less than `count` CPUs.
    pub fn is_below(&self, count: usize) -> bool {
        u128::from(self.quota_us) < u128::from(self.period_us) * count as u128
    }

    fn compare(&self, other: &Self) -> Ordering {
        let cross = |a: &Self, b: &Self| u128::from(a.quota_us) * u128::from(b.period_us);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl fmt::Display for CpuQuota {
    /// `1.5 CPUs`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Hundredths, cut: a quota must not look larger than it is.
        let hundredths = u128::from(self.quota_us) * 100 / u128::from(self.period_us);
        let (whole, hundredths) = (hundredths / 100, hundredths % 100);
        let plural = if (whole, hundredths) == (1, 0) {
            ""
        } else {
            "s"
        };
        match (hundredths / 10, hundredths % 10) {
            (0, 0) => write!(f, "{whole} CPU{plural}"),
            (tenth, 0) => write!(f, "{whole}.{tenth} CPU{plural}"),
            _ => write!(f, "{whole}.{hundredths:02} CPU{plural}"),
        }
    }
}

fn lowest_quota(host: &Host, hierarchies: &Hierarchies) -> Option<CpuQuota> {
    let v2 = hierarchies
        .v2_groups()
        .into_iter()
        .filter_map(|group| v2_quota(host, &group));
    let v1 = hierarchies
        .v1_groups("cpu")
        .into_iter()
        .filter_map(|group| v1_quota(host, &group));
    v2.chain(v1).min_by(CpuQuota::compare)
}

/// `cpu.max`: `150000 100000`, or `max 100000` for no limit.
fn v2_quota(host: &Host, group: &str) -> Option<CpuQuota> {
    let file = format!("{group}/cpu.max");
    let text = host.text(&file)?;
    let mut words = text.split_whitespace();
    let quota = words.next()?;
    if quota == "max" {
        return None;
    }
    quota_of(host, file, quota, words.next().unwrap_or_default())
}

/// `cpu.cfs_quota_us` (-1 for no limit) and `cpu.cfs_period_us`.
fn v1_quota(host: &Host, group: &str) -> Option<CpuQuota> {
    let file = format!("{group}/cpu.cfs_quota_us");
    let quota = host.text(&file)?;
    if quota.starts_with('-') {
        return None;
    }
    let period = host.text(&format!("{group}/cpu.cfs_period_us"))?;
    quota_of(host, file, &quota, &period)
}

fn quota_of(host: &Host, file: String, quota: &str, period: &str) -> Option<CpuQuota> {
    match (quota.parse(), period.parse()) {
        (Ok(quota_us), Ok(period_us)) if period_us > 0 => Some(CpuQuota {
            quota_us,
            period_us,
            file,
        }),
        _ => {
            host.warn(
                &file,
                format!(
                    "`{} {}` is no quota and period",
                    quoted(quota),
                    quoted(period)
                ),
            );
            None
        }
    }
}

fn lowest_memory(host: &Host, hierarchies: &Hierarchies) -> Option<MemoryLimit> {
    // Above `memory.high` the kernel slows a group down until it gives memory back: for a server
    // whose data is memory that is a limit like `memory.max`.
    let v2 = hierarchies.v2_groups().into_iter().flat_map(|group| {
        ["memory.max", "memory.high"].map(|name| memory_limit(host, format!("{group}/{name}")))
    });
    let v1_groups = hierarchies.v1_groups("memory");
    let unseen = v1_groups
        .first()
        .and_then(|group| hierarchical_limit(host, group));
    let v1 = v1_groups
        .into_iter()
        .map(|group| memory_limit(host, format!("{group}/memory.limit_in_bytes")));
    v2.chain(v1)
        .flatten()
        .chain(unseen)
        .min_by_key(|limit| limit.limit_bytes)
}

fn memory_limit(host: &Host, file: String) -> Option<MemoryLimit> {
    let text = host.text(&file).filter(|text| text != "max")?;
    let Ok(limit_bytes) = text.parse() else {
        host.warn(&file, format!("`{}` is no number of bytes", quoted(&text)));
        return None;
    };
    (limit_bytes < NO_MEMORY_LIMIT).then_some(MemoryLimit { limit_bytes, file })
}

/// Version 1 tells the lowest limit of all ancestors, those outside the container too.
fn hierarchical_limit(host: &Host, group: &str) -> Option<MemoryLimit> {
    let file = format!("{group}/memory.stat");
    let stat = host.text(&file)?;
    let value = stat
        .lines()
        .find_map(|line| line.strip_prefix("hierarchical_memory_limit "))?;
    let limit_bytes = value
        .trim()
        .parse()
        .ok()
        .filter(|&bytes| bytes < NO_MEMORY_LIMIT)?;
    Some(MemoryLimit { limit_bytes, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(quota_us: u64, period_us: u64) -> CpuQuota {
        CpuQuota {
            quota_us,
            period_us,
            file: "f".to_owned(),
        }
    }

    #[test]
    fn quotas_print_cut_to_hundredths() {
        for (quota_us, period_us, text) in [
            (150_000, 100_000, "1.5 CPUs"),
            (100_000, 100_000, "1 CPU"),
            (200_000, 100_000, "2 CPUs"),
            (100_000, 300_000, "0.33 CPUs"),
            (1_999, 1_000, "1.99 CPUs"),
            (105, 100, "1.05 CPUs"),
            (u64::MAX, 1, "18446744073709551615 CPUs"),
        ] {
            assert_eq!(quota(quota_us, period_us).to_string(), text);
        }
    }

    #[test]
    fn quotas_compare_by_their_share() {
        assert_eq!(quota(1, 3).compare(&quota(2, 6)), Ordering::Equal);
        assert_eq!(quota(1, 3).compare(&quota(2, 5)), Ordering::Less);
        assert_eq!(
            quota(u64::MAX, 1).compare(&quota(u64::MAX, 2)),
            Ordering::Greater
        );
        assert!(quota(150, 100).is_below(2) && !quota(150, 100).is_below(1));
        assert!(!quota(200, 100).is_below(2));
        assert!(quota(u64::MAX, u64::MAX).is_below(usize::MAX));
        assert_eq!(
            (quota(50, 100).whole_cpus(), quota(399, 100).whole_cpus()),
            (0, 3)
        );
    }
}
