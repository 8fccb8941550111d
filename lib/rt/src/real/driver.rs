//! The thread's compio `Proactor`: how it is built, polled, and kept from filling up.

use std::cell::{Cell, RefCell};
use std::io;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use compio_driver::{
    BufferPool, Cancel, DriverType, Key, OpCode, Proactor, ProactorBuilder, PushEntry,
};

use crate::options::{Backend, IoBackend, RuntimeOptions};
use crate::stats::{Counters, bump};

/// Entries of the submission queue.
const QUEUE_ENTRIES: u32 = 1024;

/// Submissions after which the queue is flushed without waiting for the turn's end. The rest stays free for
/// cancellations, which the driver drops when the queue is full.
const FLUSH_AT: u32 = QUEUE_ENTRIES / 2;

pub(crate) struct RealDriver {
    proactor: RefCell<Proactor>,
    pool: BufferPool,
    buffer_bytes: usize,
    backend: Backend,
    /// Pushed since the kernel last took submissions.
    unsubmitted: Cell<u32>,
    /// A flush found that somebody rang: the next wait must not sleep.
    notified: Cell<bool>,
    /// Receives to stop, because what they brought is not being read.
    paused: Rc<RefCell<Vec<Cancel>>>,
    /// Tells the driver that it is awake, so that a look does not become a wait.
    awake: Waker,
    pub(crate) counters: Arc<Counters>,
}

impl RealDriver {
    pub(crate) fn new(options: &RuntimeOptions, counters: Arc<Counters>) -> io::Result<Self> {
        let mut proactor = build(options)?;
        let backend = match proactor.driver_type() {
            DriverType::IoUring => Backend::IoUring,
            _ => Backend::Polling,
        };
        let pool = proactor.buffer_pool().map_err(|error| {
            let text = format!(
                "cannot set up {} receive buffers of {} bytes: {error}",
                options.buffers.count, options.buffers.bytes
            );
            io::Error::new(error.kind(), text)
        })?;
        Ok(RealDriver {
            awake: proactor.waker(),
            proactor: RefCell::new(proactor),
            pool,
            buffer_bytes: options.buffers.bytes,
            backend,
            unsubmitted: Cell::new(0),
            notified: Cell::new(false),
            paused: Rc::default(),
            counters,
        })
    }

    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    pub(crate) fn is_uring(&self) -> bool {
        self.backend == Backend::IoUring
    }

    pub(crate) fn waker(&self) -> Waker {
        self.proactor.borrow().waker()
    }

    pub(crate) fn pool(&self) -> &BufferPool {
        &self.pool
    }

    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    pub(crate) fn paused(&self) -> &Rc<RefCell<Vec<Cancel>>> {
        &self.paused
    }

    /// Whether something waits to be submitted.
    pub(crate) fn has_unsubmitted(&self) -> bool {
        self.unsubmitted.get() > 0
    }

    /// Submits what was pushed, waits at most `timeout` (for ever if `None`) for a completion, and hands
    /// out what has completed.
    ///
    /// # Panics
    ///
    /// If the kernel refuses: nothing on this thread could go on.
    pub(crate) fn poll(&self, timeout: Option<Duration>) {
        let notified = self.notified.take();
        let timeout = if notified {
            Some(Duration::ZERO)
        } else {
            timeout
        };
        self.unsubmitted.set(0);
        bump(&self.counters.enters);
        if timeout == Some(Duration::ZERO) && self.is_uring() {
            // Else the kernel arms a timer and gives the CPU away even for no time at all: 17 us and more.
            self.awake.wake_by_ref();
        }
        match self.proactor.borrow_mut().poll(timeout) {
            Ok(()) => {}
            Err(error) if is_no_event(&error) => {}
            Err(error) => panic!("waiting for input and output failed: {error}"),
        }
        self.stop_paused();
    }

    /// Hands an operation to the driver.
    pub(crate) fn push<T: OpCode + 'static>(
        &self,
        op: T,
    ) -> PushEntry<Key<T>, compio_buf::BufResult<usize, T>> {
        let mut proactor = self.proactor.borrow_mut();
        let pushed = proactor.push(op);
        self.count_submission(&mut proactor);
        pushed
    }

    /// Asks the kernel to end an operation. It ends in its own time; what it holds (buffer, descriptor) is
    /// freed then.
    pub(crate) fn cancel<T: OpCode>(&self, key: Key<T>) {
        let mut proactor = self.proactor.borrow_mut();
        drop(proactor.cancel(key));
        self.count_submission(&mut proactor);
    }

    /// Asks the kernel to end an operation whose result is still waited for. Asking twice asks once.
    pub(crate) fn stop<T: OpCode>(&self, key: &Key<T>) {
        let mut proactor = self.proactor.borrow_mut();
        let cancel = proactor.register_cancel(key);
        if proactor.cancel_token(cancel) {
            self.count_submission(&mut proactor);
        }
    }

    pub(crate) fn register_cancel<T: OpCode>(&self, key: &Key<T>) -> Cancel {
        self.proactor.borrow_mut().register_cancel(key)
    }

    /// Runs `f` on the driver; for taking results.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Proactor) -> R) -> R {
        f(&mut self.proactor.borrow_mut())
    }

    /// Submits now what was pushed.
    pub(crate) fn flush(&self) {
        self.flush_on(&mut self.proactor.borrow_mut());
    }

    fn count_submission(&self, proactor: &mut Proactor) {
        self.unsubmitted.set(self.unsubmitted.get() + 1);
        if self.unsubmitted.get() >= FLUSH_AT {
            self.flush_on(proactor);
        }
    }

    fn flush_on(&self, proactor: &mut Proactor) {
        bump(&self.counters.enters);
        self.unsubmitted.set(0);
        if proactor.flush() {
            self.notified.set(true);
        }
    }

    fn stop_paused(&self) {
        if self.paused.borrow().is_empty() {
            return;
        }
        let paused = std::mem::take(&mut *self.paused.borrow_mut());
        let mut proactor = self.proactor.borrow_mut();
        for cancel in paused {
            if proactor.cancel_token(cancel) {
                bump(&self.counters.recv_paused);
                self.count_submission(&mut proactor);
            }
        }
    }
}

fn build(options: &RuntimeOptions) -> io::Result<Proactor> {
    let count = NonZero::new(options.buffers.count).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "buffers.count must not be 0")
    })?;
    let mut builder = ProactorBuilder::new();
    builder
        .capacity(QUEUE_ENTRIES)
        .single_issuer(true)
        .defer_taskrun(true)
        .taskrun_flag(true)
        .buffer_pool_size(count)
        .buffer_pool_buffer_len(options.buffers.bytes);
    match options.io {
        IoBackend::Auto => {}
        IoBackend::Uring => {
            builder.driver_type(DriverType::IoUring);
        }
        IoBackend::Polling => {
            builder.driver_type(DriverType::Poll);
        }
    }
    builder.build().map_err(|error| {
        let text = match options.io {
            IoBackend::Polling => format!("cannot set up polling: {error}"),
            _ => format!(
                "cannot set up io_uring: {error} (the kernel or the container may deny it; \
                 the polling backend works without it)"
            ),
        };
        io::Error::new(error.kind(), text)
    })
}

/// The driver reports a wait that brought nothing as an error.
fn is_no_event(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
