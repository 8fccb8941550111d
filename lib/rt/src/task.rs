//! Tasks of the current runtime: starting them, and letting others run.

use std::future::Future;
use std::task::Poll;

use crate::context;
pub use crate::exec::{Group, JoinHandle, Panicked};

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
/// Outside a runtime.
pub fn spawn_in<F>(group: Group, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    context::with(|core| crate::exec::spawn_on(core, group, future))
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
