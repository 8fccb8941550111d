//! The plan itself: placement first, then memory, I/O, spinning and what bounds waiting, each with its
//! reason.

use std::fmt;

use serde::Serialize;

use crate::machine::Machine;
use crate::plan::error::PlanError;
use crate::plan::memory::{choose_memory, memory_note};
use crate::plan::placement::{Placement, place};
use crate::plan::profile::Profile;
use crate::plan::profiles::{Choice, choices};
use crate::plan::request::{IoRequest, Layout, Request};
use crate::plan::split::{Split, split};
use crate::text::counted;

/// How far threads that serve connections alone give way to those that serve data, on top of what the
/// profile says.
const IO_NICE: i8 = 5;

/// A node's layout on a machine, with the reason for every choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What decided what was not asked for.
    pub profile: Profile,
    /// Whether connections have shards of their own.
    pub layout: Chosen<Layout>,
    /// The shards: 1 to [`MAX_SHARDS`](crate::MAX_SHARDS). Those that own connections alone come first.
    pub shards: Chosen<Vec<ShardPlan>>,
    /// Whether each shard is pinned to a CPU of its own.
    pub pinned: Chosen<bool>,
    /// Memory that the data of all shards may take; `None` for no limit.
    pub maxmemory_bytes: Chosen<Option<u64>>,
    /// How shards do their I/O.
    pub io: Chosen<Io>,
    /// How long a waiting shard spins before it sleeps; 0 is not at all.
    pub spin_us: Chosen<u32>,
    /// A task that runs for so long without a pause is reported; `None` for nobody looks.
    pub stall_ms: Chosen<Option<u64>>,
    /// Messages that one lane between two shards holds.
    pub lane_capacity: Chosen<usize>,
    /// How far the threads of data shards give way to other programs: 0 not at all, 19 wholly. Those of I/O
    /// shards stand with each shard.
    pub nice: Chosen<i8>,
    /// Where random numbers begin; `None` for anew with every start.
    pub seed: Chosen<Option<u64>>,
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
    /// What it is for.
    pub role: Role,
    /// The CPU it is pinned to.
    pub cpu: Option<usize>,
    /// That CPU's NUMA node.
    pub node: Option<usize>,
    /// Its part of `maxmemory_bytes`; 0 where it owns no data.
    pub memory_bytes: Option<u64>,
    /// How far its thread gives way: 0 not at all, 19 wholly.
    pub nice: i8,
}

/// What a shard is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Connections and data: every shard of the unified layout.
    Both,
    /// Data alone.
    Data,
    /// Connections alone.
    Io,
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
    ///
    /// # Errors
    /// [`PlanError`], in words for whoever asked.
    pub fn new(machine: &Machine, request: &Request) -> Result<Self, PlanError> {
        let choices = choices(request.profile);
        let mut placement = place(machine, request, choices)?;
        let layout = choose_layout(request.layout, &choices.layout);
        let split = split(machine, &mut placement, layout.value)?;
        let maxmemory_bytes = choose_memory(machine, request.maxmemory, &choices.memory_percent);
        let nice = chosen(&choices.nice);
        Ok(Self {
            profile: request.profile,
            io: choose_io(machine, request.io, &choices.io)?,
            spin_us: choose_spin(&placement, &choices.spin_us),
            stall_ms: chosen(&choices.stall_ms),
            lane_capacity: Chosen {
                value: choices.lanes.value.capacity(placement.count),
                reason: choices.lanes.why.to_owned(),
            },
            seed: choose_seed(request.seed, &choices.seed),
            notes: notes(machine, &placement, maxmemory_bytes.value),
            layout: with_places(layout, &split),
            shards: Chosen {
                value: shards(&placement, &split, maxmemory_bytes.value, nice.value),
                reason: placement.count_reason,
            },
            pinned: Chosen {
                value: placement.pins.is_some(),
                reason: placement.pin_reason,
            },
            maxmemory_bytes,
            nice,
        })
    }

    /// Leaves every choice to `profile` and the machine.
    ///
    /// ```no_run
    /// use corelane_topology::{Machine, Plan, Profile};
    ///
    /// let machine = Machine::read("/".as_ref())?;
    /// println!("{}", Plan::for_profile(&machine, Profile::LowLatency).explain());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// Never: every machine that can be read has room for every profile. Tests hold this on all the
    /// machines they know.
    #[must_use]
    pub fn for_profile(machine: &Machine, profile: Profile) -> Self {
        Self::new(machine, &Request::of(profile)).expect("a profile demands nothing")
    }

    /// The shards that own data: all of them, but in the split layout.
    pub fn data_shards(&self) -> impl Iterator<Item = &ShardPlan> {
        let shards = self.shards.value.iter();
        shards.filter(|shard| shard.role != Role::Io)
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

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Both => "both",
            Self::Data => "data",
            Self::Io => "io",
        })
    }
}

fn shards(
    placement: &Placement,
    split: &Split,
    maxmemory_bytes: Option<u64>,
    nice: i8,
) -> Vec<ShardPlan> {
    let per_shard = maxmemory_bytes.map(|bytes| bytes / (placement.count - split.io) as u64);
    let shard = |index: usize| {
        let pin = placement.pins.as_ref().map(|pins| &pins[index]);
        let role = match index < split.io {
            _ if split.io == 0 => Role::Both,
            true => Role::Io,
            false => Role::Data,
        };
        let (memory_bytes, nice) = match role {
            Role::Io => (Some(0), nice + IO_NICE),
            Role::Both | Role::Data => (per_shard, nice),
        };
        ShardPlan {
            shard: u16::try_from(index).expect("at most MAX_SHARDS"),
            role,
            cpu: pin.map(|pin| pin.cpu),
            node: pin.map(|pin| pin.node),
            memory_bytes,
            nice,
        }
    };
    (0..placement.count).map(shard).collect()
}

fn chosen<T: Copy>(choice: &Choice<T>) -> Chosen<T> {
    Chosen {
        value: choice.value,
        reason: choice.why.to_owned(),
    }
}

fn choose_layout(request: Option<Layout>, wish: &Choice<Layout>) -> Chosen<Layout> {
    let asked = |value: Layout| Chosen {
        value,
        reason: format!("asked for: layout = {value}"),
    };
    request.map_or_else(|| chosen(wish), asked)
}

/// The layout's reason, with where its I/O shards went.
fn with_places(mut layout: Chosen<Layout>, split: &Split) -> Chosen<Layout> {
    if !split.reason.is_empty() {
        layout.reason = format!("{}; shards for connections {}", layout.reason, split.reason);
    }
    layout
}

fn choose_seed(request: Option<u64>, wish: &Choice<Option<u64>>) -> Chosen<Option<u64>> {
    let asked = |seed| Chosen {
        value: Some(seed),
        reason: format!("asked for: seed = {seed}"),
    };
    request.map_or_else(|| chosen(wish), asked)
}

fn choose_io(
    machine: &Machine,
    request: IoRequest,
    wish: &Choice<IoRequest>,
) -> Result<Chosen<Io>, PlanError> {
    let uring = &machine.io_uring;
    let (value, reason) = match (request, uring.usable) {
        (IoRequest::Auto, _) if wish.value == IoRequest::Polling => {
            (Io::Polling, wish.why.to_owned())
        }
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

fn choose_spin(placement: &Placement, wish: &Choice<u32>) -> Chosen<u32> {
    let (value, reason) = match &placement.shortage {
        _ if wish.value == 0 => (0, wish.why.to_owned()),
        _ if placement.count == 1 => (0, "a single shard waits for no other".to_owned()),
        Some(shortage) => (0, format!("{shortage}, and spinning would spend it")),
        None => (wish.value, wish.why.to_owned()),
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
