//! CPUs, their hardware threads, caches and NUMA nodes, from `/sys/devices/system/{cpu,node}`.
//!
//! Source: the kernel's `Documentation/ABI/stable/sysfs-devices-system-cpu` and
//! `sysfs-devices-node`. Every file is optional: virtual machines, ARM boards and containers each
//! leave some out, and then the simplest machine is assumed (one thread per core, one node).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cpu_set::{CpuSet, MAX_CPUS};
use crate::host::{Host, quoted};
use crate::text::{meminfo_bytes, parse_cache_bytes};

const CPU_DIR: &str = "/sys/devices/system/cpu";
const NODE_DIR: &str = "/sys/devices/system/node";

/// One CPU as the scheduler sees it: a hardware thread that is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cpu {
    /// The kernel's number for it.
    pub id: usize,
    /// The socket it sits in.
    pub package: usize,
    /// The NUMA node it belongs to.
    pub node: usize,
    /// The online hardware threads of its core, itself among them.
    pub siblings: CpuSet,
}

/// A NUMA node: CPUs and the memory that is near to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// The kernel's number for it.
    pub id: usize,
    /// Its online CPUs; none for a node of memory only.
    pub cpus: CpuSet,
    /// Its memory, where the kernel tells.
    pub memory_bytes: Option<u64>,
}

/// One cache and the CPUs that share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cache {
    /// 1 is nearest to the core.
    pub level: u8,
    /// What it holds.
    pub kind: CacheKind,
    /// The online CPUs that share it.
    pub cpus: CpuSet,
    /// Its size, where the kernel tells.
    pub size_bytes: Option<u64>,
    /// Bytes of one line, where the kernel tells.
    pub line_bytes: Option<u64>,
}

/// What a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// Data only.
    Data,
    /// Instructions only.
    Instruction,
    /// Both.
    Unified,
}

/// All processors of a machine.
pub(crate) struct Processors {
    pub(crate) possible: CpuSet,
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) caches: Vec<Cache>,
}

impl Processors {
    /// `unlisted` stands for the online CPUs where the kernel does not list them.
    pub(crate) fn read(host: &Host, unlisted: &CpuSet, total_bytes: Option<u64>) -> Self {
        let online = read_online(host).unwrap_or_else(|| unlisted.clone());
        let possible = host
            .parsed(&format!("{CPU_DIR}/possible"))
            .unwrap_or_else(|| online.clone());
        let nodes = read_nodes(host, &online, total_bytes);
        let node_of = node_of_each(&nodes);
        let home = nodes[0].id;
        let cpus = online.iter().map(|id| {
            let node = node_of.get(&id).copied().unwrap_or(home);
            read_cpu(host, id, node, &online)
        });
        Self {
            possible,
            cpus: cpus.collect(),
            nodes,
            caches: read_caches(host, &online),
        }
    }
}

fn read_online(host: &Host) -> Option<CpuSet> {
    let listed: Option<CpuSet> = host.parsed(&format!("{CPU_DIR}/online"));
    listed.filter(|online| !online.is_empty())
}

fn read_cpu(host: &Host, id: usize, node: usize, online: &CpuSet) -> Cpu {
    let dir = format!("{CPU_DIR}/cpu{id}/topology");
    // Some ARM firmware leaves the socket unknown, which the kernel writes as -1.
    let package = host.parsed::<i64>(&format!("{dir}/physical_package_id"));
    let package = package.and_then(|id| usize::try_from(id).ok()).unwrap_or(0);
    // `core_cpus_list` is the newer name of the same list.
    let siblings: Option<CpuSet> = host
        .parsed(&format!("{dir}/core_cpus_list"))
        .or_else(|| host.parsed(&format!("{dir}/thread_siblings_list")));
    let siblings = siblings.unwrap_or_default().intersection(online);
    let siblings = siblings.iter().chain([id]).collect();
    Cpu {
        id,
        package,
        node,
        siblings,
    }
}

/// At least one node: without NUMA files the whole machine is node 0.
fn read_nodes(host: &Host, online: &CpuSet, total_bytes: Option<u64>) -> Vec<Node> {
    let mut ids: Vec<usize> = host
        .names(NODE_DIR)
        .iter()
        .filter_map(|name| numbered(name, "node"))
        .collect();
    ids.sort_unstable();
    let nodes: Vec<Node> = ids
        .into_iter()
        .map(|id| read_node(host, id, online))
        .collect();
    if nodes.iter().any(|node| !node.cpus.is_empty()) {
        return nodes;
    }
    vec![Node {
        id: 0,
        cpus: online.clone(),
        memory_bytes: total_bytes,
    }]
}

fn read_node(host: &Host, id: usize, online: &CpuSet) -> Node {
    let dir = format!("{NODE_DIR}/node{id}");
    let cpus: CpuSet = host.parsed(&format!("{dir}/cpulist")).unwrap_or_default();
    let meminfo = host.text(&format!("{dir}/meminfo"));
    let memory_bytes = meminfo.and_then(|meminfo| meminfo_bytes(&meminfo, "MemTotal:"));
    Node {
        id,
        cpus: cpus.intersection(online),
        memory_bytes,
    }
}

/// CPU → node; the first node to claim a CPU has it.
fn node_of_each(nodes: &[Node]) -> BTreeMap<usize, usize> {
    let mut node_of = BTreeMap::new();
    for node in nodes {
        for cpu in node.cpus.iter() {
            node_of.entry(cpu).or_insert(node.id);
        }
    }
    node_of
}

/// Each cache once, though every CPU that shares it lists it.
fn read_caches(host: &Host, online: &CpuSet) -> Vec<Cache> {
    let mut caches: BTreeMap<(u8, CacheKind, CpuSet), Cache> = BTreeMap::new();
    for id in online.iter() {
        let dir = format!("{CPU_DIR}/cpu{id}/cache");
        let names = host.names(&dir);
        for name in names
            .iter()
            .filter(|name| numbered(name, "index").is_some())
        {
            if let Some(cache) = read_cache(host, &format!("{dir}/{name}"), id, online) {
                let key = (cache.level, cache.kind, cache.cpus.clone());
                caches.entry(key).or_insert(cache);
            }
        }
    }
    caches.into_values().collect()
}

fn read_cache(host: &Host, dir: &str, cpu: usize, online: &CpuSet) -> Option<Cache> {
    let level = host.parsed(&format!("{dir}/level"))?;
    let kind_path = format!("{dir}/type");
    let kind = match host.text(&kind_path)?.as_str() {
        "Data" => CacheKind::Data,
        "Instruction" => CacheKind::Instruction,
        "Unified" => CacheKind::Unified,
        other => {
            host.warn(
                &kind_path,
                format!("`{}` is no kind of cache", quoted(other)),
            );
            return None;
        }
    };
    let shared: CpuSet = host
        .parsed(&format!("{dir}/shared_cpu_list"))
        .unwrap_or_default();
    let cpus = shared.intersection(online).iter().chain([cpu]).collect();
    let size_bytes = host
        .text(&format!("{dir}/size"))
        .and_then(|size| parse_cache_bytes(&size));
    let line_bytes = host.parsed(&format!("{dir}/coherency_line_size"));
    Some(Cache {
        level,
        kind,
        cpus,
        size_bytes,
        line_bytes,
    })
}

/// The number behind `prefix` in a directory's name: 12 for `node12`.
fn numbered(name: &str, prefix: &str) -> Option<usize> {
    let digits = name.strip_prefix(prefix)?;
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|&id| all_digits && id < MAX_CPUS)
}
