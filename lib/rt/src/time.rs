//! Time as tasks see it: the clock, sleeping, and time limits. Virtual in the simulator.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::context::{self, Core};
use crate::timers::TimerKey;

/// Monotonic time in nanoseconds, as it was when the running task was last resumed. All runtimes of a process
/// (of a simulated world) count from the same zero.
///
/// # Panics
///
/// Outside a runtime.
pub fn now_ns() -> u64 {
    context::with(|core| core.clock.now_ns())
}

/// Monotonic time in nanoseconds, read now; [`now_ns`] returns it until the task is next resumed.
///
/// # Panics
///
/// Outside a runtime.
pub fn refresh_ns() -> u64 {
    context::with(|core| core.clock.refresh())
}

/// Monotonic time in nanoseconds, read now, for measuring: [`now_ns`] stays as it is.
///
/// # Panics
///
/// Outside a runtime.
pub fn read_ns() -> u64 {
    context::with(|core| core.clock.read())
}

/// Wall time in milliseconds since 1970, at most a fraction of a millisecond old when the task was resumed.
///
/// # Panics
///
/// Outside a runtime.
pub fn unix_ms() -> u64 {
    context::with(|core| core.clock.unix_ms())
}

/// Wall time in microseconds since 1970, read now.
///
/// # Panics
///
/// Outside a runtime.
pub fn unix_us() -> u64 {
    context::with(|core| core.clock.read_unix_us())
}

/// Waits for `duration`, counted from [`now_ns`].
///
/// # Panics
///
/// Outside a runtime.
pub fn sleep(duration: Duration) -> Sleep {
    context::with(|core| {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Sleep::new(core, core.clock.now_ns().saturating_add(nanos))
    })
}

/// Waits until [`now_ns`] has reached `deadline_ns`.
///
/// # Panics
///
/// Outside a runtime.
pub fn sleep_until(deadline_ns: u64) -> Sleep {
    context::with(|core| Sleep::new(core, deadline_ns))
}

/// Gives `future` a time limit. At the limit it is dropped.
///
/// # Panics
///
/// Outside a runtime.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut sleep = std::pin::pin!(sleep(limit));
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        sleep.as_mut().poll(cx).map(|()| Err(Elapsed))
    })
    .await
}

/// A time limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl std::fmt::Display for Elapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the time limit passed")
    }
}

impl std::error::Error for Elapsed {}

/// The future of [`sleep`] and [`sleep_until`].
pub struct Sleep {
    core: Rc<Core>,
    deadline_ns: u64,
    timer: Option<TimerKey>,
}

impl Sleep {
    fn new(core: &Rc<Core>, deadline_ns: u64) -> Self {
        Sleep {
            core: core.clone(),
            deadline_ns,
            timer: None,
        }
    }

    /// When it ends, on the scale of [`now_ns`].
    pub fn deadline_ns(&self) -> u64 {
        self.deadline_ns
    }

    /// Moves the end.
    pub fn reset(&mut self, deadline_ns: u64) {
        self.stop();
        self.deadline_ns = deadline_ns;
    }

    fn stop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.core.timers.stop(timer);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.core.clock.now_ns() >= self.deadline_ns {
            self.stop();
            return Poll::Ready(());
        }
        match self.timer {
            Some(timer) => self.core.timers.update(timer, cx.waker()),
            None => self.timer = Some(self.core.timers.start(self.deadline_ns, cx.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Sleep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline_ns", &self.deadline_ns)
            .finish()
    }
}
