//! How full each worker's mailbox is, as senders, the worker and whoever stops the pool see it.
//!
//! A message is **charged** to its worker before it is on its way, and **gone** when it has been handled or given up,
//! or when it came back. What has been charged and is not gone waits somewhere. All counts only
//! grow, so that two readings, first of what is gone and then of what was charged, prove that nothing waited in
//! between if they are equal: a pool that stops knows when it has handled everything.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use corelane_channel::CacheLine;

use super::{SendRefusal, WorkerStats, WorkerStatus};

/// Who may send to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Gate {
    /// Everybody.
    Open,
    /// The workers of the pool, which handle what is left.
    Draining,
    /// Nobody.
    Closed,
}

/// One worker's.
pub(super) struct Gauge {
    senders: CacheLine<Senders>,
    worker: CacheLine<Counts>,
    /// Somebody waits for room.
    wanted: CacheLine<AtomicBool>,
    waiting: Mutex<Vec<Waker>>,
    /// Messages that may wait.
    queue: u64,
}

/// Written by senders.
#[derive(Default)]
struct Senders {
    charged: AtomicU64,
    /// Gone without having been handled here: not sent after all, or moved to another worker.
    returned: AtomicU64,
    refused: AtomicU64,
    gate: AtomicU8,
}

/// Written by the worker alone.
#[derive(Default)]
pub(super) struct Counts {
    /// Handled or given up.
    done: AtomicU64,
    pub(super) handled: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) dead_letters: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) batches: AtomicU64,
    /// States made.
    pub(super) starts: AtomicU64,
    status: AtomicU8,
}

/// Adds to a counter that has one writer.
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

impl Gauge {
    pub(super) fn new(queue: usize) -> Self {
        Self {
            senders: CacheLine::default(),
            worker: CacheLine::default(),
            wanted: CacheLine::default(),
            waiting: Mutex::default(),
            queue: queue as u64,
        }
    }

    /// What the worker counts.
    pub(super) fn counts(&self) -> &Counts {
        &self.worker.0
    }
}

/// The senders' side.
impl Gauge {
    /// Charges up to `want` messages, at least one; how many.
    pub(super) fn charge(&self, want: u64, inside: bool) -> Result<u64, SendRefusal> {
        let senders = &self.senders.0;
        let before = senders.charged.fetch_add(want, Ordering::SeqCst);
        let open = match self.gate() {
            Gate::Open => true,
            Gate::Draining => inside,
            Gate::Closed => false,
        };
        let waiting = before.saturating_sub(self.gone());
        let room = if open {
            self.queue.saturating_sub(waiting)
        } else {
            0
        };
        let charged = want.min(room);
        if charged < want {
            self.give_back(want - charged);
        }
        match charged {
            0 if !open => Err(SendRefusal::Stopped),
            0 => {
                senders.refused.fetch_add(1, Ordering::Relaxed);
                Err(SendRefusal::Full)
            }
            _ => Ok(charged),
        }
    }

    /// Charges messages that are there already, whatever room there is.
    pub(super) fn take_over(&self, messages: u64) {
        self.senders.0.charged.fetch_add(messages, Ordering::SeqCst);
    }

    /// Messages that were charged did not go in, or have left for another worker.
    pub(super) fn give_back(&self, messages: u64) {
        self.senders
            .0
            .returned
            .fetch_add(messages, Ordering::SeqCst);
        self.wake_waiting();
    }

    /// Whether there is room for a message, or never will be.
    pub(super) fn is_worth_a_try(&self) -> bool {
        self.gate() == Gate::Closed || self.waiting() < self.queue
    }

    /// Has `waker` woken when it is worth a try; false if it is at this moment.
    pub(super) fn wait(&self, waker: &Waker) -> bool {
        lock(&self.waiting).push(waker.clone());
        self.wanted.0.store(true, Ordering::Relaxed);
        // Against the fence in `wake_waiting`: either that sees the wish, or this sees the room.
        fence(Ordering::SeqCst);
        !self.is_worth_a_try()
    }
}

/// The worker's side.
impl Gauge {
    /// So many are done: handled or given up.
    pub(super) fn finish(&self, messages: u64) {
        let done = &self.worker.0.done;
        done.store(done.load(Ordering::Relaxed) + messages, Ordering::Release);
        self.wake_waiting();
    }

    pub(super) fn set_gate(&self, gate: Gate) {
        self.senders.0.gate.store(gate as u8, Ordering::SeqCst);
        if gate == Gate::Closed {
            self.wake_waiting();
        }
    }

    pub(super) fn set_status(&self, status: WorkerStatus) {
        self.worker.0.status.store(status as u8, Ordering::Release);
    }
}

/// For everybody.
impl Gauge {
    pub(super) fn gate(&self) -> Gate {
        match self.senders.0.gate.load(Ordering::SeqCst) {
            0 => Gate::Open,
            1 => Gate::Draining,
            _ => Gate::Closed,
        }
    }

    /// Messages that have been charged so far.
    pub(super) fn charged(&self) -> u64 {
        self.senders.0.charged.load(Ordering::SeqCst)
    }

    /// Messages that are gone.
    pub(super) fn gone(&self) -> u64 {
        let returned = self.senders.0.returned.load(Ordering::Acquire);
        self.worker.0.done.load(Ordering::Acquire) + returned
    }

    /// Messages that wait, at about this moment.
    pub(super) fn waiting(&self) -> u64 {
        let gone = self.gone();
        self.charged().saturating_sub(gone)
    }

    pub(super) fn stats(&self) -> WorkerStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (senders, counts) = (&self.senders.0, &self.worker.0);
        WorkerStats {
            status: WorkerStatus::from_u8(counts.status.load(Ordering::Acquire)),
            waiting: self.waiting(),
            handled: read(&counts.handled),
            failed: read(&counts.failed),
            retried: read(&counts.retried),
            dropped: read(&counts.dropped),
            dead_letters: read(&counts.dead_letters),
            refused: read(&senders.refused),
            panics: read(&counts.panics),
            restarts: read(&counts.starts).saturating_sub(1),
            batches: read(&counts.batches),
        }
    }

    fn wake_waiting(&self) {
        fence(Ordering::SeqCst);
        if self.wanted.0.load(Ordering::Relaxed) && self.is_worth_a_try() {
            self.wanted.0.store(false, Ordering::Relaxed);
            let waiting = std::mem::take(&mut *lock(&self.waiting));
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

/// A push or a removal is all that happens under this lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Gate, Gauge, SendRefusal};

    #[test]
    fn a_charge_is_bounded_by_the_room_and_by_the_gate() {
        let gauge = Gauge::new(10);
        assert_eq!(gauge.charge(4, false), Ok(4));
        assert_eq!(gauge.charge(8, false), Ok(6), "as far as there is room");
        assert_eq!(gauge.charge(1, false), Err(SendRefusal::Full));
        gauge.finish(2);
        assert_eq!(gauge.charge(3, false), Ok(2));
        gauge.finish(10);
        gauge.set_gate(Gate::Draining);
        assert_eq!(gauge.charge(1, false), Err(SendRefusal::Stopped));
        assert_eq!(gauge.charge(1, true), Ok(1), "workers go on");
        gauge.set_gate(Gate::Closed);
        assert_eq!(gauge.charge(1, true), Err(SendRefusal::Stopped));
        assert_eq!((gauge.waiting(), gauge.stats().refused), (1, 1));
    }
}
