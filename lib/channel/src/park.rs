//! Waits of threads: polls what a task would poll, and parks in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// When a wait is over. `None` is a moment too far away to be named.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }
}

/// Polls until there is a result, asleep between two wakes. `None` when the deadline has passed.
pub(crate) fn block_on<R>(
    deadline: Deadline,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> Option<R> {
    PARKER.with(|(parker, waker)| {
        let mut cx = Context::from_waker(waker);
        loop {
            if let Poll::Ready(result) = poll(&mut cx) {
                return Some(result);
            }
            if !parker.sleep(deadline) {
                return None;
            }
        }
    })
}

thread_local! {
    /// One per thread: a thread waits for one thing at a time. A wake that is late for one wait only
    /// makes the next look once too often.
    static PARKER: (Arc<Parker>, Waker) = {
        let parker = Arc::new(Parker {
            thread: thread::current(),
            rung: AtomicBool::new(false),
        });
        (parker.clone(), Waker::from(parker))
    };
}

/// Wakes one thread, and remembers a wake that comes before the sleep.
struct Parker {
    thread: Thread,
    rung: AtomicBool,
}

impl Parker {
    /// Sleeps until rung. False when the deadline came first.
    fn sleep(&self, Deadline(deadline): Deadline) -> bool {
        while !self.rung.swap(false, Ordering::Acquire) {
            let Some(deadline) = deadline else {
                thread::park();
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            thread::park_timeout(left);
        }
        true
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}
