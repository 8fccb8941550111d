//! A worker as a service: takes what is sent to it into the mailbox and handles it, batch by batch.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use corelane_rt::task;

use super::gauge::{Gate, add};
use super::handle::Shared;
use super::mailbox::Mailbox;
use super::{PoolHandle, WorkerCx, WorkerStatus};
use crate::worker::{Batch, Item, Worker};
use crate::{Cx, Mesh, Outcome, Service, ShardId, panics};

/// Messages of one batch at most.
const BATCH: usize = 256;

/// One worker with its state. Made again after each panic; the mailbox stays.
pub(crate) struct Host<W: Worker> {
    pub(super) worker: W,
    pub(super) state: W::State,
    pub(super) mailbox: Rc<Mailbox<W>>,
    /// Put down in peace.
    ended: bool,
}

/// What reaches a worker.
pub(crate) enum Op<W: Worker> {
    /// A message.
    One(Item<W>),
    /// Messages that travel together.
    Many(Parcel<W::Message>),
    /// Let the messages wait.
    Pause(oneshot::Sender<()>),
    /// Go on.
    Resume(oneshot::Sender<()>),
    /// Say something.
    Ping(oneshot::Sender<()>),
}

/// Messages that travel together, and where they were to go.
pub(crate) struct Parcel<M> {
    pub(super) messages: Vec<M>,
    pub(super) partition: u16,
    pub(super) worker: u16,
}

impl<W: Worker> Host<W> {
    pub(super) async fn start(
        shared: &Arc<Shared<W>>,
        worker: W,
        shard: ShardId,
    ) -> Result<Self, String> {
        let mailbox = Mailbox::here(shared, shard.index());
        let pool = PoolHandle {
            shared: shared.clone(),
            inside: true,
        };
        let cx = WorkerCx {
            pool,
            worker: shard.index(),
        };
        let state = worker.init(cx).await?;
        mailbox.begin();
        Ok(Self {
            worker,
            state,
            mailbox,
            ended: false,
        })
    }

    /// Handles what waits, for as long as it is this shard's turn.
    fn run(&mut self) {
        let mailbox = self.mailbox.clone();
        mailbox.more.set(false);
        if mailbox.paused.get() || mailbox.queue.borrow().is_empty() {
            return;
        }
        // Out of its cell, so that a handler may send to its own worker.
        let mut queue = mailbox.queue.take();
        let policy = &mailbox.shared.policy;
        loop {
            let mut batch = Batch::new(&mut queue, policy, BATCH);
            let offered = batch.len();
            let handled = catch_unwind(AssertUnwindSafe(|| {
                self.worker.handle_batch(&mut self.state, &mut batch);
            }));
            let taken = offered - batch.len();
            add(&mailbox.counts().batches, 1);
            if let Err(payload) = handled {
                let text = panics::text(&*payload).to_owned();
                let (results, open) = batch.part();
                let labels: Vec<_> = open.iter().map(|taken| taken.label).collect();
                mailbox.settle(results, &mut queue);
                mailbox.give_back(open, &text, &mut queue);
                mailbox.refill(queue);
                let labels = labels.join("`, `");
                resume_unwind(Box::new(format!("handling `{labels}`: {text}")));
            }
            let (mut results, open) = batch.part();
            // Taken and not spoken of: handled, and whoever waits for a reply gets none.
            results.handled += open.len() as u64;
            drop(open);
            mailbox.settle(results, &mut queue);
            if queue.is_empty() || taken == 0 {
                break;
            }
            if task::need_preempt() {
                mailbox.more.set(true);
                break;
            }
        }
        mailbox.refill(queue);
    }
}

impl<W: Worker> Service for Host<W> {
    const TICK: Duration = W::TICK;
    type Request = Op<W>;
    type Reply = ();
    type Control = ();

    fn handle(&mut self, op: Op<W>, _cx: &Cx<'_, Self>) -> Outcome<Self> {
        let mailbox = &self.mailbox;
        let done = match op {
            Op::One(item) => {
                mailbox.take(item);
                return Outcome::Ready(());
            }
            Op::Many(parcel) => {
                mailbox.take_many(parcel);
                return Outcome::Ready(());
            }
            Op::Pause(done) => {
                mailbox.pause(true);
                done
            }
            Op::Resume(done) => {
                mailbox.pause(false);
                done
            }
            Op::Ping(done) => done,
        };
        // Who asked may have gone.
        let _ = done.send(());
        Outcome::Ready(())
    }

    fn label(op: &Op<W>) -> &'static str {
        match op {
            Op::One(_) | Op::Many(_) => "message",
            Op::Pause(_) => "pause",
            Op::Resume(_) => "resume",
            Op::Ping(_) => "ping",
        }
    }

    fn control(&mut self, (): (), _from: ShardId) {}

    fn batch_end(&mut self, _mesh: &Mesh<Self>) {
        self.run();
        if self.mailbox.more.get() {
            self.mailbox.kick();
        }
    }

    fn tick(&mut self) {
        self.worker.tick(&mut self.state);
    }

    fn shutdown(&mut self) {
        self.ended = true;
        self.worker.shutdown(&mut self.state);
    }
}

impl<W: Worker> Drop for Host<W> {
    fn drop(&mut self) {
        let gauge = self.mailbox.gauge();
        if gauge.gate() == Gate::Closed {
            return;
        }
        if !self.ended {
            add(&gauge.counts().panics, 1);
        }
        gauge.set_status(WorkerStatus::Restarting);
    }
}
