//! A bounded lock-free ring with a line behind it, for many senders and one taker: what one sender puts in comes out
//! in its order, ring full or not. Apart from the inbox because a model checker runs it over a ring, locks and
//! atomics of its own.

use std::collections::VecDeque;

use corelane_channel::CacheLine;

use super::atomics::{AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError, Ring};

/// The ring, and the line.
pub(super) struct Queue<T> {
    ring: Ring<T>,
    /// How many stand in line; changes under the line's lock.
    lined: CacheLine<AtomicUsize>,
    line: Mutex<VecDeque<T>>,
    /// How many may.
    line_bound: usize,
}

/// Where something went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Ring,
    Line,
}

/// The senders' side.
impl<T> Queue<T> {
    pub(super) fn new(ring: usize, line_bound: usize) -> Self {
        Self {
            ring: Ring::new(ring),
            lined: CacheLine(AtomicUsize::new(0)),
            line: Mutex::new(VecDeque::new()),
            line_bound,
        }
    }

    /// Takes an item, or gives it back when ring and line are full.
    pub(super) fn push(&self, item: T) -> Result<Put, T> {
        // As long as anybody stands in line nobody enters the ring.
        if self.lined.load(Ordering::Acquire) > 0 {
            return self.wait_in_line(item);
        }
        match self.ring.push(item) {
            Ok(()) => Ok(Put::Ring),
            Err(item) => self.wait_in_line(item),
        }
    }

    #[cold]
    fn wait_in_line(&self, item: T) -> Result<Put, T> {
        let mut line = lock(&self.line);
        if line.len() >= self.line_bound {
            return Err(item);
        }
        line.push_back(item);
        self.lined.store(line.len(), Ordering::Release);
        Ok(Put::Line)
    }

    /// Puts items that were taken before into the line, beyond its bound if need be.
    pub(super) fn line_up(&self, items: VecDeque<T>) {
        if items.is_empty() {
            return;
        }
        let mut line = lock(&self.line);
        line.extend(items);
        self.lined.store(line.len(), Ordering::Release);
    }

    /// Whether the ring has room and nobody stands in line.
    pub(super) fn has_room(&self) -> bool {
        self.lined.load(Ordering::Acquire) == 0 && !self.ring.is_full()
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len() + self.lined.load(Ordering::Relaxed)
    }
}

/// The taker's side.
impl<T> Queue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty() && self.lined.load(Ordering::Acquire) == 0
    }

    /// Moves up to `max` items into `to`, each sender's oldest first.
    pub(super) fn take(&self, max: usize, to: &mut VecDeque<T>) {
        self.take_from_ring(max, to);
        if self.lined.load(Ordering::Acquire) == 0 || to.len() == max {
            return;
        }
        let mut line = lock(&self.line);
        // Again, with the line held: a sender that found no line may have entered the ring since, and stand in line
        // with what came after. Whoever stands there now has put all that came before into the ring.
        self.take_from_ring(max, to);
        let taken = line.len().min(max - to.len());
        to.extend(line.drain(..taken));
        self.lined.store(line.len(), Ordering::Release);
    }

    fn take_from_ring(&self, max: usize, to: &mut VecDeque<T>) {
        while to.len() < max {
            let Some(item) = self.ring.pop() else { break };
            to.push_back(item);
        }
    }

    /// Drops everything; how much there was. By any thread.
    pub(super) fn clear(&self) -> usize {
        let mut cleared = 0;
        while let Some(item) = self.ring.pop() {
            drop(item);
            cleared += 1;
        }
        let mut line = lock(&self.line);
        let items = std::mem::take(&mut *line);
        self.lined.store(0, Ordering::Release);
        drop(line);
        cleared + items.len()
    }
}

/// Nothing here is left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
