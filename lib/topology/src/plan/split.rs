//! The split layout: which of the placed shards own connections and which own data.
//!
//! Connections go beside the data they ask for: every NUMA node keeps its part of both. Within a node
//! they take second hardware threads first, as the kernel's work for a socket waits for memory much of
//! its time and leaves the core to the data shard beside it, and then the CPUs of the highest numbers.

use std::collections::BTreeMap;

use crate::cpu_set::CpuSet;
use crate::machine::Machine;
use crate::plan::error::PlanError;
use crate::plan::placement::{Pin, Placement};
use crate::plan::request::Layout;

/// Which shard is for what.
pub(super) struct Split {
    /// How many of the shards own connections alone. They come first, so that a node that grows and shrinks
    /// does it at its end.
    pub(super) io: usize,
    /// Why the I/O shards are where they are; empty where there are none.
    pub(super) reason: String,
}

/// Puts the I/O shards before the data shards.
pub(super) fn split(
    machine: &Machine,
    placement: &mut Placement,
    layout: Layout,
) -> Result<Split, PlanError> {
    let shards = placement.count;
    let Layout::Split { io_shards } = layout else {
        return Ok(Split {
            io: 0,
            reason: String::new(),
        });
    };
    if io_shards == 0 || io_shards >= shards {
        return Err(refusal(placement, io_shards));
    }
    let reason = match placement.pins.take() {
        None => "lie where the kernel puts them and give way to those for data".to_owned(),
        Some(pins) => {
            let (data, io) = part(machine, pins, io_shards);
            let reason = whereabouts(machine, &data, &io);
            placement.pins = Some(io.into_iter().chain(data).collect());
            reason
        }
    };
    Ok(Split {
        io: io_shards,
        reason,
    })
}

fn refusal(placement: &Placement, io_shards: usize) -> PlanError {
    let shards = placement.count;
    let remedy = match (io_shards, shards) {
        (_, 1) => "write `unified`, or ask for more shards".to_owned(),
        (0, _) => "write `unified` for none".to_owned(),
        (_, 2) => "write `split:1`, or ask for more shards".to_owned(),
        _ => format!(
            "write `split:{}` or fewer, or ask for more shards",
            shards - 1
        ),
    };
    PlanError::NotSplittable {
        io_shards,
        shards,
        reason: placement.count_reason.clone(),
        remedy,
    }
}

/// Data shards, I/O shards; both in node order, as `pins` are.
fn part(machine: &Machine, pins: Vec<Pin>, io_shards: usize) -> (Vec<Pin>, Vec<Pin>) {
    let chosen: CpuSet = pins.iter().map(|pin| pin.cpu).collect();
    let mut io = CpuSet::default();
    for (node, count) in per_node(&pins, io_shards) {
        let mut of_node: Vec<usize> = pins
            .iter()
            .filter(|pin| pin.node == node)
            .map(|pin| pin.cpu)
            .collect();
        of_node.sort_by_key(|&cpu| (thread_among(machine, &chosen, cpu), cpu));
        io = of_node[of_node.len() - count..]
            .iter()
            .copied()
            .chain(io.iter())
            .collect();
    }
    pins.into_iter().partition(|pin| !io.contains(pin.cpu))
}

/// How many I/O shards each node gets: by its CPUs, and what rounding leaves to the nodes that lost most by it.
fn per_node(pins: &[Pin], io_shards: usize) -> BTreeMap<usize, usize> {
    let mut sizes = BTreeMap::new();
    for pin in pins {
        *sizes.entry(pin.node).or_insert(0) += 1;
    }
    let share = |size: usize| (size * io_shards / pins.len(), size * io_shards % pins.len());
    let mut counts: BTreeMap<usize, usize> = sizes
        .iter()
        .map(|(&node, &size)| (node, share(size).0))
        .collect();
    let left = io_shards - counts.values().sum::<usize>();
    let mut by_loss: Vec<usize> = sizes.keys().copied().collect();
    by_loss.sort_by_key(|node| std::cmp::Reverse(share(sizes[node]).1));
    for node in by_loss.into_iter().take(left) {
        *counts.get_mut(&node).expect("a node of the pins") += 1;
    }
    counts
}

/// Which of its core's chosen hardware threads a CPU is, the first being 0.
fn thread_among(machine: &Machine, chosen: &CpuSet, cpu: usize) -> usize {
    let siblings = machine.cpus.iter().find(|known| known.id == cpu);
    siblings.map_or(0, |known| {
        let before = known.siblings.iter().take_while(|&id| id < cpu);
        before.filter(|&id| chosen.contains(id)).count()
    })
}

fn whereabouts(machine: &Machine, data: &[Pin], io: &[Pin]) -> String {
    let data_cpus: CpuSet = data.iter().map(|pin| pin.cpu).collect();
    let beside = io
        .iter()
        .filter(|pin| thread_among(machine, &data_cpus, pin.cpu) > 0)
        .count();
    let place = match beside {
        0 => "lie on cores of their own",
        count if count == io.len() => "lie on second hardware threads of data shards' cores",
        _ => "lie on second hardware threads of data shards' cores as far as there are such",
    };
    let nodes: CpuSet = data.iter().chain(io).map(|pin| pin.node).collect();
    match nodes.len() {
        1 => place.to_owned(),
        _ => format!("{place}, on every NUMA node in proportion to its CPUs"),
    }
}
