//! What waits for one shard from outside: a lock-free ring, and behind it a line for what does not fit.
//!
//! The ring takes nearly everything. When it is full, callers line up under a lock, and as long as anybody
//! stands in line nobody enters the ring: what one thread sends stays in order. The shard empties the ring
//! first and the line after it.

use std::collections::VecDeque;
use std::future::poll_fn;

use super::atomics::{AtomicU64, Ordering};
use super::queue::{Put, Queue};
use super::room::Room;
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
    queue: Queue<Entry<S>>,
    room: Room,
    /// Times a request stood in line, was held, was refused, and was dropped at the end.
    waited: AtomicU64,
    held: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
}

/// What an inbox has counted, and how full it is at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxStats {
    /// Requests that wait now.
    pub depth: usize,
    /// Requests that found the ring full and stood in line.
    pub waited: u64,
    /// Requests that were held because their partition was moving away from this shard.
    pub held: u64,
    /// Requests that found the line full, too, or as many held as may be, and were refused.
    pub refused: u64,
    /// Requests that waited when the node ended, and were dropped.
    pub lost: u64,
}

impl<S: Service> Default for Inbox<S> {
    fn default() -> Self {
        Self {
            queue: Queue::new(RING, LINE),
            room: Room::new(),
            waited: AtomicU64::new(0),
            held: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }
}

/// The senders' side.
impl<S: Service> Inbox<S> {
    /// Takes a request, or gives it back when ring and line are full.
    pub(crate) fn push(&self, entry: Entry<S>) -> Result<(), Entry<S>> {
        match self.queue.push(entry) {
            Ok(Put::Ring) => Ok(()),
            Ok(Put::Line) => {
                self.waited.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(entry) => {
                self.count_refused();
                Err(entry)
            }
        }
    }

    /// Puts requests that were taken before into the line, beyond its bound if need be.
    pub(crate) fn line_up(&self, entries: VecDeque<Entry<S>>) {
        self.queue.line_up(entries);
    }

    /// Resolves when there is room, at this moment.
    pub(crate) async fn room(&self) {
        poll_fn(|cx| self.room.poll(cx, || self.queue.has_room())).await;
    }

    pub(crate) fn count_held(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    #[cold]
    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> InboxStats {
        InboxStats {
            depth: self.queue.len(),
            waited: self.waited.load(Ordering::Relaxed),
            held: self.held.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }
}

/// The shard's side.
impl<S: Service> Inbox<S> {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Moves up to `max` requests into `to`, oldest first.
    pub(crate) fn take(&self, max: usize, to: &mut VecDeque<Entry<S>>) {
        self.queue.take(max, to);
        self.room.made(|| self.queue.has_room());
    }

    /// Drops everything. For the end of the node, by any thread.
    pub(crate) fn clear(&self) {
        let lost = self.queue.clear();
        self.lost.fetch_add(lost as u64, Ordering::Relaxed);
        self.room.wake();
    }
}
