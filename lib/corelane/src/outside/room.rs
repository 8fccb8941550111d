//! Waiting for room, and being told of it: room in an inbox, or for a hold on the map. Apart from what has the room
//! because a model checker runs it over atomics of its own.

use std::task::{Context, Poll, Waker};

use super::atomics::{AtomicBool, Mutex, MutexGuard, Ordering, PoisonError, fence};

/// Who waits for room.
pub(super) struct Room {
    /// Somebody does: nearly always nobody, and then one look at this says so.
    wanted: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            wanted: AtomicBool::new(false),
            waiting: Mutex::new(Vec::new()),
        }
    }

    /// Ready when there is room; else the waker is called once there is.
    pub(super) fn poll(&self, cx: &Context<'_>, has_room: impl Fn() -> bool) -> Poll<()> {
        if has_room() {
            return Poll::Ready(());
        }
        self.waiting().push(cx.waker().clone());
        self.wanted.store(true, Ordering::Relaxed);
        // Against the fence in `made`: either the taker sees the wish, or this sees the room.
        fence(Ordering::SeqCst);
        match has_room() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Something was taken out, which may have made room.
    pub(super) fn made(&self, has_room: impl Fn() -> bool) {
        fence(Ordering::SeqCst);
        if self.wanted.load(Ordering::Relaxed) && has_room() {
            self.wake();
        }
    }

    /// Wakes all who wait.
    #[cold]
    pub(super) fn wake(&self) {
        self.wanted.store(false, Ordering::Relaxed);
        let waiting = std::mem::take(&mut *self.waiting());
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Nothing here is left half done by a panic.
    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
