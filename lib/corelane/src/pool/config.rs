//! What a pool is asked to be, as plain values.

use corelane_topology::{Machine, Plan, Profile, Request};

use super::PoolError;
use crate::supervision::Supervision;
use crate::{LaunchError, LaunchOptions, MAX_SHARDS, ShardSpec, WhileDown};

/// The longest mailbox: what an inbox and its line hold in any case, so that a message that was accepted is never
/// refused further on.
pub const MAX_QUEUE: usize = 16_384;

/// How a pool is made. The default asks the machine for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    /// How many workers; `None` for as many as the profile finds right for the machine.
    pub workers: Option<usize>,
    /// As many as the pool may ever have; `None` for a pool that is not resized.
    pub max_workers: Option<usize>,
    /// The CPU of each worker; `None` leaves it to the profile. One that the process may not use is an
    /// error.
    pub cpus: Option<Vec<usize>>,
    /// What the pool is for: it decides what is not said here.
    pub profile: Profile,
    /// Messages that wait for one worker at most, 1 to [`MAX_QUEUE`].
    pub queue: usize,
    /// What is done about workers that panic.
    pub supervision: Supervision,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            workers: None,
            max_workers: None,
            cpus: None,
            profile: Profile::Production,
            queue: MAX_QUEUE,
            supervision: Supervision::default(),
        }
    }
}

/// A configuration that has been checked against the machine.
pub(super) struct Layout {
    pub(super) options: LaunchOptions,
    pub(super) workers: usize,
    pub(super) elastic: bool,
    /// What was chosen and why.
    pub(super) plan: Plan,
}

impl PoolConfig {
    /// The default, of so many workers.
    #[must_use]
    pub fn of(workers: usize) -> Self {
        Self {
            workers: Some(workers),
            ..Self::default()
        }
    }

    /// The default, for this purpose.
    #[must_use]
    pub fn for_profile(profile: Profile) -> Self {
        Self {
            profile,
            ..Self::default()
        }
    }

    pub(super) fn layout(&self) -> Result<Layout, PoolError> {
        let plan = Plan::new(&Machine::read("/".as_ref())?, &Request::of(self.profile))?;
        let workers = self.workers.unwrap_or(plan.shards.value.len());
        let room = self.max_workers.unwrap_or(workers);
        self.check(workers, room)?;
        let mut options = LaunchOptions::from(&plan);
        options.lane_capacity = Some(plan.lane_capacity.value);
        options.stall_ms = plan.stall_ms.value;
        options.shards = self.shards(&plan, room);
        if options.shards.iter().any(|shard| shard.cpu.is_none()) {
            // Threads that share CPUs take time from each other when they spin.
            options.spin_us = plan.spin_us.value.min(SHARED_SPIN_US);
        }
        options.active = Some(workers);
        options.supervision = Some(self.supervision);
        options.while_down = WhileDown::Wait;
        Ok(Layout {
            options,
            workers,
            elastic: self.max_workers.is_some(),
            plan,
        })
    }

    fn check(&self, workers: usize, max: usize) -> Result<(), PoolError> {
        if workers == 0 {
            return Err(PoolError::NoWorkers);
        }
        if max > MAX_SHARDS {
            return Err(LaunchError::Shards { count: max }.into());
        }
        if max < workers {
            return Err(PoolError::MaxWorkers { max, workers });
        }
        if !(1..=MAX_QUEUE).contains(&self.queue) {
            return Err(PoolError::Queue { queue: self.queue });
        }
        match &self.cpus {
            Some(cpus) if cpus.len() != max => Err(PoolError::Cpus {
                cpus: cpus.len(),
                workers: max,
            }),
            _ => Ok(()),
        }
    }

    /// A CPU for each where the plan has enough of them.
    fn shards(&self, plan: &Plan, count: usize) -> Vec<ShardSpec> {
        let planned = &plan.shards.value;
        let cpu = |worker: usize| match &self.cpus {
            Some(cpus) => Some(cpus[worker]),
            None if planned.len() >= count => planned[worker].cpu,
            None => None,
        };
        let shard = |worker| ShardSpec {
            cpu: cpu(worker),
            nice: (plan.nice.value != 0).then_some(plan.nice.value),
            ..ShardSpec::default()
        };
        (0..count).map(shard).collect()
    }
}

/// The longest spin of workers without CPUs of their own.
const SHARED_SPIN_US: u32 = 20;
