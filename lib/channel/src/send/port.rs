//! One attempt to send: the queue, the policy, the counters, the wake. No waiting here.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::CacheLine;
use crate::error::SendError;
use crate::link::Link;
use crate::options::Full;
use crate::ring::Tail;
use crate::stats::SendBlock;

pub(super) struct Port<T, Q> {
    pub(super) tail: Q,
    pub(super) link: Arc<Link>,
    pub(super) block: Arc<CacheLine<SendBlock>>,
    values: PhantomData<fn(T)>,
}

impl<T, Q: Tail<T>> Port<T, Q> {
    pub(super) fn new(tail: Q, link: Arc<Link>) -> Self {
        link.senders.enter();
        Self {
            tail,
            block: link.senders.ledger.open(),
            link,
            values: PhantomData,
        }
    }

    /// The end is going away.
    pub(super) fn close(&self) {
        self.link.senders.ledger.close(&self.block);
        if self.link.senders.leave() {
            self.link.receivers.waiters.notify(usize::MAX);
        }
    }

    /// Whether a send that finds the queue full waits.
    pub(super) fn waits(&self) -> bool {
        self.link.policy.bounded && self.link.policy.full == Full::Wait
    }

    /// Puts one value into the queue, by the policy. A refusal is not counted yet: whether
    /// [`SendError::Full`] is one depends on who asks.
    #[inline]
    pub(super) fn offer(&mut self, value: T) -> Result<(), SendError<T>> {
        if self.link.receivers.is_gone() {
            return Err(SendError::Closed(value));
        }
        if let Full::Shed { high, low } = self.link.policy.full
            && self.link.sheds(self.tail.len(), high, low)
        {
            return Err(SendError::Shed(value));
        }
        match self.tail.push(value) {
            Ok(()) => {
                self.sent(1);
                Ok(())
            }
            Err(value) => self.overflow(value),
        }
    }

    /// The same for a batch, with one wake for all of it. What was not taken stays in `staged`.
    pub(super) fn offer_batch(&mut self, staged: &mut VecDeque<T>) -> Result<(), SendError<()>> {
        if staged.is_empty() {
            return Ok(());
        }
        if self.link.receivers.is_gone() {
            return Err(SendError::Closed(()));
        }
        if let Full::Shed { .. } = self.link.policy.full {
            return self.offer_each(staged);
        }
        let pushed = self.tail.push_batch(staged);
        if pushed > 0 {
            self.sent(pushed);
        }
        match self.link.policy.full {
            _ if staged.is_empty() => Ok(()),
            Full::DropOldest | Full::DropNewest => self.offer_each(staged),
            _ => Err(SendError::Full(())),
        }
    }

    /// Offers one by one, for policies that decide value by value.
    fn offer_each(&mut self, staged: &mut VecDeque<T>) -> Result<(), SendError<()>> {
        while let Some(value) = staged.pop_front() {
            let (error, value) = match self.offer(value) {
                Ok(()) => continue,
                Err(SendError::Closed(value)) => (SendError::Closed(()), value),
                Err(SendError::Shed(value)) => (SendError::Shed(()), value),
                Err(SendError::Full(value) | SendError::TimedOut(value)) => {
                    (SendError::Full(()), value)
                }
            };
            staged.push_front(value);
            return Err(error);
        }
        Ok(())
    }

    /// One attempt of a send that may wait: `None` means wait.
    pub(super) fn try_slot(&mut self, slot: &mut Option<T>) -> Option<Result<(), SendError<T>>> {
        let value = slot
            .take()
            .expect("a send that has ended is not polled again");
        match self.offer(value) {
            Err(SendError::Full(value)) if self.waits() => {
                *slot = Some(value);
                None
            }
            outcome => {
                if let Err(error) = &outcome {
                    self.refused(error, 1);
                }
                Some(outcome)
            }
        }
    }

    /// The same for a batch.
    pub(super) fn try_staged(
        &mut self,
        staged: &mut VecDeque<T>,
    ) -> Option<Result<(), SendError<()>>> {
        match self.offer_batch(staged) {
            Err(SendError::Full(())) if self.waits() => None,
            outcome => {
                if let Err(error) = &outcome {
                    self.refused(error, staged.len());
                }
                Some(outcome)
            }
        }
    }

    /// Counts values that were given back.
    #[cold]
    pub(super) fn refused<V>(&self, error: &SendError<V>, values: usize) {
        let block = &self.block.0;
        let counter = match error {
            SendError::Full(_) => &block.refused_full,
            SendError::Shed(_) => &block.shed,
            SendError::TimedOut(_) => &block.timed_out,
            SendError::Closed(_) => &block.refused_closed,
        };
        counter.add(values);
    }

    #[inline]
    fn sent(&self, values: usize) {
        self.block.0.sent.add(values);
        self.block.0.batches.add(1);
        let waiters = &self.link.receivers.waiters;
        if Q::IN_ORDER {
            waiters.notify_in_order(values);
        } else {
            waiters.notify(values);
        }
    }

    #[cold]
    fn overflow(&mut self, value: T) -> Result<(), SendError<T>> {
        match self.link.policy.full {
            Full::DropOldest => {
                let oldest = self.tail.push_over(value);
                self.block
                    .0
                    .dropped_oldest
                    .add(usize::from(oldest.is_some()));
                self.sent(1);
                Ok(())
            }
            Full::DropNewest => {
                self.block.0.dropped_newest.add(1);
                Ok(())
            }
            Full::Shed { .. } => Err(SendError::Shed(value)),
            Full::Wait | Full::Fail => Err(SendError::Full(value)),
        }
    }
}
