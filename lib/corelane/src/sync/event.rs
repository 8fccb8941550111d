//! Something that is so or not, and tasks of a shard that wait until it is.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::wait_list::{Ticket, WaitList};

/// Set or not; waiting ends when it is set. Clones are the same event.
///
/// ```
/// use corelane::sync::Event;
///
/// let loaded = Event::new();
/// assert!(!loaded.is_set());
/// loaded.set();
/// // In a task: `loaded.wait().await`.
/// assert!(loaded.is_set());
/// ```
#[derive(Clone, Default)]
pub struct Event(Rc<Inner>);

#[derive(Default)]
struct Inner {
    set: Cell<bool>,
    waiting: WaitList,
}

impl Event {
    /// An event that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it: all who wait go on.
    pub fn set(&self) {
        self.0.set.set(true);
        self.0.waiting.wake_all();
    }

    /// Takes it back. Who was woken by [`set`](Self::set) and has not run yet waits on.
    pub fn reset(&self) {
        self.0.set.set(false);
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.set.get()
    }

    /// Waits until it is set; not at all if it is.
    pub fn wait(&self) -> WaitEvent {
        WaitEvent {
            ticket: self.0.waiting.ticket(),
            event: self.clone(),
        }
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .field("waiting", &self.0.waiting.len())
            .finish()
    }
}

/// The future of [`Event::wait`].
#[must_use = "a future waits only where it is awaited"]
#[derive(Debug)]
pub struct WaitEvent {
    event: Event,
    ticket: Ticket,
}

impl Future for WaitEvent {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.event.is_set() {
            return Poll::Ready(());
        }
        self.event.0.waiting.park(self.ticket, cx);
        Poll::Pending
    }
}

impl Drop for WaitEvent {
    fn drop(&mut self) {
        self.event.0.waiting.leave(self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::sync::testing::counting;

    #[test]
    fn it_wakes_all_and_stays_until_it_is_taken_back() {
        let (waker, woken) = counting();
        let mut cx = Context::from_waker(&waker);
        let event = Event::new();
        let mut waits = [pin!(event.wait()), pin!(event.wait())];
        for wait in &mut waits {
            assert!(wait.as_mut().poll(&mut cx).is_pending());
        }
        drop(event.wait());
        event.set();
        assert_eq!((woken.count(), event.is_set()), (2, true));
        let [mut first, mut late] = waits;
        assert!(first.as_mut().poll(&mut cx).is_ready());
        event.reset();
        assert!(late.as_mut().poll(&mut cx).is_pending(), "it came too late");
        event.set();
        assert!(late.as_mut().poll(&mut cx).is_ready());
        assert_eq!(event.0.waiting.len(), 0);
    }
}
