//! Pieces of an answer from one shard to another, as many ahead of the reader as there are credits: for replies that are
//! too large, or too many, for one message.
//!
//! A credit is a free slot of the lane between the two ends ([`corelane_channel::lane`]). Who finds none waits by the
//! mesh's handshake ([`SleepFlag`]): leave the waker, announce, look again; the other side moves values, then asks
//! whether it is to wake. So a wake is one per sleep, not per value, and none is lost.

mod sink;
mod source;

use std::sync::atomic::AtomicU8;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use corelane_channel::{SleepFlag, lane};

pub use sink::Sink;
pub use source::Source;

/// Makes a stream that may be `credits` values ahead of its reader. The ends are `Send`: make it where the answer is
/// asked for and send the [`Sink`] along with the request.
///
/// ```
/// use corelane::sim::{World, WorldOptions};
/// use corelane::sync::stream;
///
/// let world = World::new(1, WorldOptions::default());
/// let (asker, owner) = (world.shard(0, "asker"), world.shard(1, "owner"));
/// let (mut sink, mut source) = stream::<u64>(4);
/// world.spawn_on(owner, async move {
///     for row in 0..100 {
///         sink.send(row).await.expect("the asker stays");
///     }
///     sink.finish();
/// });
/// let sum = world.block_on(asker, async move {
///     let mut sum = 0;
///     while let Some(row) = source.recv().await.expect("the owner finishes") {
///         sum += row;
///     }
///     sum
/// })?;
/// assert_eq!(sum, 4950);
/// # Ok::<(), corelane::sim::Stuck>(())
/// ```
///
/// # Panics
/// If `credits` is 0, or so many that they do not fit into the address space.
#[must_use]
pub fn stream<T>(credits: usize) -> (Sink<T>, Source<T>) {
    let (sender, receiver) = lane(credits);
    let shared = Arc::new(Shared::default());
    let sink = Sink::new(sender, shared.clone());
    let source = Source::new(receiver, shared);
    (sink, source)
}

/// What both ends see of each other, beside the lane.
#[derive(Default)]
struct Shared {
    sink: Sleeper,
    source: Sleeper,
    ended: AtomicU8,
}

/// Values of [`Shared::ended`].
const OPEN: u8 = 0;
const FINISHED: u8 = 1;
const SINK_DROPPED: u8 = 2;

/// One end that may wait.
#[derive(Default)]
struct Sleeper {
    flag: SleepFlag,
    waker: Mutex<Option<Waker>>,
}

impl Sleeper {
    /// Leaves the waker and announces. The caller looks once more afterwards.
    fn announce(&self, cx: &Context<'_>) {
        let old = self.waker().replace(cx.waker().clone());
        drop(old);
        self.flag.announce();
    }

    /// After a change that the other side may wait for.
    fn wake(&self) {
        if self.flag.claim_wake() {
            let waker = self.waker().take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn waker(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader is gone: nobody would ever read the value, which comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SinkError<T> {
    /// No credit now ([`Sink::try_send`] alone).
    #[error("no credit: the reader is behind")]
    NoCredit(T),
    /// The source was dropped: stop producing.
    #[error("the reader of the stream has left")]
    SourceGone(T),
}

impl<T> SinkError<T> {
    /// The value that was not taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::NoCredit(value) | Self::SourceGone(value) => value,
        }
    }
}

/// The sink was dropped before it said that it had finished: what was read is not the whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream was cut off: its writer left without finishing it")]
pub struct Truncated;

/// What one end has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Values that went through this end.
    pub values: u64,
    /// Times that this end had to wait: the sink for credit, the source for values.
    pub waits: u64,
    /// Values refused for want of credit ([`Sink::try_send`], and what [`Sink::send_batch`] left over).
    pub refused_full: u64,
    /// Values refused because the source was gone.
    pub refused_closed: u64,
}

#[cfg(test)]
mod tests;
