//! A pool of threads for calls that block. It belongs to the process, and its threads may run on every CPU that
//! the process may use, whatever the shards are pinned to. In the simulator the call runs in place, after a
//! delay.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::affinity;
use crate::context::{self, Driver};
use crate::stats::bump;

/// Threads at most.
const THREADS_MAX: usize = 64;

/// Calls that may wait for a thread; beyond it, callers are held back.
const JOBS_MAX: usize = 4096;

/// How long a caller that was held back waits before it tries again.
const RETRY: Duration = Duration::from_millis(1);

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

/// Runs `call` on a thread of the pool. Dropping the future does not stop the call, it drops its result.
///
/// # Panics
///
/// Outside a runtime, and if `call` panics.
pub async fn run<T, F>(call: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        port.world.take_time(&port.world.options.disk_ns).await;
        return call();
    }
    let answer = Arc::new(Mutex::new(Answer {
        result: None,
        waker: None,
    }));
    let mut job = job_of(call, answer.clone());
    while let Err(refused) = POOL.submit(job) {
        bump(&core.counters.blocking_full);
        job = refused;
        crate::time::sleep(RETRY).await;
    }
    let result = poll_fn(|cx| {
        let mut answer = lock(&answer);
        match answer.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                answer.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    });
    result.await.unwrap_or_else(|panic| resume_unwind(panic))
}

struct Answer<T> {
    result: Option<thread::Result<T>>,
    waker: Option<Waker>,
}

type Job = Box<dyn FnOnce() + Send>;

fn job_of<T, F>(call: F, answer: Arc<Mutex<Answer<T>>>) -> Job
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(call));
        let mut answer = lock(&answer);
        answer.result = Some(result);
        let waker = answer.waker.take();
        drop(answer);
        waker.into_iter().for_each(Waker::wake);
    })
}

static POOL: Pool = Pool {
    state: Mutex::new(State {
        jobs: VecDeque::new(),
        idle: 0,
        threads: 0,
    }),
    work: Condvar::new(),
};

struct Pool {
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
}

impl Pool {
    /// Queues a job and sees to a thread for it. Gives it back where too many wait.
    fn submit(&'static self, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if state.jobs.len() >= JOBS_MAX {
            return Err(job);
        }
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.threads >= THREADS_MAX {
            self.work.notify_one();
            return Ok(());
        }
        state.threads += 1;
        let last = state.threads == 1;
        drop(state);
        let started = thread::Builder::new()
            .name("blocking".to_owned())
            .spawn(|| self.work());
        if let Err(error) = started {
            lock(&self.state).threads -= 1;
            assert!(!last, "cannot start a thread for blocking calls: {error}");
        }
        Ok(())
    }

    fn work(&self) {
        affinity::unpin();
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = lock(&self.state);
                continue;
            }
            state.idle += 1;
            let (woken, timeout) = self
                .work
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

/// Nothing here is left half done by a panic: jobs run outside the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
