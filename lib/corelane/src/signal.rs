//! Something that happens once on a shard and that any number of its tasks wait for: "stop was
//! asked", "the node has ended".

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Fires once; waiting after that does not wait. For the tasks of one shard.
#[derive(Default)]
pub(crate) struct Signal {
    fired: Cell<bool>,
    next_ticket: Cell<u64>,
    waiting: RefCell<BTreeMap<u64, Waker>>,
}

impl Signal {
    /// Wakes everybody who waits, now and in the order in which they began to.
    pub(crate) fn fire(&self) {
        self.fired.set(true);
        // Taken out first: a waker may run code that looks at this signal.
        let waiting = self.waiting.take();
        waiting.into_values().for_each(Waker::wake);
    }

    /// Whether it has fired.
    pub(crate) fn is_fired(&self) -> bool {
        self.fired.get()
    }

    /// Resolves once the signal has fired.
    pub(crate) fn wait(self: &Rc<Self>) -> Fired {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket + 1);
        Fired {
            signal: self.clone(),
            ticket,
        }
    }
}

/// The future of [`Signal::wait`]. Leaves nothing behind when dropped.
pub(crate) struct Fired {
    signal: Rc<Signal>,
    ticket: u64,
}

impl Future for Fired {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.signal.fired.get() {
            return Poll::Ready(());
        }
        let mut waiting = self.signal.waiting.borrow_mut();
        let waker = waiting.entry(self.ticket);
        waker
            .and_modify(|old| old.clone_from(cx.waker()))
            .or_insert_with(|| cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Fired {
    fn drop(&mut self) {
        // Dropped after the borrow ends: the last waker of a task may run that task's drops.
        let waker = self.signal.waiting.borrow_mut().remove(&self.ticket);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Waker};

    use super::Signal;

    #[test]
    fn fires_for_those_who_wait_and_those_who_come_later() {
        let signal = Rc::new(Signal::default());
        let mut cx = Context::from_waker(Waker::noop());
        let mut early = pin!(signal.wait());
        assert!(early.as_mut().poll(&mut cx).is_pending());
        assert!(early.as_mut().poll(&mut cx).is_pending());
        drop(signal.wait());
        assert_eq!(signal.waiting.borrow().len(), 1, "one entry per waiter");
        signal.fire();
        assert!(early.poll(&mut cx).is_ready());
        assert!(pin!(signal.wait()).poll(&mut cx).is_ready());
        assert!(signal.waiting.borrow().is_empty());
    }
}
