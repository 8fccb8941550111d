//! What a node is asked to be: plain values with defaults that suit a test; a server fills them from
//! the plan that it makes of its machine.

use std::path::Path;
use std::time::Duration;

use corelane_rt::{BufferOptions, IoBackend, RuntimeOptions};
use corelane_topology::{Io, Machine, Plan, Profile, ReadError, Role, ShardPlan};

use super::error::LaunchError;
use crate::restart::Keeper;
use crate::supervision::Supervision;
use crate::{PARTITIONS, ShardId, ShardMap};

/// Shards of one node at most: beyond it a shard would own no partition.
pub const MAX_SHARDS: usize = PARTITIONS;

const _: () = assert!(MAX_SHARDS == corelane_topology::MAX_SHARDS);

/// One shard of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShardSpec {
    /// The CPU that its thread is pinned to; `None` leaves it to the system. A CPU that the process
    /// may not use is an error.
    pub cpu: Option<usize>,
    /// For connections alone: it owns no partition. Such shards come first, and serve from the start.
    pub io: bool,
    /// Added to the niceness that its thread has from the process: above 0 it gives way, below 0 it goes
    /// first, within -20 and 19; `None` leaves it. A system that refuses is reported in the log.
    pub nice: Option<i8>,
}

/// How to launch a node.
#[derive(Debug, Clone)]
pub struct LaunchOptions {
    /// Its shards, at least one and at most [`MAX_SHARDS`], with those that sleep until a resize.
    pub shards: Vec<ShardSpec>,
    /// How many of them serve from the start; `None`: all. A shard that sleeps costs a thread, its lanes, and
    /// no time.
    pub active: Option<usize>,
    /// The driver for sockets and files.
    pub io: IoBackend,
    /// The receive buffers of each shard.
    pub buffers: BufferOptions,
    /// A task that runs this long without yielding is logged and counted; `None`: nobody looks.
    pub stall_ms: Option<u64>,
    /// The longest spin before a sleep while messages are under way; 0 never spins. Turn it off
    /// where shards share a core.
    pub spin_us: u32,
    /// Where each shard's random numbers begin; `None`: anew with every start. The simulator takes its world's.
    pub seed: Option<u64>,
    /// Requests that each ordered pair of shards may have outstanding; `None` shares a fixed room
    /// among the peers (64 to 1024).
    pub lane_capacity: Option<usize>,
    /// A shard whose loop has not turned for this long is reported as wedged, in steps of one second.
    pub wedged_after: Duration,
    /// What a panic in the service does. `None`: it ends the node. Otherwise its caller is told, the state is
    /// dropped, and the shard builds another by its `init` when the [`Supervisor`](crate::supervision::Supervisor)
    /// says so; one panic too many ends the node with the reason. The shards are the supervisor's
    /// children, in their order.
    ///
    /// Main and all tasks of the shard go on meanwhile; they look at the state by
    /// [`Mesh::try_with`](crate::Mesh::try_with).
    pub supervision: Option<Supervision>,
    /// What requests meet at a shard that restarts.
    pub while_down: WhileDown,
}

/// What requests meet at a shard whose service restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhileDown {
    /// They come back at once, as [`Refusal::Down`](crate::Refusal::Down).
    #[default]
    Refuse,
    /// They stay where they are, in order: in lanes and inboxes, which are bounded. What no longer fits
    /// waits or is refused where it comes from; deadlines go on.
    Wait,
}

impl LaunchOptions {
    /// A node of `shards` shards that the system places.
    #[must_use]
    pub fn unpinned(shards: usize) -> Self {
        Self::new(vec![ShardSpec::default(); shards])
    }

    /// A node with one shard pinned to each of `cpus`.
    #[must_use]
    pub fn pinned(cpus: &[usize]) -> Self {
        let shard = |&cpu| ShardSpec {
            cpu: Some(cpu),
            ..ShardSpec::default()
        };
        Self::new(cpus.iter().map(shard).collect())
    }

    /// The node that this machine and a profile come to, with nothing to configure.
    ///
    /// ```no_run
    /// use corelane::LaunchOptions;
    /// use corelane::topology::Profile;
    ///
    /// let options = LaunchOptions::for_profile(Profile::Production)?;
    /// println!("{} shards", options.shards.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// This machine tells nothing of its processors.
    pub fn for_profile(profile: Profile) -> Result<Self, ReadError> {
        let machine = Machine::read(Path::new("/"))?;
        Ok(Self::from(&Plan::for_profile(&machine, profile)))
    }

    /// A node of these shards, everything else at its default.
    #[must_use]
    pub fn new(shards: Vec<ShardSpec>) -> Self {
        let runtime = RuntimeOptions::default();
        Self {
            shards,
            active: None,
            io: runtime.io,
            buffers: runtime.buffers,
            stall_ms: runtime.stall_ms,
            spin_us: runtime.spin_us,
            seed: None,
            lane_capacity: None,
            wedged_after: Duration::from_secs(5),
            supervision: None,
            while_down: WhileDown::default(),
        }
    }

    /// Refuses what cannot be launched.
    pub(super) fn check(&self) -> Result<(), LaunchError> {
        match self.shards.len() {
            1..=MAX_SHARDS => {}
            count => return Err(LaunchError::Shards { count }),
        }
        let (io_shards, room) = (self.io_shards(), self.shards.len());
        if self.shards[io_shards..].iter().any(|shard| shard.io) {
            return Err(LaunchError::IoNotFirst);
        }
        let active = self.active();
        if !(io_shards + 1..=room).contains(&active) {
            return Err(LaunchError::Active {
                active,
                least: io_shards + 1,
                room,
            });
        }
        match self.lane_capacity {
            Some(0) => Err(LaunchError::NoLaneCapacity),
            _ => Ok(()),
        }
    }

    /// Who judges panics, if they are judged.
    pub(super) fn keeper(&self) -> Result<Option<Keeper>, LaunchError> {
        let keeper = |rules| Keeper::new(rules, self.shards.len(), self.while_down);
        Ok(self.supervision.map(keeper).transpose()?)
    }

    /// How many shards serve from the start.
    pub(super) fn active(&self) -> usize {
        self.active.unwrap_or(self.shards.len())
    }

    /// How many shards, the first ones, are for connections alone.
    fn io_shards(&self) -> usize {
        self.shards.iter().take_while(|shard| shard.io).count()
    }

    /// Who owns what at the start, for services whose state follows it.
    ///
    /// # Errors
    /// [`LaunchError`]: options that make no node.
    pub fn first_map(&self) -> Result<ShardMap, LaunchError> {
        self.check()?;
        Ok(ShardMap::split(self.io_shards(), self.active()))
    }

    /// Requests that a pair may have outstanding.
    pub(super) fn lane_capacity(&self) -> usize {
        let default = Profile::Production.lane_capacity(self.shards.len());
        self.lane_capacity.unwrap_or(default)
    }

    /// What the runtime of one shard is built from.
    pub(super) fn runtime(&self, shard: ShardId) -> RuntimeOptions {
        RuntimeOptions {
            io: self.io,
            cpu: self.shards[shard.index()].cpu,
            nice: self.shards[shard.index()].nice,
            name: thread_name(shard),
            shard: shard.number(),
            buffers: self.buffers.clone(),
            stall_ms: self.stall_ms,
            spin_us: self.spin_us,
            seed: self.seed,
        }
    }
}

/// The node that a plan of this machine describes. Memory is the service's affair.
impl From<&Plan> for LaunchOptions {
    fn from(plan: &Plan) -> Self {
        let shards = plan.shards.value.iter();
        let shard = |shard: &ShardPlan| ShardSpec {
            cpu: shard.cpu,
            io: shard.role == Role::Io,
            nice: (shard.nice != 0).then_some(shard.nice),
        };
        let mut options = Self::new(shards.map(shard).collect());
        options.spin_us = plan.spin_us.value;
        options.stall_ms = plan.stall_ms.value;
        options.seed = plan.seed.value;
        options.lane_capacity = Some(plan.lane_capacity.value);
        options.io = match plan.io.value {
            Io::IoUring => IoBackend::Uring,
            Io::Polling => IoBackend::Polling,
        };
        options
    }
}

/// `shard-3`, as tools that list threads show it.
pub(super) fn thread_name(shard: ShardId) -> String {
    format!("shard-{shard}")
}

#[cfg(test)]
mod tests {
    use corelane_rt::IoBackend;
    use corelane_topology::{IoRequest, Machine, Plan, Profile, Request};

    use super::{LaunchOptions, MAX_SHARDS, ShardSpec};

    #[test]
    fn a_plan_becomes_its_node() {
        let machine = Machine::read("/".as_ref()).unwrap();
        let request = Request {
            io: IoRequest::Polling,
            ..Request::default()
        };
        let plan = Plan::new(&machine, &request).unwrap();
        let options = LaunchOptions::from(&plan);
        let cpus: Vec<_> = options.shards.iter().map(|shard| shard.cpu).collect();
        let planned: Vec<_> = plan.shards.value.iter().map(|shard| shard.cpu).collect();
        assert_eq!(cpus, planned);
        assert_eq!(
            (options.io, options.spin_us),
            (IoBackend::Polling, plan.spin_us.value)
        );
    }

    #[test]
    fn a_profile_becomes_its_node() {
        let options = LaunchOptions::for_profile(Profile::Testing).unwrap();
        assert_eq!(options.shards, vec![ShardSpec::default(); 4]);
        assert_eq!(
            (options.io, options.spin_us, options.stall_ms),
            (IoBackend::Polling, 0, None)
        );
        assert_eq!(options.lane_capacity(), 16);
        let minimal = LaunchOptions::for_profile(Profile::Minimal).unwrap();
        let nice: Vec<_> = minimal.shards.iter().map(|shard| shard.nice).collect();
        assert_eq!(nice, [Some(10)]);
    }

    #[test]
    fn lanes_are_deep_for_few_shards_and_bounded_for_many() {
        for (shards, capacity) in [
            (1, 1024),
            (2, 1024),
            (17, 1024),
            (33, 512),
            (65, 256),
            (256, 64),
        ] {
            let options = LaunchOptions::unpinned(shards);
            assert_eq!(options.lane_capacity(), capacity, "{shards} shards");
        }
        let mut options = LaunchOptions::pinned(&[0, 2]);
        options.lane_capacity = Some(3);
        assert_eq!(options.lane_capacity(), 3);
    }

    #[test]
    fn impossible_nodes_are_refused_in_words() {
        for (shards, capacity, says) in [
            (0, None, "a node has 1 to 256 shards, not 0"),
            (MAX_SHARDS + 1, None, "a node has 1 to 256 shards, not 257"),
            (
                2,
                Some(0),
                "lane_capacity is 0, so shards could never ask each other; give at least 1",
            ),
        ] {
            let mut options = LaunchOptions::unpinned(shards);
            options.lane_capacity = capacity;
            assert_eq!(options.check().unwrap_err().to_string(), says);
        }
        assert!(LaunchOptions::unpinned(MAX_SHARDS).check().is_ok());
    }
}
