//! The writing end of a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use corelane_channel::{PushError, Sender};

use super::{FINISHED, SINK_DROPPED, Shared, SinkError, StreamStats};

/// The writing end. Dropped without [`finish`](Self::finish), it cuts the stream off, which the reader is told.
pub struct Sink<T> {
    /// `None` once it is ending.
    lane: Option<Sender<T>>,
    shared: Arc<Shared>,
    waits: u64,
}

impl<T> Sink<T> {
    pub(super) fn new(lane: Sender<T>, shared: Arc<Shared>) -> Self {
        Self {
            lane: Some(lane),
            shared,
            waits: 0,
        }
    }

    /// Waits for credit and sends `value`. Dropping the future before that drops the value; where that must not be,
    /// wait with [`ready`](Self::ready) and use [`try_send`](Self::try_send).
    ///
    /// # Errors
    /// [`SinkError::SourceGone`], with the value.
    pub async fn send(&mut self, value: T) -> Result<(), SinkError<T>> {
        match self.ready().await {
            Ok(()) => self.try_send(value),
            Err(_) => Err(SinkError::SourceGone(value)),
        }
    }

    /// Sends `value` if there is credit.
    ///
    /// # Errors
    /// [`SinkError`], with the value; counted.
    pub fn try_send(&mut self, value: T) -> Result<(), SinkError<T>> {
        self.lane_mut()
            .push(value)
            .map_err(|refused| match refused {
                PushError::Full(value) => SinkError::NoCredit(value),
                PushError::Closed(value) => SinkError::SourceGone(value),
            })?;
        self.shared.source.wake();
        Ok(())
    }

    /// Sends from the front of `values` for as long as there is credit, with one wake for all; waits until there is
    /// some. Returns how many were sent: at least one, unless `values` was empty. What is left stays in `values`, also
    /// where the future is dropped.
    ///
    /// # Errors
    /// [`SinkError::SourceGone`]; `values` is as it was.
    pub async fn send_batch(&mut self, values: &mut VecDeque<T>) -> Result<usize, SinkError<()>> {
        if values.is_empty() {
            return Ok(0);
        }
        self.ready().await?;
        let sent = self.lane_mut().push_batch(values);
        self.shared.source.wake();
        Ok(sent)
    }

    /// Waits for credit, which then stays: nobody else sends.
    ///
    /// # Errors
    /// [`SinkError::SourceGone`].
    pub async fn ready(&mut self) -> Result<(), SinkError<()>> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// As [`ready`](Self::ready), for whoever writes a future by hand.
    pub fn poll_ready(&mut self, cx: &Context<'_>) -> Poll<Result<(), SinkError<()>>> {
        if let Some(ready) = self.look() {
            return Poll::Ready(ready);
        }
        self.shared.sink.announce(cx);
        if let Some(ready) = self.look() {
            self.shared.sink.flag.retract();
            return Poll::Ready(ready);
        }
        self.waits += 1;
        Poll::Pending
    }

    /// Ends the stream as a whole one.
    pub fn finish(mut self) {
        self.end(FINISHED);
    }

    /// Values that may be sent without waiting.
    #[must_use]
    pub fn credits(&self) -> usize {
        self.lane().free()
    }

    /// Whether the reader has left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lane().is_closed()
    }

    /// What this end has counted.
    #[must_use]
    pub fn stats(&self) -> StreamStats {
        let counted = self.lane().counters();
        StreamStats {
            values: counted.sent,
            waits: self.waits,
            refused_full: counted.refused_full,
            refused_closed: counted.refused_closed,
        }
    }

    fn look(&self) -> Option<Result<(), SinkError<()>>> {
        if self.is_closed() {
            return Some(Err(SinkError::SourceGone(())));
        }
        (self.credits() > 0).then_some(Ok(()))
    }

    fn end(&mut self, how: u8) {
        if let Some(lane) = self.lane.take() {
            self.shared.ended.store(how, Ordering::Release);
            drop(lane);
            self.shared.source.wake();
        }
    }

    fn lane(&self) -> &Sender<T> {
        self.lane.as_ref().expect("only an end takes the lane")
    }

    fn lane_mut(&mut self) -> &mut Sender<T> {
        self.lane.as_mut().expect("only an end takes the lane")
    }
}

impl<T> Drop for Sink<T> {
    fn drop(&mut self) {
        self.end(SINK_DROPPED);
    }
}

impl<T> fmt::Debug for Sink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
