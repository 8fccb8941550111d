//! The machine as `corelane plan` prints it before the plan: one line per thing found.

use std::collections::{BTreeMap, BTreeSet};

use crate::cgroup::Cgroup;
use crate::devices::{Disk, Gpu, Interface};
use crate::machine::Machine;
use crate::processors::{CacheKind, Node};
use crate::table::Table;
use crate::text::{bytes, counted};

impl Machine {
    /// What was found, as aligned plain text, each line with its end.
    pub fn table(&self) -> String {
        let mut table = Table::new(["machine", "found"]);
        let mut row = |what: &str, found: String| table.row([what.to_owned(), found]);
        row("kernel", or_unknown(&self.kernel.release));
        row("cpus", self.cpus_line());
        for node in &self.nodes {
            row(&format!("node {}", node.id), node_line(node));
        }
        row("caches", self.caches_line());
        row("memory", self.memory_line());
        row("cgroup", cgroup_line(&self.cgroup));
        let verdict = if self.io_uring.usable { "yes" } else { "no" };
        row("io_uring", format!("{verdict}: {}", self.io_uring.reason));
        for disk in &self.devices.disks {
            row(&format!("disk {}", disk.name), disk_line(disk));
        }
        for interface in &self.devices.interfaces {
            row(
                &format!("net {}", interface.name),
                interface_line(interface),
            );
        }
        for gpu in &self.devices.gpus {
            row(&format!("gpu {}", gpu.address), gpu_line(gpu));
        }
        for warning in &self.warnings {
            row("warning", warning.to_string());
        }
        table.render()
    }

    fn cpus_line(&self) -> String {
        let cores: BTreeSet<_> = self
            .cpus
            .iter()
            .filter_map(|cpu| cpu.siblings.first())
            .collect();
        let sockets: BTreeSet<_> = self.cpus.iter().map(|cpu| cpu.package).collect();
        format!(
            "{} online on {} in {}; {} may be used ({})",
            self.cpus.len(),
            counted(cores.len(), "core"),
            counted(sockets.len(), "socket"),
            self.allowed.len(),
            self.allowed
        )
    }

    /// `L1d 48 KiB × 2, L2 1 MiB × 2`: equal caches together.
    fn caches_line(&self) -> String {
        let mut equal: BTreeMap<(u8, CacheKind, Option<u64>), usize> = BTreeMap::new();
        for cache in &self.caches {
            *equal
                .entry((cache.level, cache.kind, cache.size_bytes))
                .or_default() += 1;
        }
        let lines = equal.into_iter().map(|((level, kind, size), count)| {
            let kind = match kind {
                CacheKind::Data => "d",
                CacheKind::Instruction => "i",
                CacheKind::Unified => "",
            };
            let size = size.map_or_else(|| "of unknown size".to_owned(), bytes);
            format!("L{level}{kind} {size} × {count}")
        });
        or_unknown(&lines.collect::<Vec<_>>().join(", "))
    }

    fn memory_line(&self) -> String {
        let Some(total) = self.memory.total_bytes else {
            return or_unknown("");
        };
        let available = self
            .memory
            .available_bytes
            .map(|now| format!(", {} available now", bytes(now)));
        format!("{}{}", bytes(total), available.unwrap_or_default())
    }
}

fn node_line(node: &Node) -> String {
    let cpus = if node.cpus.is_empty() {
        "no cpus".to_owned()
    } else {
        format!("cpus {}", node.cpus)
    };
    let memory = node
        .memory_bytes
        .map(|memory| format!(", {}", bytes(memory)));
    format!("{cpus}{}", memory.unwrap_or_default())
}

fn cgroup_line(cgroup: &Cgroup) -> String {
    use crate::cgroup::Hierarchy;

    let layout = match cgroup.layout {
        Hierarchy::None => return "none".to_owned(),
        Hierarchy::V1 => "v1",
        Hierarchy::V2 => "v2",
        Hierarchy::Hybrid => "hybrid",
    };
    let cpu = cgroup.cpu.as_ref().map_or_else(
        || "no CPU limit".to_owned(),
        |quota| format!("{quota} ({})", quota.file),
    );
    let memory = cgroup.memory.as_ref().map_or_else(
        || "no memory limit".to_owned(),
        |limit| format!("{} ({})", bytes(limit.limit_bytes), limit.file),
    );
    format!("{layout}: {cpu}, {memory}")
}

fn disk_line(disk: &Disk) -> String {
    let kind = match disk.rotational {
        Some(true) => ", says it rotates",
        Some(false) => ", solid state",
        None => "",
    };
    let scheduler = disk
        .scheduler
        .as_ref()
        .map(|name| format!(", scheduler {name}"));
    format!(
        "{}{kind}{}",
        bytes(disk.size_bytes),
        scheduler.unwrap_or_default()
    )
}

fn interface_line(interface: &Interface) -> String {
    use crate::devices::InterfaceKind;

    let kind = match interface.kind {
        InterfaceKind::Loopback => "loopback",
        InterfaceKind::Device => "device",
        InterfaceKind::Virtual => "virtual",
    };
    let state = if interface.up { "up" } else { "down" };
    let speed = interface.speed_mbps.map(|mbps| format!(", {mbps} Mbit/s"));
    format!("{kind}, {state}{}", speed.unwrap_or_default())
}

fn gpu_line(gpu: &Gpu) -> String {
    let node = gpu.node.map(|node| format!(", node {node}"));
    let (class, vendor, device) = (gpu.class, gpu.vendor, gpu.device);
    format!(
        "{} {vendor:04x}:{device:04x}, class {class:06x}{}",
        gpu.vendor_name(),
        node.unwrap_or_default()
    )
}

fn or_unknown(text: &str) -> String {
    if text.is_empty() {
        "unknown".to_owned()
    } else {
        text.to_owned()
    }
}
