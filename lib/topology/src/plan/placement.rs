//! Which CPUs get a shard.
//!
//! Two ideas carry all of it. A CPU set that is written out (a range, NUMA nodes) is taken exactly or
//! refused; a wish (`all`, a number, `numa:auto`) is filled with the best CPUs there are. And where
//! a control group rations CPU time to less than the CPUs it shows, CPUs are not ours to own: other
//! groups run on them too, so shards are left unpinned, and a wish is cut to the ration.

use std::cmp::Reverse;

use crate::allocation::{CpuAllocation, NumaAllocation};
use crate::cgroup::CpuQuota;
use crate::cpu_set::CpuSet;
use crate::machine::Machine;
use crate::plan::error::PlanError;
use crate::plan::request::Request;
use crate::processors::Cpu;
use crate::text::counted;

/// The most shards of one node: each must own at least one of its 256 partitions.
pub const MAX_SHARDS: usize = 256;

/// The chosen CPUs.
pub(super) struct Placement {
    /// How many shards; 1 to [`MAX_SHARDS`].
    pub(super) count: usize,
    /// Why so many.
    pub(super) count_reason: String,
    /// A CPU for each shard, or none when they are not pinned.
    pub(super) pins: Option<Vec<Pin>>,
    /// Why pinned, or why not.
    pub(super) pin_reason: String,
    /// Why CPU time may not suffice for all shards at once, if so.
    pub(super) shortage: Option<String>,
}

/// A CPU of a shard's own.
pub(super) struct Pin {
    pub(super) cpu: usize,
    pub(super) node: usize,
}

/// Chooses CPUs for what `request` asks of `machine`.
pub(super) fn place(machine: &Machine, request: &Request) -> Result<Placement, PlanError> {
    let ration = machine
        .cgroup
        .cpu
        .as_ref()
        .filter(|quota| quota.is_below(machine.allowed.len()));
    match &request.cpu_allocation {
        CpuAllocation::All => Ok(wish(machine, ration, machine.usable().collect(), "CPU")),
        CpuAllocation::NumaAuto => {
            let cores = machine
                .usable()
                .filter(|cpu| thread_rank(machine, cpu) == 0)
                .collect();
            Ok(wish(machine, ration, cores, "physical core"))
        }
        CpuAllocation::Count(count) => number(machine, ration, *count, request.overprovisioned),
        CpuAllocation::Range(range) => {
            let cpus = named_cpus(machine, &range.clone().collect())?;
            exact(ration, cpus, &request.cpu_allocation)
        }
        CpuAllocation::Numa(numa) => {
            let cpus = node_cpus(machine, numa)?;
            exact(ration, cpus, &request.cpu_allocation)
        }
    }
}

/// As many of the candidates as CPU time and [`MAX_SHARDS`] allow.
fn wish(machine: &Machine, ration: Option<&CpuQuota>, cpus: Vec<&Cpu>, kind: &str) -> Placement {
    let available = cpus.len();
    let (count, count_reason) = match ration.filter(|quota| quota.is_below(available)) {
        Some(quota) => (
            quota.whole_cpus().clamp(1, MAX_SHARDS),
            ration_reason(quota),
        ),
        None if available > MAX_SHARDS => {
            let usable = counted(available, kind);
            (
                MAX_SHARDS,
                format!("{usable} may be used, but a node has at most {MAX_SHARDS} shards"),
            )
        }
        None => {
            let ids: CpuSet = cpus.iter().map(|cpu| cpu.id).collect();
            (
                available,
                format!("one for each {kind} this process may use ({ids})"),
            )
        }
    };
    owned_or_left(machine, ration, count, count_reason, cpus)
}

/// Rounded down, because a group that has used up its CPU time is stopped as a whole, every shard of
/// it at once, until the next period: a shard less costs throughput, a shard too many costs 25 ms of
/// every 100 (two busy shards on 1.5 CPUs).
fn ration_reason(quota: &CpuQuota) -> String {
    let limited = format!("CPU time is limited to {quota} ({})", quota.file);
    match quota.whole_cpus() {
        0 => format!("{limited}; one shard is the least there can be"),
        _ => format!(
            "{limited}: with more shards the kernel would stop them all for a part of every period"
        ),
    }
}

fn number(
    machine: &Machine,
    ration: Option<&CpuQuota>,
    count: usize,
    overprovisioned: bool,
) -> Result<Placement, PlanError> {
    let available = machine.allowed.len();
    if count > MAX_SHARDS {
        return Err(PlanError::AboveMaximum { asked: count });
    }
    let count_reason = format!("asked for: cpu_allocation = {count}");
    if count > available {
        if !overprovisioned {
            return Err(PlanError::TooManyShards {
                asked: count,
                allowed: machine.allowed.clone(),
            });
        }
        let cpus = counted(available, "CPU");
        return Ok(Placement {
            count,
            count_reason: format!("{count_reason}, overprovisioned"),
            pins: None,
            pin_reason: format!("{count} shards share {cpus}, so the kernel places them"),
            shortage: Some(format!("{count} shards share {cpus}")),
        });
    }
    Ok(owned_or_left(
        machine,
        ration,
        count,
        count_reason,
        machine.usable().collect(),
    ))
}

/// Pins `count` shards to the best of `cpus`, or leaves them to the kernel under a ration.
fn owned_or_left(
    machine: &Machine,
    ration: Option<&CpuQuota>,
    count: usize,
    count_reason: String,
    cpus: Vec<&Cpu>,
) -> Placement {
    if let Some(quota) = ration {
        return Placement {
            count,
            count_reason,
            pins: None,
            pin_reason: format!(
                "CPU time is limited to {quota} of the {} shown, which others use too, \
                 so the kernel places the shards",
                counted(machine.allowed.len(), "CPU")
            ),
            shortage: Some(format!("CPU time is limited to {quota}")),
        };
    }
    let choice = if count < cpus.len() {
        "cores are filled with one shard before any gets two, and nodes one after the other"
    } else {
        "each shard has a CPU of its own"
    };
    let pins = in_node_order(best(machine, cpus, count));
    Placement {
        count,
        count_reason,
        pins: Some(pins),
        pin_reason: choice.to_owned(),
        shortage: None,
    }
}

/// A set that was written out: pinned exactly there, whatever the ration.
fn exact(
    ration: Option<&CpuQuota>,
    cpus: Vec<&Cpu>,
    allocation: &CpuAllocation,
) -> Result<Placement, PlanError> {
    if cpus.len() > MAX_SHARDS {
        return Err(PlanError::AboveMaximum { asked: cpus.len() });
    }
    Ok(Placement {
        count: cpus.len(),
        count_reason: format!("asked for: cpu_allocation = {allocation}"),
        pins: Some(in_node_order(cpus)),
        pin_reason: "the CPUs were named, so each shard is pinned to one of them".to_owned(),
        shortage: ration.map(|quota| format!("CPU time is limited to {quota}")),
    })
}

/// The CPUs of a range, if every one of them can be had.
fn named_cpus<'a>(machine: &'a Machine, named: &CpuSet) -> Result<Vec<&'a Cpu>, PlanError> {
    let online: CpuSet = machine.cpus.iter().map(|cpu| cpu.id).collect();
    let absent = named.difference(&machine.possible).difference(&online);
    let offline = named.difference(&online).difference(&absent);
    let forbidden = named.intersection(&online).difference(&machine.allowed);
    let faults: Vec<String> = [
        (absent, "not in this machine"),
        (offline, "offline"),
        (forbidden, "outside the CPU set of this process"),
    ]
    .iter()
    .filter(|(cpus, _)| !cpus.is_empty())
    .map(|(cpus, why)| format!("{cpus} {why}"))
    .collect();
    if faults.is_empty() {
        return Ok(machine
            .usable()
            .filter(|cpu| named.contains(cpu.id))
            .collect());
    }
    let longest = machine
        .allowed
        .runs()
        .into_iter()
        .max_by_key(|(first, last)| (last - first, Reverse(*first)));
    let remedy = longest.map_or_else(String::new, |(first, last)| {
        format!(
            "`{first}..{}` would work, or a number up to {}",
            last + 1,
            machine.allowed.len()
        )
    });
    Err(PlanError::CpusNotUsable {
        faults: faults.join(", "),
        remedy,
    })
}

/// The CPUs that `numa:…` asks for, node by node.
fn node_cpus<'a>(machine: &'a Machine, numa: &NumaAllocation) -> Result<Vec<&'a Cpu>, PlanError> {
    let usable: CpuSet = machine.usable().map(|cpu| cpu.node).collect();
    let nodes = numa.nodes.as_ref().unwrap_or(&usable);
    let missing = nodes.difference(&usable);
    if !missing.is_empty() {
        return Err(PlanError::NodesNotUsable {
            nodes: missing,
            usable,
        });
    }
    let mut chosen = Vec::new();
    for node in nodes.iter() {
        let of_node = machine.usable().filter(|cpu| cpu.node == node);
        let candidates: Vec<&Cpu> = of_node
            .filter(|cpu| !numa.no_ht || thread_rank(machine, cpu) == 0)
            .collect();
        let available = candidates.len();
        let asked = numa.cores.unwrap_or(available);
        if asked > available {
            let threads = machine.usable().filter(|cpu| cpu.node == node).count();
            return Err(PlanError::TooFewCores {
                asked,
                node,
                available,
                kind: if numa.no_ht { "physical cores" } else { "CPUs" },
                hint: if asked <= threads {
                    ", or no_ht=false to use hardware threads"
                } else {
                    ""
                },
            });
        }
        chosen.extend(best(machine, candidates, asked));
    }
    Ok(chosen)
}

/// The `count` best of `cpus`: separate cores first, then as few nodes as can be, largest first.
fn best<'a>(machine: &Machine, mut cpus: Vec<&'a Cpu>, count: usize) -> Vec<&'a Cpu> {
    let in_node = |node: usize| machine.usable().filter(|cpu| cpu.node == node).count();
    cpus.sort_by_cached_key(|cpu| {
        (
            thread_rank(machine, cpu),
            Reverse(in_node(cpu.node)),
            cpu.node,
            cpu.id,
        )
    });
    cpus.truncate(count);
    cpus
}

/// Which of its core's usable hardware threads a CPU is, the first being 0.
fn thread_rank(machine: &Machine, cpu: &Cpu) -> usize {
    let siblings = cpu.siblings.iter().take_while(|&id| id < cpu.id);
    siblings.filter(|&id| machine.allowed.contains(id)).count()
}

/// Neighbouring shards on neighbouring CPUs: by node, then by number.
fn in_node_order(mut cpus: Vec<&Cpu>) -> Vec<Pin> {
    cpus.sort_by_key(|cpu| (cpu.node, cpu.id));
    cpus.into_iter()
        .map(|cpu| Pin {
            cpu: cpu.id,
            node: cpu.node,
        })
        .collect()
}
