//! Tasks of the current runtime: starting them, letting others run, and the groups by which they share the thread.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use crate::context;
pub use crate::exec::{
    GROUPS_MAX, Group, GroupError, GroupOptions, GroupStats, JoinHandle, Panicked, SHARES_MAX,
};

/// Starts `future` as a task of the current runtime, in the [`Group::Data`] group. It runs from the next turn
/// on, whether or not the handle is awaited.
///
/// # Panics
///
/// Outside a runtime.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_in(Group::Data, future)
}

/// As [`spawn`], in a group of the caller's choice.
///
/// # Panics
///
/// Outside a runtime, and if the runtime has no such group.
pub fn spawn_in<F>(group: Group, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    context::with(|core| {
        assert!(core.exec.has_group(group), "{}", GroupError::Unknown(group));
        crate::exec::spawn_on(core, group, future)
    })
}

/// Makes a group on the current runtime; it lives as long as the runtime.
///
/// # Errors
///
/// The name is taken, the shares or the goal are none, or there are [`GROUPS_MAX`] groups.
///
/// # Panics
///
/// Outside a runtime.
pub fn group(options: GroupOptions) -> Result<Group, GroupError> {
    context::with(|core| core.exec.add_group(options))
}

/// The current runtime's group of this name.
///
/// # Panics
///
/// Outside a runtime.
pub fn find_group(name: &str) -> Option<Group> {
    context::with(|core| core.exec.find_group(name))
}

/// Changes a group's shares on the current runtime, from the next task on.
///
/// # Errors
///
/// Shares that are not 1 to [`SHARES_MAX`], or a group that the runtime does not have.
///
/// # Panics
///
/// Outside a runtime.
pub fn set_shares(group: Group, shares: u32) -> Result<(), GroupError> {
    context::with(|core| core.exec.set_shares(group, shares))
}

/// Changes a group's latency goal on the current runtime; see [`GroupOptions::latency_goal`].
///
/// # Errors
///
/// A goal of no time, or a group that the runtime does not have.
///
/// # Panics
///
/// Outside a runtime.
pub fn set_latency_goal(group: Group, goal: Option<Duration>) -> Result<(), GroupError> {
    context::with(|core| core.exec.set_goal(group, goal))
}

/// The current runtime's groups and what was counted about each.
///
/// # Panics
///
/// Outside a runtime.
pub fn group_stats() -> Vec<GroupStats> {
    context::with(|core| core.exec.group_stats())
}

/// Whether the running task should let others run: it has had the thread for half a millisecond, or for as long as
/// the strictest latency goal of another group allows. Costs one look at the clock; in a simulated world, where
/// computing takes no time, the seed decides.
///
/// For long loops that cannot await at every step, as they hold a borrow; others use [`maybe_yield`]. Outside a
/// runtime there are no others: false.
pub fn need_preempt() -> bool {
    context::try_with(|core| core.need_preempt()).unwrap_or(false)
}

/// Lets others run if [`need_preempt`] says so: call it in every round of a long loop.
///
/// # Panics
///
/// Outside a runtime.
pub async fn maybe_yield() {
    if need_preempt() {
        yield_now().await;
    }
}

/// Lets the other ready tasks run first.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    std::future::poll_fn(move |cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
