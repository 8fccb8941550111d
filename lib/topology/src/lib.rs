//! What this machine has, what this process may use of it, and a plan with the reason for every choice.
//!
//! Two halves, and nothing between them but one value:
//!
//! - [`Machine::read`] looks: CPUs, caches, NUMA nodes, memory, control groups, disks, network, GPUs,
//!   io_uring. Every path lies under a root argument, so a fake machine is a directory of text files.
//! - [`Plan::new`] decides: how many shards, on which CPUs, with how much memory, over which I/O
//!   backend. It is pure: the same [`Machine`] and [`Request`] give the same [`Plan`]. What nobody asks for
//!   is decided by a [`Profile`], one word for what the node is for.
//!
//! ```no_run
//! use corelane_topology::{Machine, Plan, Request};
//!
//! let machine = Machine::read("/".as_ref())?;
//! let plan = Plan::new(&machine, &Request::default())?;
//! println!("{}", plan.explain());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod allocation;
mod cgroup;
mod cpu_set;
mod devices;
mod host;
mod live;
mod machine;
mod machine_table;
mod memory;
mod plan;
mod processors;
mod table;
mod text;
mod uring;

pub use allocation::{AllocationError, CpuAllocation, NumaAllocation};
pub use cgroup::{Cgroup, CpuQuota, Hierarchy, MemoryLimit};
pub use cpu_set::{CpuSet, CpuSetError, MAX_CPUS};
pub use devices::{Devices, Disk, Gpu, Interface, InterfaceKind};
pub use live::Live;
pub use machine::{Kernel, Machine, ReadError, Warning};
pub use memory::Memory;
pub use plan::{
    Chosen, Io, IoRequest, Layout, MAX_SHARDS, MemoryRequest, Plan, PlanError, Profile,
    ProfileError, Request, Role, ShardPlan,
};
pub use processors::{Cache, CacheKind, Cpu, Node};
pub use uring::{IoUring, Probe};
