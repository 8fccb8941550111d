//! The reading end of a stream.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use corelane_channel::Receiver;

use super::{FINISHED, OPEN, Shared, StreamStats, Truncated};

/// The reading end. Dropping it ends the stream; the sink is told at its next look.
pub struct Source<T> {
    /// `None` once it is ending.
    lane: Option<Receiver<T>>,
    shared: Arc<Shared>,
    waits: u64,
    /// Credits since the sink was last told.
    owed: usize,
}

impl<T> Source<T> {
    pub(super) fn new(lane: Receiver<T>, shared: Arc<Shared>) -> Self {
        Self {
            lane: Some(lane),
            shared,
            waits: 0,
            owed: 0,
        }
    }

    /// Waits for the next value; `Ok(None)` after the last of a stream that was finished. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// [`Truncated`] after the last value of one that was not.
    pub async fn recv(&mut self) -> Result<Option<T>, Truncated> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Self::recv), for whoever writes a future by hand.
    pub fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Result<Option<T>, Truncated>> {
        if let Some(found) = self.look(Self::try_recv) {
            return Poll::Ready(found);
        }
        self.shared.source.announce(cx);
        if let Some(found) = self.look(Self::try_recv) {
            self.shared.source.flag.retract();
            return Poll::Ready(found);
        }
        self.waits += 1;
        Poll::Pending
    }

    /// Waits for values and hands up to `max` of them to `take`, oldest first; how many there were. 0 means that the
    /// stream was finished (or that `max` is 0).
    ///
    /// # Errors
    /// [`Truncated`] after the last value of a stream that was not finished.
    pub async fn recv_batch(
        &mut self,
        max: usize,
        mut take: impl FnMut(T),
    ) -> Result<usize, Truncated> {
        if max == 0 {
            return Ok(0);
        }
        poll_fn(|cx| {
            for announced in [false, true] {
                if announced {
                    self.shared.source.announce(cx);
                }
                let found = self.look(|source| match source.take_batch(max, &mut take) {
                    0 => None,
                    taken => Some(taken),
                });
                if let Some(found) = found {
                    self.shared.source.flag.retract();
                    return Poll::Ready(found.map(Option::unwrap_or_default));
                }
            }
            self.waits += 1;
            Poll::Pending
        })
        .await
    }

    /// The next value, if it is there.
    pub fn try_recv(&mut self) -> Option<T> {
        let value = self.lane_mut().pop()?;
        self.give_credits(1);
        Some(value)
    }

    /// What this end has counted.
    #[must_use]
    pub fn stats(&self) -> StreamStats {
        let counted = self
            .lane
            .as_ref()
            .map(Receiver::counters)
            .unwrap_or_default();
        StreamStats {
            values: counted.received,
            waits: self.waits,
            ..StreamStats::default()
        }
    }

    fn take_batch(&mut self, max: usize, take: impl FnMut(T)) -> usize {
        let taken = self.lane_mut().pop_batch(max, take);
        if taken > 0 {
            self.give_credits(taken);
        }
        taken
    }

    /// What `take` finds, or that there will be nothing more.
    fn look<R>(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Option<R>,
    ) -> Option<Result<Option<R>, Truncated>> {
        // In this order: what was sent before the sink ended is visible once the end is.
        let ended = self.shared.ended.load(Ordering::Acquire);
        if let Some(found) = take(self) {
            return Some(Ok(Some(found)));
        }
        match ended {
            OPEN => None,
            FINISHED => Some(Ok(None)),
            _ => Some(Err(Truncated)),
        }
    }

    /// Tells a waiting sink, when there is half a lane of credits or nothing left to read: it waits only where the
    /// lane is full, so that one of the two is to come, and then has more to do than one value.
    fn give_credits(&mut self, credits: usize) {
        self.owed += credits;
        let enough = self.lane_mut().capacity().div_ceil(2);
        if self.owed >= enough || self.lane_mut().is_empty() {
            self.owed = 0;
            self.shared.sink.wake();
        }
    }

    fn lane_mut(&mut self) -> &mut Receiver<T> {
        self.lane.as_mut().expect("only its drop takes the lane")
    }
}

impl<T> Drop for Source<T> {
    fn drop(&mut self) {
        if let Some(mut lane) = self.lane.take() {
            // Nobody reads them any more; what comes at this moment goes with the sink.
            lane.pop_batch(usize::MAX, drop);
        }
        self.shared.sink.wake();
    }
}

impl<T> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
