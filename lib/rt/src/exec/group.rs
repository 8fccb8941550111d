//! Scheduling groups as callers know them: names, shares, latency goals, and what is counted about each.

use std::borrow::Cow;
use std::time::Duration;

use super::fair::Mask;

/// What kind of work a task is. Each group has its own run queue; when several have work, the thread's time is
/// divided by their shares, and a group that was idle is served soon.
///
/// A group is a number within its runtime. Runtimes that make the same groups in the same order have the same
/// numbers for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(pub(super) u8);

#[expect(
    non_upper_case_globals,
    reason = "they are named as the values of a closed set, which they are to most callers"
)]
impl Group {
    /// Requests: connections and what serves them. 1000 shares.
    pub const Data: Group = Group(0);
    /// Decisions few in number that must not wait behind data. 1000 shares and a goal of one millisecond.
    pub const Control: Group = Group(1);
    /// Work that may take what is left: expiry, snapshots, reclaim. 100 shares.
    pub const Background: Group = Group(2);

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// How many groups a runtime has at most, the three that every runtime has among them.
pub const GROUPS_MAX: usize = 16;

/// The most shares of a group.
pub const SHARES_MAX: u32 = 10_000;

const _: () = assert!(GROUPS_MAX <= Mask::BITS as usize);

/// A group to be made by [`task::group`](crate::task::group).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOptions {
    /// What statistics call it; one group of a runtime has it.
    pub name: Cow<'static, str>,
    /// Its part of the thread's time in proportion to the other groups' shares, while several have work: 1 to
    /// [`SHARES_MAX`]. [`Group::Data`] has 1000.
    pub shares: u32,
    /// How long the tasks of other groups may run while this one waits with work to do: after it, one task of this
    /// group is next, whatever the shares. Tasks are not interrupted: one that runs for longer delays it, unless it
    /// asks [`need_preempt`](crate::task::need_preempt), whose answer follows the shortest goal. `None`: shares alone
    /// decide.
    pub latency_goal: Option<Duration>,
}

impl GroupOptions {
    /// A group of this name with as many shares as [`Group::Data`], and no goal.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        GroupOptions {
            name: name.into(),
            shares: 1000,
            latency_goal: None,
        }
    }
}

/// The groups that every runtime has, by [`Group`] as an index.
pub(super) fn built_in() -> [GroupOptions; 3] {
    let control = GroupOptions {
        latency_goal: Some(Duration::from_millis(1)),
        ..GroupOptions::new("control")
    };
    let background = GroupOptions {
        shares: 100,
        ..GroupOptions::new("background")
    };
    [GroupOptions::new("data"), control, background]
}

/// Why a group cannot be made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupError {
    /// The runtime has [`GROUPS_MAX`] groups already.
    TooMany,
    /// The runtime has a group of this name: find it with [`task::find_group`](crate::task::find_group).
    NameTaken(String),
    /// Shares are 1 to [`SHARES_MAX`].
    Shares(u32),
    /// A goal of no time at all would always be missed.
    NoTime,
    /// The runtime has no such group: it was made on another one.
    Unknown(Group),
}

impl std::fmt::Display for GroupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GroupError::TooMany => {
                write!(f, "this runtime has {GROUPS_MAX} scheduling groups already")
            }
            GroupError::NameTaken(name) => {
                write!(f, "this runtime has a scheduling group {name:?} already")
            }
            GroupError::Shares(shares) => {
                write!(
                    f,
                    "a scheduling group has 1 to {SHARES_MAX} shares, not {shares}"
                )
            }
            GroupError::NoTime => f.write_str("a latency goal of 0 would always be missed"),
            GroupError::Unknown(group) => write!(
                f,
                "this runtime has no scheduling group {}: it was made on another runtime",
                group.0
            ),
        }
    }
}

impl std::error::Error for GroupError {}

/// Refuses shares that are none.
pub(super) fn check_shares(shares: u32) -> Result<(), GroupError> {
    if (1..=SHARES_MAX).contains(&shares) {
        Ok(())
    } else {
        Err(GroupError::Shares(shares))
    }
}

/// A goal in nanoseconds.
pub(super) fn goal_ns(goal: Option<Duration>) -> Result<Option<u64>, GroupError> {
    match goal {
        Some(Duration::ZERO) => Err(GroupError::NoTime),
        goal => Ok(goal.map(|goal| u64::try_from(goal.as_nanos()).unwrap_or(u64::MAX - 1))),
    }
}

/// One group of a runtime and what was counted about it since the runtime's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStats {
    /// The group.
    pub group: Group,
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its shares now.
    pub shares: u32,
    /// Its latency goal now.
    pub latency_goal: Option<Duration>,
    /// Polls of its tasks.
    pub runs: u64,
    /// Nanoseconds that they took.
    pub used_ns: u64,
    /// The longest time for which it had work while others ran, in nanoseconds, from the scheduler's first look on.
    pub longest_wait_ns: u64,
    /// Tasks of it that are ready now.
    pub ready: usize,
}
