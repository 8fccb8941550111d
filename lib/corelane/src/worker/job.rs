//! What a worker does: the trait that its author implements, and what one adds whose keys can move.

use std::time::Duration;

use super::{Batch, Envelope, Failed};
use crate::pool::WorkerCx;

/// What came of a message: the reply, or why there is none.
pub type Handled<W> = Result<<W as Worker>::Reply, Failed<<W as Worker>::Message>>;

/// Code with a state of its own and a mailbox in front of it.
///
/// The worker itself is its settings, made on the worker's thread and never changed; all that changes is in
/// the [`State`](Self::State), which never leaves that thread and need not be `Send`. The methods are
/// synchronous: while one runs, nothing else touches the state.
///
/// A panic in any of them ends the state. The message that caused it goes the way of
/// [`OnFailure`](super::OnFailure), the others stay in the mailbox, and [`init`](Self::init) makes another state, as
/// the pool's supervision has it.
pub trait Worker: Sized + 'static {
    /// How often [`tick`](Self::tick) runs. It wakes an idle worker; up to a second, which tells a resting
    /// worker from a wedged one.
    const TICK: Duration = Duration::from_secs(1);

    /// What the worker changes.
    type State: 'static;
    /// What it is sent.
    type Message: Send + 'static;
    /// What it answers to [`call`](crate::pool::PoolHandle::call); `()` where nobody asks.
    type Reply: Send + 'static;

    /// Makes the state: at the start, and after each panic. Messages wait until it is there.
    ///
    /// `cx` is the way to the other workers, to be kept in the state if it is needed.
    ///
    /// # Errors
    /// Why there is none. At the start it is the start's error, later it counts as a panic.
    fn init(&self, cx: WorkerCx<Self>) -> impl Future<Output = Result<Self::State, String>>;

    /// Handles one message.
    ///
    /// # Errors
    /// [`Failed`], for [`OnFailure`](super::OnFailure) to deal with; the state goes on.
    fn handle_message(
        &self,
        state: &mut Self::State,
        message: Envelope<Self::Message>,
    ) -> Handled<Self>;

    /// Handles what waits, or a part of it: one by one by [`handle_message`](Self::handle_message), unless the worker
    /// can do better with many at once.
    fn handle_batch(&self, state: &mut Self::State, batch: &mut Batch<'_, Self>) {
        while let Some(message) = batch.take() {
            let handled = self.handle_message(state, message);
            batch.done(handled);
        }
    }

    /// Runs every [`TICK`](Self::TICK), messages or not, also while the worker is paused.
    fn tick(&self, state: &mut Self::State) {
        let _ = state;
    }

    /// Runs once, after the last message, when the worker stops in peace.
    fn shutdown(&self, state: &mut Self::State) {
        let _ = state;
    }

    /// What a message is called in the log when it panics. It is asked before every message.
    #[must_use]
    fn label(message: &Self::Message) -> &'static str {
        let _ = message;
        ""
    }
}

/// A worker whose state can be taken apart by partition, so that its pool can grow and shrink: see
/// [`Handoff`](crate::Handoff), whose part it plays. Keys are placed by [`partition_of`](crate::partition_of).
pub trait Movable: Worker {
    /// A partition's state, or a part of it, on its way.
    type Parcel: Send + 'static;

    /// The next slice of a partition that is about to move, while messages for it are still handled;
    /// `None` when there is no more than what has changed since.
    fn export(&self, state: &mut Self::State, partition: usize) -> Option<Self::Parcel> {
        let _ = (state, partition);
        None
    }

    /// What is left of the partition. Messages that wait for it move along.
    fn hand_over(&self, state: &mut Self::State, partition: usize) -> Self::Parcel;

    /// Takes a parcel in.
    fn import(&self, state: &mut Self::State, partition: usize, parcel: Self::Parcel);

    /// The move was given up; see [`Handoff::abandon`](crate::Handoff::abandon).
    fn abandon(&self, state: &mut Self::State, partition: usize) {
        let _ = (state, partition);
    }
}
