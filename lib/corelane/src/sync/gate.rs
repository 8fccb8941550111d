//! A gate: work enters while it is open, and who closes it waits until all work has left. How a component that its
//! tasks refer to is shut down (Seastar's `gate`).

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::wait_list::{Ticket, WaitList};

/// Open until it is closed, then closed for ever. Clones are the same gate.
///
/// ```
/// use corelane::sync::Gate;
/// use corelane::sim::{World, WorldOptions};
/// use corelane::task;
///
/// let world = World::new(1, WorldOptions::default());
/// let shard = world.shard(0, "shard");
/// world.block_on(shard, async {
///     let gate = Gate::new();
///     let inside = gate.enter().expect("it is open");
///     task::spawn(async move {
///         task::yield_now().await; // Work that the gate's owner must outlive.
///         drop(inside);
///     });
///     gate.close().await; // The task has left.
///     assert!(gate.enter().is_err());
/// })?;
/// # Ok::<(), corelane::sim::Stuck>(())
/// ```
#[derive(Clone, Default)]
pub struct Gate(Rc<Inner>);

#[derive(Default)]
struct Inner {
    closed: Cell<bool>,
    inside: Cell<usize>,
    entered: Cell<u64>,
    refused: Cell<u64>,
    closing: WaitList,
}

/// What a gate has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GateStats {
    /// Inside now.
    pub inside: usize,
    /// Entered so far.
    pub entered: u64,
    /// Refused, because it was closed.
    pub refused: u64,
}

/// The gate is closed: what it guards is being shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gate is closed: what it guards is being shut down")]
pub struct GateClosed;

impl Gate {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters; leaves when the hold is dropped.
    ///
    /// # Errors
    /// [`GateClosed`], counted.
    pub fn enter(&self) -> Result<Hold, GateClosed> {
        self.check()?;
        self.0.inside.set(self.0.inside.get() + 1);
        self.0.entered.set(self.0.entered.get() + 1);
        Ok(Hold(self.0.clone()))
    }

    /// Runs `work` inside. It is not ended by [`close`](Self::close), which waits for it: long work checks
    /// [`is_closed`](Self::is_closed), or a [`CancelToken`](super::CancelToken).
    ///
    /// # Errors
    /// [`GateClosed`], counted; then `work` has not begun.
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output, GateClosed> {
        let _inside = self.enter()?;
        Ok(work.await)
    }

    /// Refuses where the gate is closed, without entering.
    ///
    /// # Errors
    /// [`GateClosed`], counted.
    pub fn check(&self) -> Result<(), GateClosed> {
        if self.is_closed() {
            self.0.refused.set(self.0.refused.get() + 1);
            return Err(GateClosed);
        }
        Ok(())
    }

    /// Closes the gate, now, whether or not the future is awaited; awaiting it waits until all have left. Any number
    /// of tasks may do so. A task that awaits it inside the gate waits for itself, for ever.
    pub fn close(&self) -> Closing {
        self.0.closed.set(true);
        Closing {
            ticket: self.0.closing.ticket(),
            gate: self.clone(),
        }
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.get()
    }

    /// What it has counted.
    #[must_use]
    pub fn stats(&self) -> GateStats {
        GateStats {
            inside: self.0.inside.get(),
            entered: self.0.entered.get(),
            refused: self.0.refused.get(),
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("closed", &self.is_closed())
            .field("inside", &self.0.inside.get())
            .finish_non_exhaustive()
    }
}

/// Somebody inside a [`Gate`]; dropping it leaves.
#[must_use = "dropped at once, it leaves the gate at once"]
pub struct Hold(Rc<Inner>);

impl Drop for Hold {
    fn drop(&mut self) {
        let inside = self.0.inside.get() - 1;
        self.0.inside.set(inside);
        if inside == 0 && self.0.closed.get() {
            self.0.closing.wake_all();
        }
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hold")
    }
}

/// The future of [`Gate::close`].
#[derive(Debug)]
pub struct Closing {
    gate: Gate,
    ticket: Ticket,
}

impl Future for Closing {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gate.0.inside.get() == 0 {
            return Poll::Ready(());
        }
        self.gate.0.closing.park(self.ticket, cx);
        Poll::Pending
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.gate.0.closing.leave(self.ticket);
    }
}

#[cfg(test)]
mod tests;
