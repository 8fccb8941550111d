//! A bounded queue between two tasks of one shard: no atomics, one writer, one reader.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Makes a pipe that holds at most `capacity` values.
///
/// Both ends wait without holding values, so nothing is lost where a wait is dropped; see
/// [`PipeWriter::send`] for the one exception.
///
/// ```
/// use corelane::sync::pipe;
/// use corelane::sim::{World, WorldOptions};
/// use corelane::task;
///
/// let world = World::new(1, WorldOptions::default());
/// let shard = world.shard(0, "shard");
/// world.block_on(shard, async {
///     let (mut writer, mut reader) = pipe(2);
///     task::spawn(async move {
///         for number in 0..5 {
///             writer.send(number).await.expect("the reader stays");
///         }
///     });
///     let mut sum = 0;
///     while let Some(number) = reader.recv().await {
///         sum += number;
///     }
///     assert_eq!(sum, 10);
/// })?;
/// # Ok::<(), corelane::sim::Stuck>(())
/// ```
///
/// # Panics
/// If `capacity` is 0.
#[must_use]
pub fn pipe<T>(capacity: usize) -> (PipeWriter<T>, PipeReader<T>) {
    assert!(capacity > 0, "a pipe needs room for at least one value");
    let shared = Rc::new(RefCell::new(Shared {
        values: VecDeque::with_capacity(capacity.min(PREALLOCATED_MAX)),
        capacity,
        writer: None,
        reader: None,
        writer_gone: false,
        reader_gone: false,
    }));
    (PipeWriter(shared.clone()), PipeReader(shared))
}

/// Values that a new pipe takes memory for at most; a pipe that may hold more grows when it does.
const PREALLOCATED_MAX: usize = 64;

struct Shared<T> {
    values: VecDeque<T>,
    capacity: usize,
    /// Who waits for room, and who for a value.
    writer: Option<Waker>,
    reader: Option<Waker>,
    writer_gone: bool,
    reader_gone: bool,
}

/// The reader is gone: nobody would ever read the value, which comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pipe's reader is gone")]
pub struct ReaderGone<T>(pub T);

/// The writing end. Dropping it ends the pipe once the reader has taken what is in it.
pub struct PipeWriter<T>(Rc<RefCell<Shared<T>>>);

impl<T> PipeWriter<T> {
    /// Waits for room and puts `value` in. Dropping the future before that drops the value; where that must not be,
    /// wait with [`ready`](Self::ready) and use [`try_send`](Self::try_send).
    ///
    /// # Errors
    /// [`ReaderGone`], with the value.
    pub async fn send(&mut self, value: T) -> Result<(), ReaderGone<T>> {
        if self.ready().await.is_err() {
            return Err(ReaderGone(value));
        }
        self.put(value);
        Ok(())
    }

    /// Puts `value` in if there is room; `Ok(Some(value))` where there is none.
    ///
    /// # Errors
    /// [`ReaderGone`], with the value.
    pub fn try_send(&mut self, value: T) -> Result<Option<T>, ReaderGone<T>> {
        if self.0.borrow().reader_gone {
            return Err(ReaderGone(value));
        }
        if self.0.borrow().is_full() {
            return Ok(Some(value));
        }
        self.put(value);
        Ok(None)
    }

    /// Waits for room, which then stays: nobody else writes.
    ///
    /// # Errors
    /// [`ReaderGone`].
    pub async fn ready(&mut self) -> Result<(), ReaderGone<()>> {
        poll_fn(|cx| {
            let mut shared = self.0.borrow_mut();
            if shared.reader_gone {
                return Poll::Ready(Err(ReaderGone(())));
            }
            if !shared.is_full() {
                return Poll::Ready(Ok(()));
            }
            shared.writer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Values in the pipe.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.borrow().values.len()
    }

    /// Whether nothing is in the pipe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn put(&mut self, value: T) {
        let mut shared = self.0.borrow_mut();
        shared.values.push_back(value);
        let reader = shared.reader.take();
        drop(shared);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for PipeWriter<T> {
    fn drop(&mut self) {
        let mut shared = self.0.borrow_mut();
        shared.writer_gone = true;
        let reader = shared.reader.take();
        drop(shared);
        reader.into_iter().for_each(Waker::wake);
    }
}

/// The reading end. Dropping it drops what is in the pipe.
pub struct PipeReader<T>(Rc<RefCell<Shared<T>>>);

impl<T> PipeReader<T> {
    /// Waits for the next value; `None` once the writer is gone and all has been taken.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Self::recv), for whoever writes a future by hand.
    pub fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        if let Some(value) = self.try_recv() {
            return Poll::Ready(Some(value));
        }
        let mut shared = self.0.borrow_mut();
        if shared.writer_gone {
            return Poll::Ready(None);
        }
        shared.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The next value, if there is one.
    pub fn try_recv(&mut self) -> Option<T> {
        let mut shared = self.0.borrow_mut();
        let value = shared.values.pop_front()?;
        let writer = shared.writer.take();
        drop(shared);
        writer.into_iter().for_each(Waker::wake);
        Some(value)
    }

    /// Values in the pipe.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.borrow().values.len()
    }

    /// Whether nothing is in the pipe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Drop for PipeReader<T> {
    fn drop(&mut self) {
        let mut shared = self.0.borrow_mut();
        shared.reader_gone = true;
        let values = std::mem::take(&mut shared.values);
        let writer = shared.writer.take();
        drop(shared);
        // Outside the borrow: a value's drop may come back here.
        drop(values);
        writer.into_iter().for_each(Waker::wake);
    }
}

impl<T> Shared<T> {
    fn is_full(&self) -> bool {
        self.values.len() == self.capacity
    }
}

impl<T> std::fmt::Debug for PipeWriter<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeWriter")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for PipeReader<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeReader")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
