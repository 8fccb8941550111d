//! The run queues and the way into them: a wake on the home thread pushes straight into its group's queue, a
//! wake from elsewhere goes through a locked list and rings the bell.

use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use async_task::Runnable;

use super::group::{Fair, GROUPS, Group};
use crate::bell::Bell;

/// What the executor knows about a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) group: Group,
    /// The future's type, as the compiler names it.
    pub(crate) name: &'static str,
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
    queues: [VecDeque<Task>; GROUPS],
    fair: Fair,
    /// A waker for each live task, so that all futures can be dropped at home when the runtime goes.
    live: Vec<Option<Waker>>,
    vacant: Vec<usize>,
    spawned: u64,
    closing: bool,
    shuffle: Option<fastrand::Rng>,
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
        Arc::new(Exec {
            home: thread_number(),
            local: UnsafeCell::new(Local {
                shuffle,
                ..Local::default()
            }),
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

    /// The next task to run, by the groups' shares.
    pub(crate) fn next(&self) -> Option<Task> {
        self.with_local(Local::pop)
    }

    pub(crate) fn charge(&self, group: Group, elapsed_ns: u64) {
        self.with_local(|local| local.fair.charge(group as usize, elapsed_ns));
    }

    pub(crate) fn has_ready(&self) -> bool {
        self.with_local(|local| local.queues.iter().any(|queue| !queue.is_empty()))
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
            while let Some(task) = self.next() {
                drop(task);
                dropped += 1;
            }
            let live = self.with_local(|local| local.live.len() - local.vacant.len());
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
        let group = task.metadata().group as usize;
        if self.queues[group].is_empty() {
            self.fair.enter(group);
        }
        self.queues[group].push_back(task);
    }

    fn pop(&mut self) -> Option<Task> {
        let ready = [0, 1, 2].map(|group: usize| !self.queues[group].is_empty());
        let queue = &mut self.queues[self.fair.pick(ready)?];
        if let Some(rng) = &mut self.shuffle {
            let pick = rng.usize(..queue.len());
            queue.swap(0, pick);
        }
        queue.pop_front()
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
