//! Control groups: where this process's groups lie (`mounts`) and what they allow it (`limits`).

mod limits;
mod mounts;

pub use limits::{Cgroup, CpuQuota, Hierarchy, MemoryLimit};
