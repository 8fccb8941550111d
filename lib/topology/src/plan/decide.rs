//! The plan itself: placement first, then memory, I/O and spinning, each with its reason.

use std::fmt;

use serde::Serialize;

use crate::machine::Machine;
use crate::plan::error::PlanError;
use crate::plan::placement::{Placement, place};
use crate::plan::request::{IoRequest, MemoryRequest, Request};
use crate::text::{bytes, counted};

/// How long a shard that waits for another spins before it sleeps, where spinning is on: about what
/// it costs to wake a sleeping core of a virtual machine.
pub const SPIN_US: u32 = 20;

/// The share of usable memory that data may take. The rest is for what is not data: connections'
/// buffers, the allocator's waste, the log's page cache, the kernel.
const MEMORY_PERCENT: u64 = 80;

/// A node's layout on a machine, with the reason for every choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The shards: 1 to [`MAX_SHARDS`](crate::MAX_SHARDS).
    pub shards: Chosen<Vec<ShardPlan>>,
    /// Whether each shard is pinned to a CPU of its own.
    pub pinned: Chosen<bool>,
    /// Memory that the data of all shards may take; `None` for no limit.
    pub maxmemory_bytes: Chosen<Option<u64>>,
    /// How shards do their I/O.
    pub io: Chosen<Io>,
    /// How long a waiting shard spins before it sleeps; 0 is not at all.
    pub spin_us: Chosen<u32>,
    /// What whoever reads the plan should know besides.
    pub notes: Vec<String>,
}

/// A choice and why it fell so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen<T> {
    /// What was chosen.
    pub value: T,
    /// Why.
    pub reason: String,
}

/// One shard's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardPlan {
    /// Its number, counted from 0.
    pub shard: u16,
    /// The CPU it is pinned to.
    pub cpu: Option<usize>,
    /// That CPU's NUMA node.
    pub node: Option<usize>,
    /// Its part of `maxmemory_bytes`.
    pub memory_bytes: Option<u64>,
}

/// How shards do their I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Io {
    /// Completions, by io_uring.
    IoUring,
    /// Readiness, by epoll or what the system has.
    Polling,
}

impl Plan {
    /// Decides how a node is laid out on `machine`, or says why what is asked for cannot be had.
    pub fn new(machine: &Machine, request: &Request) -> Result<Self, PlanError> {
        let placement = place(machine, request)?;
        let maxmemory_bytes = choose_memory(machine, request.maxmemory);
        Ok(Self {
            io: choose_io(machine, request.io)?,
            spin_us: choose_spin(&placement),
            notes: notes(machine, &placement, maxmemory_bytes.value),
            shards: Chosen {
                value: shards(&placement, maxmemory_bytes.value),
                reason: placement.count_reason,
            },
            pinned: Chosen {
                value: placement.pins.is_some(),
                reason: placement.pin_reason,
            },
            maxmemory_bytes,
        })
    }
}

impl fmt::Display for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::IoUring => "io_uring",
            Self::Polling => "polling",
        })
    }
}

fn shards(placement: &Placement, maxmemory_bytes: Option<u64>) -> Vec<ShardPlan> {
    let memory_bytes = maxmemory_bytes.map(|bytes| bytes / placement.count as u64);
    let numbers =
        (0..placement.count).map(|shard| u16::try_from(shard).expect("at most MAX_SHARDS"));
    let place = |shard| {
        placement
            .pins
            .as_ref()
            .map(|pins| &pins[usize::from(shard)])
    };
    numbers
        .map(|shard| {
            let (cpu, node) = (
                place(shard).map(|pin| pin.cpu),
                place(shard).map(|pin| pin.node),
            );
            ShardPlan {
                shard,
                cpu,
                node,
                memory_bytes,
            }
        })
        .collect()
}

fn choose_memory(machine: &Machine, request: MemoryRequest) -> Chosen<Option<u64>> {
    let (value, reason) = match (request, machine.usable_memory_bytes()) {
        (MemoryRequest::Bytes(asked), _) => (Some(asked), "asked for: maxmemory".to_owned()),
        (MemoryRequest::Unlimited, _) => (None, "asked for: no limit".to_owned()),
        (MemoryRequest::Auto, None) => (
            None,
            "neither machine nor control group tells how much memory there is".to_owned(),
        ),
        (MemoryRequest::Auto, Some(usable)) => {
            // In this order: a product first could overflow.
            let share = usable / 100 * MEMORY_PERCENT;
            let reason = format!(
                "{MEMORY_PERCENT}% of {}, {}; the rest is for buffers, page cache and the allocator",
                bytes(usable),
                whose_memory(machine)
            );
            (Some(share), reason)
        }
    };
    Chosen { value, reason }
}

/// Which of the two bounds [`Machine::usable_memory_bytes`] is.
fn whose_memory(machine: &Machine) -> String {
    let total = machine.memory.total_bytes.unwrap_or(u64::MAX);
    match &machine.cgroup.memory {
        Some(limit) if limit.limit_bytes < total => format!("the limit in {}", limit.file),
        _ => "this machine's memory".to_owned(),
    }
}

fn choose_io(machine: &Machine, request: IoRequest) -> Result<Chosen<Io>, PlanError> {
    let uring = &machine.io_uring;
    let (value, reason) = match (request, uring.usable) {
        (IoRequest::Polling, _) => (Io::Polling, "asked for: io = polling".to_owned()),
        (IoRequest::Uring, true) => (
            Io::IoUring,
            format!("asked for: io = uring, and {}", uring.reason),
        ),
        (IoRequest::Uring, false) => {
            return Err(PlanError::NoIoUring {
                reason: uring.reason.clone(),
            });
        }
        (IoRequest::Auto, true) => (Io::IoUring, uring.reason.clone()),
        (IoRequest::Auto, false) => (
            Io::Polling,
            format!("io_uring cannot be used: {}", uring.reason),
        ),
    };
    Ok(Chosen { value, reason })
}

fn choose_spin(placement: &Placement) -> Chosen<u32> {
    let (value, reason) = match &placement.shortage {
        _ if placement.count == 1 => (0, "a single shard waits for no other".to_owned()),
        Some(shortage) => (0, format!("{shortage}, and spinning would spend it")),
        None => (
            SPIN_US,
            "while a reply is awaited; waking a sleeping CPU takes as long".to_owned(),
        ),
    };
    Chosen { value, reason }
}

fn notes(machine: &Machine, placement: &Placement, maxmemory_bytes: Option<u64>) -> Vec<String> {
    [
        time_note(machine, placement.count),
        memory_note(machine, maxmemory_bytes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn time_note(machine: &Machine, count: usize) -> Option<String> {
    let quota = machine
        .cgroup
        .cpu
        .as_ref()
        .filter(|quota| count > 1 && quota.is_below(count))?;
    Some(format!(
        "{} share CPU time limited to {quota} ({}): when all are busy, the kernel stops all of them \
         for a part of every period",
        counted(count, "shard"),
        quota.file
    ))
}

fn memory_note(machine: &Machine, maxmemory_bytes: Option<u64>) -> Option<String> {
    let Some(maxmemory) = maxmemory_bytes else {
        return Some(
            "without maxmemory the data can grow until the kernel ends the process".to_owned(),
        );
    };
    if let Some(usable) = machine
        .usable_memory_bytes()
        .filter(|&usable| maxmemory > usable)
    {
        return Some(format!(
            "maxmemory ({}) is above {}, {}: the kernel would end the process first",
            bytes(maxmemory),
            bytes(usable),
            whose_memory(machine)
        ));
    }
    let available = machine
        .memory
        .available_bytes
        .filter(|&now| maxmemory > now)?;
    Some(format!(
        "of the memory planned for ({}) only {} is available now; other processes hold the rest",
        bytes(maxmemory),
        bytes(available)
    ))
}
