//! A message on its way and in its worker's hands, and batches of them.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;

use super::failure::Policy;
use super::{Handled, Worker};
use crate::pool::Fault;

/// Whoever waits for an answer.
pub(crate) type Port<W> = oneshot::Sender<Result<<W as Worker>::Reply, Fault>>;

/// A message as it waits in a mailbox.
pub(crate) struct Item<W: Worker> {
    pub(crate) message: W::Message,
    pub(crate) port: Option<Port<W>>,
    /// Times that it has failed.
    pub(crate) attempts: u32,
    /// The partition that it is for, or `u16::MAX`.
    pub(crate) partition: u16,
    /// The worker that it was charged to.
    pub(crate) worker: u16,
}

impl<W: Worker> Item<W> {
    pub(crate) fn new(message: W::Message, port: Option<Port<W>>) -> Self {
        Self {
            message,
            port,
            attempts: 0,
            partition: u16::MAX,
            worker: 0,
        }
    }
}

/// A message as its worker gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<M> {
    message: M,
    attempts: u32,
    wants_reply: bool,
}

impl<M> Envelope<M> {
    /// The message.
    pub fn into_inner(self) -> M {
        self.message
    }

    /// Times that this message has failed before: 0 unless it is retried.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether somebody waits for the reply.
    pub fn wants_reply(&self) -> bool {
        self.wants_reply
    }
}

impl<M> Deref for Envelope<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

/// What a worker may handle now, oldest first.
///
/// [`take`](Self::take) a message, handle it, and say how it went by [`done`](Self::done), in the order taken; several
/// may be taken before the first is done. Those that are taken and never done count as handled, without a
/// reply. What is not taken comes again with the next batch. After a panic all that were taken and not done
/// have failed.
pub struct Batch<'a, W: Worker> {
    queue: &'a mut VecDeque<Item<W>>,
    policy: &'a Policy<W::Message>,
    /// How many may still be taken.
    left: usize,
    /// The latest that was taken, and those before it, of which none is done.
    latest: Option<Taken<W>>,
    earlier: VecDeque<Taken<W>>,
    results: Results<W>,
}

/// What is kept of a message while it is handled.
pub(crate) struct Taken<W: Worker> {
    pub(crate) port: Option<Port<W>>,
    /// The message itself, if what fails is to be kept and it can be copied.
    pub(crate) copy: Option<W::Message>,
    pub(crate) attempts: u32,
    pub(crate) partition: u16,
    pub(crate) label: &'static str,
}

/// What has come of a batch so far.
pub(crate) struct Results<W: Worker> {
    pub(crate) handled: u64,
    /// With reason and message, where there is one.
    pub(crate) failed: Vec<(Taken<W>, Option<W::Message>, String)>,
}

impl<'a, W: Worker> Batch<'a, W> {
    pub(crate) fn new(
        queue: &'a mut VecDeque<Item<W>>,
        policy: &'a Policy<W::Message>,
        limit: usize,
    ) -> Self {
        Self {
            left: queue.len().min(limit),
            queue,
            policy,
            latest: None,
            earlier: VecDeque::new(),
            results: Results {
                handled: 0,
                failed: Vec::new(),
            },
        }
    }

    /// How many can still be taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether none can be taken any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Takes the oldest message.
    pub fn take(&mut self) -> Option<Envelope<W::Message>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let item = self.queue.pop_front()?;
        let taken = Taken {
            copy: self.policy.copy(&item.message),
            attempts: item.attempts,
            partition: item.partition,
            label: W::label(&item.message),
            port: item.port,
        };
        let envelope = Envelope {
            message: item.message,
            attempts: taken.attempts,
            wants_reply: taken.port.is_some(),
        };
        if let Some(before) = self.latest.replace(taken) {
            self.earlier.push_back(before);
        }
        Some(envelope)
    }

    /// Says how it went with the message that was taken first among those that are not done.
    ///
    /// # Panics
    /// If all are done.
    pub fn done(&mut self, handled: Handled<W>) {
        let taken = self.earlier.pop_front().or_else(|| self.latest.take());
        let taken = taken.expect("`done` was called more often than `take`");
        match handled {
            Ok(reply) => {
                self.results.handled += 1;
                if let Some(port) = taken.port {
                    // Who asked may have gone.
                    let _ = port.send(Ok(reply));
                }
            }
            Err(failed) => {
                let message = failed.message;
                self.results.failed.push((taken, message, failed.reason));
            }
        }
    }

    /// What has come of it, and what was taken and is not done, oldest first.
    pub(crate) fn part(self) -> (Results<W>, Vec<Taken<W>>) {
        let open = self.earlier.into_iter().chain(self.latest);
        (self.results, open.collect())
    }
}

impl<W: Worker> fmt::Debug for Batch<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("left", &self.left)
            .field("handled", &self.results.handled)
            .finish_non_exhaustive()
    }
}
