//! Sending one message: waiting for room, or not, or not for long.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::handle::refusal_of;
use super::host::Op;
use super::placement::Place;
use super::{PoolHandle, SendRefusal, To, Unsent, blocking};
use crate::worker::{Item, Worker};

/// An item that was not sent.
pub(super) type Back<W> = (Box<Item<W>>, SendRefusal);

impl<W: Worker> PoolHandle<W> {
    /// Sends a message, and waits for room in the worker's mailbox if need be. The future is `Send`; dropping it before
    /// it is done sends nothing.
    ///
    /// # Errors
    /// [`Unsent`] with the message.
    pub async fn send(&self, to: To<'_>, message: W::Message) -> Result<(), Unsent<W::Message>> {
        let sent = self.send_item(to, Item::new(message, None)).await;
        sent.map_err(unsent)
    }

    /// Sends a message if there is room for it.
    ///
    /// # Errors
    /// [`Unsent`] with the message; [`SendRefusal::Full`] is counted.
    pub fn try_send(&self, to: To<'_>, message: W::Message) -> Result<(), Unsent<W::Message>> {
        self.try_item(to, Item::new(message, None)).map_err(unsent)
    }

    /// As [`send`](Self::send), for threads that await nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendRefusal::WouldBlock`] on a shard that would have to wait.
    pub fn send_blocking(&self, to: To<'_>, message: W::Message) -> Result<(), Unsent<W::Message>> {
        self.block(to, Item::new(message, None), None)
            .map_err(unsent)
    }

    /// As [`send_blocking`](Self::send_blocking), for no longer than `limit`; then [`SendRefusal::TimedOut`].
    ///
    /// # Errors
    /// As [`send_blocking`](Self::send_blocking).
    pub fn send_timeout(
        &self,
        to: To<'_>,
        message: W::Message,
        limit: Duration,
    ) -> Result<(), Unsent<W::Message>> {
        self.block(to, Item::new(message, None), Some(limit))
            .map_err(unsent)
    }

    /// Sends a message to the worker of this number; [`send`](Self::send) in words.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_to_worker(
        &self,
        worker: usize,
        message: W::Message,
    ) -> Result<(), Unsent<W::Message>> {
        self.send(To::Worker(worker), message).await
    }

    /// Sends a message to the worker that `key` belongs to; [`send`](Self::send) in words.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_partitioned(
        &self,
        key: impl AsRef<[u8]>,
        message: W::Message,
    ) -> Result<(), Unsent<W::Message>> {
        self.send(To::Key(key.as_ref()), message).await
    }

    /// Sends every worker what `message` makes for it; the outcomes come in the order of the workers, and one that
    /// fails hides none of the others.
    pub async fn broadcast(
        &self,
        mut message: impl FnMut(usize) -> W::Message,
    ) -> Vec<Result<(), Unsent<W::Message>>> {
        let workers = self.workers();
        let mut outcomes = Vec::with_capacity(workers);
        for worker in 0..workers {
            let sent = self.send(To::Worker(worker), message(worker)).await;
            outcomes.push(sent);
        }
        outcomes
    }

    pub(super) async fn send_item(&self, to: To<'_>, item: Item<W>) -> Result<(), Back<W>> {
        let mut sent = self.try_item(to, item);
        while let Err((item, SendRefusal::Full)) = sent {
            match self.place(to) {
                Ok(place) => self.room(place.worker).await,
                Err(reason) => return Err((item, reason)),
            }
            sent = self.try_item(to, *item);
        }
        sent
    }

    pub(super) fn block(
        &self,
        to: To<'_>,
        item: Item<W>,
        limit: Option<Duration>,
    ) -> Result<(), Back<W>> {
        let mut item = match self.try_item(to, item) {
            Err((item, SendRefusal::Full)) => item,
            sent => return sent,
        };
        if corelane_rt::is_inside() {
            return Err((item, SendRefusal::WouldBlock));
        }
        let deadline = limit.and_then(|limit| std::time::Instant::now().checked_add(limit));
        loop {
            let place = match self.place(to) {
                Ok(place) => place,
                Err(reason) => return Err((item, reason)),
            };
            let left = deadline
                .map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
            if blocking::wait(self.room(place.worker), left).is_none() {
                return Err((item, SendRefusal::TimedOut));
            }
            match self.try_item(to, *item) {
                Err((back, SendRefusal::Full)) => item = back,
                sent => return sent,
            }
        }
    }

    /// Sends an item if there is room.
    pub(super) fn try_item(&self, to: To<'_>, item: Item<W>) -> Result<(), Back<W>> {
        let place = match self.place(to) {
            Ok(place) => place,
            Err(reason) => return Err((Box::new(item), reason)),
        };
        match self.post(place, item) {
            // Its worker has just been put to sleep by a resize: the key has another one by now.
            Err((item, SendRefusal::Stopped)) if self.is_running() => match self.place(to) {
                Ok(place) => self.post(place, *item),
                Err(reason) => Err((item, reason)),
            },
            posted => posted,
        }
    }

    fn post(&self, place: Place, mut item: Item<W>) -> Result<(), Back<W>> {
        let gauge = &self.shared.gauges[place.worker];
        if let Err(reason) = gauge.charge(1, self.inside) {
            return Err((Box::new(item), reason));
        }
        item.partition = place.partition;
        item.worker = place.worker as u16;
        let handle = match self.handle() {
            Ok(handle) => handle,
            Err(reason) => return Err((Box::new(item), reason)),
        };
        handle
            .cast(place.target(), Op::One(item))
            .map_err(|refused| {
                gauge.give_back(1);
                let Op::One(item) = refused.message else {
                    unreachable!("what comes back is what was sent")
                };
                (Box::new(item), refusal_of(refused.reason))
            })
    }

    /// Resolves when it is worth a try to send to a worker.
    pub(super) async fn room(&self, worker: usize) {
        let gauge = &self.shared.gauges[worker];
        poll_fn(
            |cx| match gauge.is_worth_a_try() || !gauge.wait(cx.waker()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            },
        )
        .await;
    }
}

fn unsent<W: Worker>((item, reason): Back<W>) -> Unsent<W::Message> {
    Unsent::new(item.message, reason)
}
