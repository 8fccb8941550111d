//! Starting a task and waiting for it. A panic inside a task ends that task alone: it is logged, counted, and
//! handed to whoever waits.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_task::FallibleTask;

use super::group::Group;
use super::queue::{Exec, Meta};
use crate::context::Core;
use crate::stall::name_of;
use crate::stats::bump;

/// A task panicked, so that there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked {
    /// The task's future, as the compiler names its type.
    pub task: &'static str,
    /// What the panic said.
    pub message: String,
}

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "task {} panicked: {}", self.task, self.message)
    }
}

impl std::error::Error for Panicked {}

/// The other end of a task: a future of its result. Dropping it lets the task go on by itself.
pub struct JoinHandle<T> {
    task: Option<FallibleTask<Result<T, Panicked>, Meta>>,
    name: &'static str,
}

impl<T> JoinHandle<T> {
    /// Ends the task at its next suspension point, dropping its future there.
    pub fn cancel(mut self) {
        drop(self.task.take());
    }

    /// Whether the task is done, so that awaiting it does not wait.
    pub fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(FallibleTask::is_finished)
    }

    /// The future's type, as the compiler names it.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Future for JoinHandle<T> {
    /// `Err` also where the runtime ended before the task did.
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let gone = Panicked {
            task: self.name,
            message: "its runtime has ended".to_owned(),
        };
        let Some(task) = &mut self.task else {
            return Poll::Ready(Err(gone));
        };
        let result = std::task::ready!(Pin::new(task).poll(cx));
        self.task = None;
        Poll::Ready(result.unwrap_or(Err(gone)))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.detach();
        }
    }
}

impl<T> std::fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinHandle")
            .field("task", &self.name)
            .finish()
    }
}

/// Starts `future` on `core`, which must be the calling thread's own.
pub(crate) fn spawn_on<F>(core: &Rc<Core>, group: Group, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let what = name_of::<F>();
    let name = what();
    let Some((id, place)) = core.exec.admit() else {
        return JoinHandle { task: None, name };
    };
    bump(&core.counters.spawned);
    let job = Job {
        future,
        name,
        _listed: Listed {
            exec: core.exec.clone(),
            place,
        },
        core: Rc::downgrade(core),
    };
    let exec = core.exec.clone();
    let builder = async_task::Builder::new().metadata(Meta { group, what, id });
    // SAFETY: the future need not be Send: tasks run and drop only in `Core::run_ready` and `Exec::close`,
    // both on the home thread, and `close` drops every future before the runtime ends. It is 'static. The
    // schedule function is Send, Sync and 'static (it holds an Arc<Exec>), so wakers may go anywhere.
    let (runnable, task) =
        unsafe { builder.spawn_unchecked(|_| job, move |task| exec.schedule(task)) };
    core.exec.set_waker(place, runnable.waker());
    runnable.schedule();
    JoinHandle {
        task: Some(task.fallible()),
        name,
    }
}

/// What a task runs: the future, its panics caught.
struct Job<F> {
    future: F,
    name: &'static str,
    core: std::rc::Weak<Core>,
    /// Last, so that the place is free only once the future is gone.
    _listed: Listed,
}

impl<F: Future> Future for Job<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is pinned with `self` and never moved; the other fields are not pinned. `Job` has
        // no Drop of its own and is Unpin only if the future is.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => {
                let panicked = Panicked {
                    task: this.name,
                    message: panic_text(&*payload),
                };
                tracing::error!(task = this.name, "{panicked}");
                if let Some(core) = this.core.upgrade() {
                    bump(&core.counters.panics);
                    core.first_panic
                        .borrow_mut()
                        .get_or_insert_with(|| panicked.clone());
                }
                Poll::Ready(Err(panicked))
            }
        }
    }
}

/// A task's entry in the list of live tasks.
struct Listed {
    exec: Arc<Exec>,
    place: usize,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.exec.retire(self.place);
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}
