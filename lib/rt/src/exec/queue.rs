//! The run queues and the way into them: a wake on the home thread pushes straight into its group's queue, a
//! wake from elsewhere goes through a locked list and rings the bell.

use std::borrow::Cow;
use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use async_task::Runnable;

use super::fair::{Fair, Mask};
use super::group::{self, GROUPS_MAX, Group, GroupError, GroupOptions, GroupStats};
use crate::bell::Bell;
use crate::stall::NameFn;

/// What the executor knows about a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) group: Group,
    /// Tells the future's type, as the compiler names it.
    pub(crate) what: &'static NameFn,
    /// Counts from 0 within a runtime.
    pub(crate) id: u64,
}

pub(crate) type Task = Runnable<Meta>;

/// One runtime's tasks. Shared with every waker, therefore `Sync`; all that is not meant for other threads
/// lies in `local` and is touched by the home thread alone.
pub(crate) struct Exec {
    home: u64,
    local: UnsafeCell<Local>,
    injected: Mutex<Vec<Task>>,
    pub(crate) bell: Arc<Bell>,
}

#[derive(Default)]
struct Local {
    /// By [`Group`] as an index.
    queues: Vec<Queue>,
    /// The groups whose queues are not empty.
    ready: Mask,
    fair: Fair,
    /// A waker for each live task, so that all futures can be dropped at home when the runtime goes.
    live: Vec<Option<Waker>>,
    vacant: Vec<usize>,
    spawned: u64,
    closing: bool,
    shuffle: Option<fastrand::Rng>,
}

/// One group's run queue.
struct Queue {
    name: Cow<'static, str>,
    tasks: VecDeque<Task>,
}

// SAFETY: `injected` and `bell` are Sync, `home` is never written. `local` is reached only through
// `with_local`, which checks that the calling thread is the home thread; thread numbers are never reused.
// Dropping an Exec on another thread drops `local`, which holds neither tasks nor wakers by then: the
// runtime that owns it calls `close` on the home thread first, and no task exists without its runtime.
unsafe impl Send for Exec {}
// SAFETY: as above.
unsafe impl Sync for Exec {}

impl Exec {
    /// An executor whose home is the calling thread.
    pub(crate) fn new(bell: Arc<Bell>, shuffle: Option<fastrand::Rng>) -> Arc<Self> {
        let mut local = Local {
            shuffle,
            ..Local::default()
        };
        for options in group::built_in() {
            let added = local.add_group(options);
            added.expect("the groups that every runtime has are well made");
        }
        Arc::new(Exec {
            home: thread_number(),
            local: UnsafeCell::new(local),
            injected: Mutex::new(Vec::new()),
            bell,
        })
    }

    pub(crate) fn is_home(&self) -> bool {
        thread_number() == self.home
    }

    /// Makes a task ready. Called by wakers, on any thread.
    pub(crate) fn schedule(&self, task: Task) {
        if self.is_home() && !crate::context::is_foreign(self) {
            self.with_local(|local| local.push(task));
        } else {
            self.lock_injected().push(task);
            self.bell.ring();
        }
    }

    /// Moves what other threads woke into the run queues; how many.
    pub(crate) fn take_injected(&self) -> usize {
        let tasks = mem::take(&mut *self.lock_injected());
        let count = tasks.len();
        self.with_local(|local| tasks.into_iter().for_each(|task| local.push(task)));
        count
    }

    /// The next task to run, by the groups' shares and goals, and how long it should run at most.
    pub(crate) fn next(&self, now_ns: u64) -> Option<(Task, u64)> {
        self.with_local(|local| local.pop(now_ns))
    }

    /// Charges a group for a task that ran until `now_ns`.
    pub(crate) fn charge(&self, group: Group, elapsed_ns: u64, now_ns: u64) {
        self.with_local(|local| local.fair.charge(group.index(), elapsed_ns, now_ns));
    }

    pub(crate) fn has_ready(&self) -> bool {
        self.with_local(|local| local.ready != 0)
    }

    pub(crate) fn add_group(&self, options: GroupOptions) -> Result<Group, GroupError> {
        self.with_local(|local| local.add_group(options))
    }

    pub(crate) fn find_group(&self, name: &str) -> Option<Group> {
        self.with_local(|local| local.find_group(name))
    }

    pub(crate) fn has_group(&self, group: Group) -> bool {
        self.with_local(|local| group.index() < local.queues.len())
    }

    pub(crate) fn set_shares(&self, group: Group, shares: u32) -> Result<(), GroupError> {
        self.known(group)?;
        group::check_shares(shares)?;
        self.with_local(|local| local.fair.set_shares(group.index(), shares));
        Ok(())
    }

    pub(crate) fn set_goal(&self, group: Group, goal: Option<Duration>) -> Result<(), GroupError> {
        self.known(group)?;
        let goal_ns = group::goal_ns(goal)?;
        self.with_local(|local| local.fair.set_goal(group.index(), goal_ns));
        Ok(())
    }

    pub(crate) fn group_stats(&self) -> Vec<GroupStats> {
        self.with_local(|local| {
            (0..local.queues.len())
                .map(|at| local.group_stats(at))
                .collect()
        })
    }

    fn known(&self, group: Group) -> Result<(), GroupError> {
        if self.has_group(group) {
            Ok(())
        } else {
            Err(GroupError::Unknown(group))
        }
    }

    /// Gives the next task its number and a place in the list of live tasks; `None` while closing.
    pub(crate) fn admit(&self) -> Option<(u64, usize)> {
        self.with_local(|local| {
            if local.closing {
                return None;
            }
            let id = local.spawned;
            local.spawned += 1;
            let place = local.vacant.pop().unwrap_or_else(|| {
                local.live.push(None);
                local.live.len() - 1
            });
            Some((id, place))
        })
    }

    pub(crate) fn set_waker(&self, place: usize, waker: Waker) {
        self.with_local(|local| local.live[place] = Some(waker));
    }

    /// How many tasks there are whose futures are not gone.
    pub(crate) fn live(&self) -> usize {
        self.with_local(|local| local.live.len() - local.vacant.len())
    }

    /// Forgets a task whose future is gone.
    pub(crate) fn retire(&self, place: usize) {
        let waker = self.with_local(|local| {
            let waker = local.live[place].take();
            local.vacant.push(place);
            waker
        });
        drop(waker);
    }

    /// Drops every future, here and now, and refuses new ones. After it no wake makes a task any more.
    pub(crate) fn close(&self) {
        self.with_local(|local| local.closing = true);
        loop {
            let wakers: Vec<Waker> =
                self.with_local(|local| local.live.iter_mut().filter_map(Option::take).collect());
            wakers.into_iter().for_each(Waker::wake);
            self.take_injected();
            let mut dropped = 0;
            while let Some((task, _)) = self.next(0) {
                drop(task);
                dropped += 1;
            }
            let live = self.live();
            if live == 0 && dropped == 0 {
                return;
            }
            if dropped == 0 {
                // A task that another thread is waking at this moment: its push is a few instructions away.
                std::thread::yield_now();
            }
        }
    }

    fn lock_injected(&self) -> std::sync::MutexGuard<'_, Vec<Task>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `f` must not call back into this executor: it moves data in or out and nothing else.
    fn with_local<R>(&self, f: impl FnOnce(&mut Local) -> R) -> R {
        assert!(
            self.is_home(),
            "a runtime's tasks were touched from another thread"
        );
        // SAFETY: only the home thread comes here, and the closures in this file neither run nor drop
        // tasks or wakers, so no second reference arises while this one lives.
        f(unsafe { &mut *self.local.get() })
    }
}

impl Local {
    fn push(&mut self, task: Task) {
        let group = task.metadata().group.index();
        if self.ready & (1 << group) == 0 {
            self.ready |= 1 << group;
            self.fair.enter(group);
        }
        self.queues[group].tasks.push_back(task);
    }

    fn pop(&mut self, now_ns: u64) -> Option<(Task, u64)> {
        let group = self.fair.pick(self.ready, now_ns)?;
        let queue = &mut self.queues[group].tasks;
        if let Some(rng) = &mut self.shuffle {
            let pick = rng.usize(..queue.len());
            queue.swap(0, pick);
        }
        let task = queue.pop_front()?;
        if queue.is_empty() {
            self.ready &= !(1 << group);
        }
        Some((task, self.fair.budget_ns(group)))
    }

    fn add_group(&mut self, options: GroupOptions) -> Result<Group, GroupError> {
        group::check_shares(options.shares)?;
        let goal_ns = group::goal_ns(options.latency_goal)?;
        if self.find_group(&options.name).is_some() {
            return Err(GroupError::NameTaken(options.name.into_owned()));
        }
        if self.queues.len() == GROUPS_MAX {
            return Err(GroupError::TooMany);
        }
        self.fair.add(options.shares, goal_ns);
        self.queues.push(Queue {
            name: options.name,
            tasks: VecDeque::new(),
        });
        Ok(Group((self.queues.len() - 1) as u8))
    }

    fn find_group(&self, name: &str) -> Option<Group> {
        let at = self.queues.iter().position(|queue| queue.name == name)?;
        Some(Group(at as u8))
    }

    fn group_stats(&self, at: usize) -> GroupStats {
        let counts = self.fair.counts(at);
        GroupStats {
            group: Group(at as u8),
            name: self.queues[at].name.clone(),
            shares: self.fair.shares(at),
            latency_goal: self.fair.goal_ns(at).map(Duration::from_nanos),
            runs: counts.runs,
            used_ns: counts.used_ns,
            longest_wait_ns: counts.longest_wait_ns,
            ready: self.queues[at].tasks.len(),
        }
    }
}

/// A number for the calling thread that no other thread of the process ever has.
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    // A thread that is being torn down may have lost the cell: it is nobody's home then.
    NUMBER
        .try_with(|number| {
            if number.get() == 0 {
                number.set(NEXT.fetch_add(1, Ordering::Relaxed));
            }
            number.get()
        })
        .unwrap_or(u64::MAX)
}
