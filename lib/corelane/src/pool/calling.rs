//! Sending a message and waiting for its reply.

use super::sending::Back;
use super::{CallFault, Fault, PoolHandle, SendRefusal, To, Unsent, blocking};
use crate::worker::{Item, Worker};

impl<W: Worker> PoolHandle<W> {
    /// Sends a message, waiting for room if need be, and resolves to the worker's reply. The future is `Send`.
    ///
    /// # Errors
    /// [`CallFault`].
    pub async fn call(
        &self,
        to: To<'_>,
        message: W::Message,
    ) -> Result<W::Reply, CallFault<W::Message>> {
        let (port, reply) = oneshot::channel();
        let sent = self.send_item(to, Item::new(message, Some(port))).await;
        sent.map_err(unsent)?;
        reply_of::<W>(reply.await.ok())
    }

    /// As [`call`](Self::call), for threads that await nothing.
    ///
    /// # Errors
    /// As [`call`](Self::call), and [`SendRefusal::WouldBlock`] on a shard.
    pub fn call_blocking(
        &self,
        to: To<'_>,
        message: W::Message,
    ) -> Result<W::Reply, CallFault<W::Message>> {
        if corelane_rt::is_inside() {
            let reason = SendRefusal::WouldBlock;
            return Err(CallFault::Unsent(Unsent::new(message, reason)));
        }
        let (port, reply) = oneshot::channel();
        self.block(to, Item::new(message, Some(port)), None)
            .map_err(unsent)?;
        reply_of::<W>(reply.recv().ok())
    }

    /// Calls every worker with what `message` makes for it; the outcomes come in the order of the workers. All
    /// messages are sent before the first reply is awaited.
    pub async fn call_all(
        &self,
        mut message: impl FnMut(usize) -> W::Message,
    ) -> Vec<Result<W::Reply, CallFault<W::Message>>> {
        let workers = self.workers();
        let mut replies = Vec::with_capacity(workers);
        for worker in 0..workers {
            let (port, reply) = oneshot::channel();
            let item = Item::new(message(worker), Some(port));
            let sent = self.send_item(To::Worker(worker), item).await;
            replies.push(sent.map(|()| reply).map_err(unsent));
        }
        let mut outcomes = Vec::with_capacity(workers);
        for reply in replies {
            outcomes.push(match reply {
                Ok(reply) => reply_of::<W>(reply.await.ok()),
                Err(fault) => Err(fault),
            });
        }
        outcomes
    }

    /// As [`call_all`](Self::call_all), for threads that await nothing.
    ///
    /// # Panics
    /// On a shard: await [`call_all`](Self::call_all) there.
    pub fn call_all_blocking(
        &self,
        message: impl FnMut(usize) -> W::Message,
    ) -> Vec<Result<W::Reply, CallFault<W::Message>>> {
        assert!(
            !corelane_rt::is_inside(),
            "a shard that blocks serves nobody: await `call_all` instead"
        );
        blocking::wait(self.call_all(message), None).expect("there is no limit")
    }
}

fn reply_of<W: Worker>(
    reply: Option<Result<W::Reply, Fault>>,
) -> Result<W::Reply, CallFault<W::Message>> {
    match reply {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(fault)) => Err(CallFault::Fault(fault)),
        None => Err(CallFault::NoReply),
    }
}

fn unsent<W: Worker>((item, reason): Back<W>) -> CallFault<W::Message> {
    CallFault::Unsent(Unsent::new(item.message, reason))
}
