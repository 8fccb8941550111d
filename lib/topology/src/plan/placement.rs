//! Which CPUs get a shard.
//!
//! Two ideas carry all of it. A CPU set that is written out (a range, NUMA nodes) is taken exactly or
//! refused; a wish (`all`, a number, `numa:auto`) is filled with the best CPUs there are. And where
//! a control group rations CPU time to less than the CPUs it shows, CPUs are not ours to own: other
//! groups run on them too, so shards are left unpinned, and a wish is cut to the ration.
//!
//! What nobody asked for is the profile's wish.

use std::cmp::Reverse;

use crate::allocation::{CpuAllocation, NumaAllocation};
use crate::cgroup::CpuQuota;
use crate::cpu_set::CpuSet;
use crate::machine::Machine;
use crate::plan::error::PlanError;
use crate::plan::profiles::{Choice, Choices, Wish};
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

/// What bounds every placement on a machine.
struct Ground<'a> {
    machine: &'a Machine,
    /// CPU time, where it is rationed to less than the CPUs shown.
    ration: Option<&'a CpuQuota>,
    /// Whether shards that could be pinned shall be.
    pin: &'a Choice<bool>,
}

/// Chooses CPUs for what `request` asks of `machine`, or else its profile.
pub(super) fn place(
    machine: &Machine,
    request: &Request,
    choices: &Choices,
) -> Result<Placement, PlanError> {
    let quota = machine.cgroup.cpu.as_ref();
    let ground = Ground {
        machine,
        ration: quota.filter(|quota| quota.is_below(machine.allowed.len())),
        pin: &choices.pin,
    };
    match &request.cpu_allocation {
        None => ground.wished(&choices.shards),
        Some(CpuAllocation::All) => Ok(ground.cpus()),
        Some(CpuAllocation::NumaAuto) => Ok(ground.cores()),
        Some(CpuAllocation::Count(count)) => {
            let reason = format!("asked for: cpu_allocation = {count}");
            ground.number(*count, reason, request.overprovisioned)
        }
        Some(named @ CpuAllocation::Range(range)) => {
            let cpus = named_cpus(machine, &range.clone().collect())?;
            exact(ground.ration, cpus, named)
        }
        Some(named @ CpuAllocation::Numa(numa)) => {
            exact(ground.ration, node_cpus(machine, numa)?, named)
        }
    }
}

impl<'a> Ground<'a> {
    fn wished(&self, wish: &Choice<Wish>) -> Result<Placement, PlanError> {
        match wish.value {
            Wish::Cpus => Ok(self.cpus()),
            Wish::Cores => {
                let mut placement = self.cores();
                if placement.pins.is_some() && placement.count < self.machine.allowed.len() {
                    placement.count_reason = format!("{}: {}", placement.count_reason, wish.why);
                }
                Ok(placement)
            }
            Wish::AtMost(most) => {
                let cpus = self.machine.usable().collect();
                Ok(self.filled(cpus, "CPU", Some((most, wish.why))))
            }
            Wish::Exactly(count) => self.number(count, wish.why.to_owned(), true),
        }
    }

    fn cpus(&self) -> Placement {
        self.filled(self.machine.usable().collect(), "CPU", None)
    }

    fn cores(&self) -> Placement {
        let first_thread = |cpu: &&Cpu| thread_rank(self.machine, cpu) == 0;
        let cores = self.machine.usable().filter(first_thread).collect();
        self.filled(cores, "physical core", None)
    }

    /// As many of the candidates as CPU time, [`MAX_SHARDS`] and `most` (with its reason) allow.
    fn filled(&self, cpus: Vec<&'a Cpu>, kind: &str, most: Option<(usize, &str)>) -> Placement {
        let available = cpus.len();
        let (count, reason) = match self.ration.filter(|quota| quota.is_below(available)) {
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
        match most.filter(|(most, _)| *most <= count) {
            Some((most, why)) => self.owned_or_left(most, why.to_owned(), cpus),
            None => self.owned_or_left(count, reason, cpus),
        }
    }

    fn number(
        &self,
        count: usize,
        count_reason: String,
        overprovisioned: bool,
    ) -> Result<Placement, PlanError> {
        let available = self.machine.allowed.len();
        if count > MAX_SHARDS {
            return Err(PlanError::AboveMaximum { asked: count });
        }
        if count <= available {
            return Ok(self.owned_or_left(count, count_reason, self.machine.usable().collect()));
        }
        if !overprovisioned {
            return Err(PlanError::TooManyShards {
                asked: count,
                allowed: self.machine.allowed.clone(),
            });
        }
        let cpus = counted(available, "CPU");
        Ok(Placement {
            count,
            count_reason: format!("{count_reason}; overprovisioned"),
            pins: None,
            pin_reason: format!("{count} shards share {cpus}, so the kernel places them"),
            shortage: Some(format!("{count} shards share {cpus}")),
        })
    }

    /// Pins `count` shards to the best of `cpus`, or leaves them to the kernel: under a ration, and
    /// where the profile does not want CPUs of its own.
    fn owned_or_left(&self, count: usize, count_reason: String, cpus: Vec<&Cpu>) -> Placement {
        if let Some(quota) = self.ration {
            return Placement {
                count,
                count_reason,
                pins: None,
                pin_reason: format!(
                    "CPU time is limited to {quota} of the {} shown, which others use too, \
                     so the kernel places the shards",
                    counted(self.machine.allowed.len(), "CPU")
                ),
                shortage: Some(format!("CPU time is limited to {quota}")),
            };
        }
        if !self.pin.value {
            return Placement {
                count,
                count_reason,
                pins: None,
                pin_reason: self.pin.why.to_owned(),
                shortage: None,
            };
        }
        let pin_reason = if count < cpus.len() {
            "cores are filled with one shard before any gets two, and nodes one after the other"
        } else {
            self.pin.why
        };
        Placement {
            count,
            count_reason,
            pins: Some(in_node_order(best(self.machine, cpus, count))),
            pin_reason: pin_reason.to_owned(),
            shortage: None,
        }
    }
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
