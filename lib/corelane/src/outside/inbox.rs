//! What waits for one shard from outside: a lock-free ring, and behind it a line for what does not fit.
//!
//! The ring takes nearly everything. When it is full, callers line up under a lock, and as long as anybody
//! stands in line nobody enters the ring: what one thread sends stays in order. The shard empties the ring
//! first and the line after it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use corelane_channel::CacheLine;
use crossbeam_queue::ArrayQueue;

use crate::Service;
use crate::mesh::{Asked, Shot};

/// Requests that the ring of one shard holds.
const RING: usize = 4096;

/// Requests that stand in line behind a full ring; more are refused.
const LINE: usize = 16_384;

/// A request from outside.
pub(crate) struct Entry<S: Service> {
    pub(crate) asked: Asked<S>,
    /// Who waits for the answer, if anybody does.
    pub(crate) shot: Option<Shot<S>>,
}

impl<S: Service> Entry<S> {
    pub(crate) fn part(self) -> (Option<Shot<S>>, Asked<S>) {
        (self.shot, self.asked)
    }
}

/// One shard's inbox.
pub(crate) struct Inbox<S: Service> {
    ring: ArrayQueue<Entry<S>>,
    /// How many stand in line; changes under the line's lock.
    lined: CacheLine<AtomicUsize>,
    line: Mutex<VecDeque<Entry<S>>>,
    /// Somebody waits for room.
    wanted: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
    /// Times a request stood in line, and times one was refused.
    waited: AtomicU64,
    refused: AtomicU64,
}

/// What an inbox has counted, and how full it is at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxStats {
    /// Requests that wait now.
    pub depth: usize,
    /// Requests that found the ring full and stood in line.
    pub waited: u64,
    /// Requests that found the line full, too, and were refused.
    pub refused: u64,
}

impl<S: Service> Default for Inbox<S> {
    fn default() -> Self {
        Self {
            ring: ArrayQueue::new(RING),
            lined: CacheLine::default(),
            line: Mutex::default(),
            wanted: AtomicBool::new(false),
            waiting: Mutex::default(),
            waited: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }
}

/// The senders' side.
impl<S: Service> Inbox<S> {
    /// Takes a request, or gives it back when ring and line are full.
    pub(crate) fn push(&self, entry: Entry<S>) -> Result<(), Entry<S>> {
        if self.lined.load(Ordering::Acquire) > 0 {
            return self.wait_in_line(entry);
        }
        match self.ring.push(entry) {
            Ok(()) => Ok(()),
            Err(entry) => self.wait_in_line(entry),
        }
    }

    #[cold]
    fn wait_in_line(&self, entry: Entry<S>) -> Result<(), Entry<S>> {
        let mut line = lock(&self.line);
        if line.len() >= LINE {
            drop(line);
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(entry);
        }
        line.push_back(entry);
        self.lined.store(line.len(), Ordering::Release);
        drop(line);
        self.waited.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Puts requests that were taken before into the line, beyond its bound if need be.
    pub(crate) fn line_up(&self, entries: VecDeque<Entry<S>>) {
        if entries.is_empty() {
            return;
        }
        let mut line = lock(&self.line);
        line.extend(entries);
        self.lined.store(line.len(), Ordering::Release);
    }

    /// Whether the ring has room and nobody stands in line.
    pub(crate) fn has_room(&self) -> bool {
        self.lined.load(Ordering::Acquire) == 0 && !self.ring.is_full()
    }

    /// Resolves when there is room, at this moment.
    pub(crate) async fn room(&self) {
        poll_fn(|cx| {
            if self.has_room() {
                return Poll::Ready(());
            }
            lock(&self.waiting).push(cx.waker().clone());
            self.wanted.store(true, Ordering::Relaxed);
            // Against the fence in `take`: either the shard sees the wish, or this sees the room.
            fence(Ordering::SeqCst);
            match self.has_room() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    pub(crate) fn stats(&self) -> InboxStats {
        InboxStats {
            depth: self.ring.len() + self.lined.load(Ordering::Relaxed),
            waited: self.waited.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// The shard's side.
impl<S: Service> Inbox<S> {
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty() && self.lined.load(Ordering::Acquire) == 0
    }

    /// Moves up to `max` requests into `to`, oldest first.
    pub(crate) fn take(&self, max: usize, to: &mut VecDeque<Entry<S>>) {
        // Read before the ring is emptied: what stands in line came after all that its senders have in the ring.
        let lined = self.lined.load(Ordering::Acquire);
        while to.len() < max {
            let Some(entry) = self.ring.pop() else { break };
            to.push_back(entry);
        }
        if lined > 0 && to.len() < max {
            let mut line = lock(&self.line);
            let taken = line.len().min(max - to.len());
            to.extend(line.drain(..taken));
            self.lined.store(line.len(), Ordering::Release);
        }
        fence(Ordering::SeqCst);
        if self.wanted.load(Ordering::Relaxed) && self.has_room() {
            self.wake_waiting();
        }
    }

    /// Drops everything. For the end of the node, by any thread.
    pub(crate) fn clear(&self) {
        while let Some(entry) = self.ring.pop() {
            drop(entry);
        }
        let mut line = lock(&self.line);
        let entries = std::mem::take(&mut *line);
        self.lined.store(0, Ordering::Release);
        drop(line);
        drop(entries);
        self.wake_waiting();
    }

    #[cold]
    fn wake_waiting(&self) {
        self.wanted.store(false, Ordering::Relaxed);
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Nothing here is left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
