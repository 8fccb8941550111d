//! One attempt to receive: the queue, the counters, the wake. No waiting here.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::CacheLine;
use crate::error::RecvError;
use crate::link::Link;
use crate::options::Full;
use crate::ring::Head;
use crate::stats::ReceiveBlock;

pub(super) struct Port<T, Q> {
    pub(super) head: Q,
    pub(super) link: Arc<Link>,
    pub(super) block: Arc<CacheLine<ReceiveBlock>>,
    /// Whether senders can be waiting for room.
    wakes: bool,
    values: PhantomData<fn() -> T>,
}

impl<T, Q: Head<T>> Port<T, Q> {
    pub(super) fn new(head: Q, link: Arc<Link>) -> Self {
        link.receivers.enter();
        Self {
            head,
            block: link.receivers.ledger.open(),
            wakes: link.policy.bounded && link.policy.full == Full::Wait,
            link,
            values: PhantomData,
        }
    }

    /// The end is going away. The last one leaves nothing behind: what nobody will read is dropped now,
    /// not when the senders happen to go.
    pub(super) fn close(&mut self) {
        self.link.receivers.ledger.close(&self.block);
        if self.link.receivers.leave() {
            self.link.senders.waiters.notify(usize::MAX);
            while self.head.pop().is_some() {}
        }
    }

    /// The oldest value, or that there will be none. `None` means wait.
    #[inline]
    pub(super) fn try_one(&mut self) -> Option<Result<T, RecvError>> {
        if let Some(value) = self.head.pop() {
            self.received(1);
            return Some(Ok(value));
        }
        self.ended().then(|| match self.head.pop() {
            Some(value) => {
                self.received(1);
                Ok(value)
            }
            None => Err(RecvError::Closed),
        })
    }

    /// The same for a batch.
    pub(super) fn try_many(
        &mut self,
        into: &mut Vec<T>,
        max: usize,
    ) -> Option<Result<usize, RecvError>> {
        if max == 0 {
            return Some(Ok(0));
        }
        let found = self.pop_batch(into, max);
        if found > 0 {
            return Some(Ok(found));
        }
        self.ended().then(|| match self.pop_batch(into, max) {
            0 => Err(RecvError::Closed),
            found => Ok(found),
        })
    }

    fn pop_batch(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        let found = self.head.pop_batch(max, |value| into.push(value));
        if found > 0 {
            self.received(found);
        }
        found
    }

    /// Whether all senders are gone. What they sent before is visible then, so one more look tells.
    fn ended(&self) -> bool {
        self.link.senders.is_gone()
    }

    #[inline]
    fn received(&self, values: usize) {
        self.block.0.received.add(values);
        self.block.0.batches.add(1);
        if !self.wakes {
            return;
        }
        let waiters = &self.link.senders.waiters;
        if Q::IN_ORDER {
            waiters.notify_in_order(values);
        } else {
            waiters.notify(values);
        }
    }
}
