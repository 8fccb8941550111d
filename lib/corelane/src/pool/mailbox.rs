//! A worker's mailbox: what waits for it, and what has been counted. It outlives the worker's state.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use corelane_rt::{local, task, time};

use super::gauge::{Counts, Gate, Gauge, add};
use super::handle::Shared;
use super::host::{Host, Parcel};
use super::{Fault, WorkerStatus};
use crate::Mesh;
use crate::worker::{DeadLetter, Item, Results, Taken, Worker};

/// How often a worker that has nothing left looks whether the others have, while their pool stops.
const DRAIN_LOOK: Duration = Duration::from_micros(200);

/// What a worker has beside its state.
pub(super) struct Mailbox<W: Worker> {
    pub(super) shared: Arc<Shared<W>>,
    worker: usize,
    pub(super) queue: RefCell<VecDeque<Item<W>>>,
    pub(super) paused: Cell<bool>,
    /// There is more to handle than one turn allowed.
    pub(super) more: Cell<bool>,
    /// The worker's main is wanted, and how to wake it.
    kicked: Cell<bool>,
    main: RefCell<Option<Waker>>,
    /// This worker is one of those present.
    counted: Cell<bool>,
}

impl<W: Worker> Mailbox<W> {
    /// The mailbox of this shard.
    pub(super) fn here(shared: &Arc<Shared<W>>, worker: usize) -> Rc<Self> {
        local::get().unwrap_or_else(|| {
            let mailbox = Rc::new(Self {
                shared: shared.clone(),
                worker,
                queue: RefCell::default(),
                paused: Cell::new(false),
                more: Cell::new(false),
                kicked: Cell::new(false),
                main: RefCell::default(),
                counted: Cell::new(worker < shared.present.load(Ordering::Acquire)),
            });
            local::insert(mailbox.clone());
            mailbox
        })
    }

    pub(super) fn gauge(&self) -> &Gauge {
        &self.shared.gauges[self.worker]
    }

    pub(super) fn counts(&self) -> &Counts {
        self.gauge().counts()
    }

    /// A state is there.
    pub(super) fn begin(&self) {
        add(&self.counts().starts, 1);
        self.show_status();
        self.kick();
    }

    pub(super) fn pause(&self, paused: bool) {
        self.paused.set(paused);
        self.show_status();
        self.kick();
    }

    fn show_status(&self) {
        self.gauge().set_status(match self.paused.get() {
            true => WorkerStatus::Paused,
            false => WorkerStatus::Running,
        });
    }

    /// Has the worker's main look what there is to do.
    pub(super) fn kick(&self) {
        self.kicked.set(true);
        let main = self.main.borrow_mut().take();
        if let Some(main) = main {
            main.wake();
        }
    }
}

/// Messages.
impl<W: Worker> Mailbox<W> {
    pub(super) fn take(&self, mut item: Item<W>) {
        self.redirected(&mut item.worker, 1);
        self.queue.borrow_mut().push_back(item);
    }

    pub(super) fn take_many(&self, mut parcel: Parcel<W::Message>) {
        self.redirected(&mut parcel.worker, parcel.messages.len() as u64);
        let item = |message| Item {
            partition: parcel.partition,
            worker: parcel.worker,
            ..Item::new(message, None)
        };
        let items = parcel.messages.into_iter().map(item);
        self.queue.borrow_mut().extend(items);
    }

    /// Messages whose partition moved while they were on their way were charged to another worker.
    fn redirected(&self, charged_to: &mut u16, messages: u64) {
        let worker = usize::from(*charged_to);
        if worker != self.worker {
            self.gauge().take_over(messages);
            self.shared.gauges[worker].give_back(messages);
            *charged_to = self.worker as u16;
        }
    }

    /// What waits for a partition that leaves.
    pub(super) fn give_away(&self, partition: u16) -> Vec<Item<W>> {
        let mut waiting = self.queue.borrow_mut();
        let (leave, stay) = waiting
            .drain(..)
            .partition::<VecDeque<_>, _>(|item| item.partition == partition);
        *waiting = stay;
        drop(waiting);
        let messages = leave.len() as u64;
        self.shared.moving.fetch_add(messages, Ordering::SeqCst);
        self.gauge().give_back(messages);
        leave.into()
    }

    /// What waited for a partition that has come.
    pub(super) fn take_in(&self, items: Vec<Item<W>>) {
        let messages = items.len() as u64;
        self.gauge().take_over(messages);
        self.shared.moving.fetch_sub(messages, Ordering::SeqCst);
        let worker = self.worker as u16;
        let items = items.into_iter().map(|item| Item { worker, ..item });
        self.queue.borrow_mut().extend(items);
        self.kick();
    }

    /// Puts what was not handled back, before what has come since.
    pub(super) fn refill(&self, mut queue: VecDeque<Item<W>>) {
        let mut waiting = self.queue.borrow_mut();
        queue.append(&mut waiting);
        *waiting = queue;
    }
}

/// What came of them.
impl<W: Worker> Mailbox<W> {
    pub(super) fn settle(&self, results: Results<W>, queue: &mut VecDeque<Item<W>>) {
        add(&self.counts().handled, results.handled);
        let mut done = results.handled;
        for (taken, message, reason) in results.failed.into_iter().rev() {
            done += self.failed(taken, message, &reason, false, queue);
        }
        self.gauge().finish(done);
    }

    /// Messages in whose handling the worker panicked.
    pub(super) fn give_back(
        &self,
        open: Vec<Taken<W>>,
        reason: &str,
        queue: &mut VecDeque<Item<W>>,
    ) {
        let failed = open.into_iter().rev();
        let done = failed.map(|taken| self.failed(taken, None, reason, true, queue));
        self.gauge().finish(done.sum());
    }

    /// Tries a message again or gives it up; how many are done with that.
    #[cold]
    fn failed(
        &self,
        taken: Taken<W>,
        message: Option<W::Message>,
        reason: &str,
        panicked: bool,
        queue: &mut VecDeque<Item<W>>,
    ) -> u64 {
        let (policy, counts) = (&self.shared.policy, self.counts());
        add(&counts.failed, 1);
        match message.or(taken.copy) {
            Some(message) if policy.retries(taken.attempts) => {
                add(&counts.retried, 1);
                queue.push_front(Item {
                    message,
                    port: taken.port,
                    attempts: taken.attempts + 1,
                    partition: taken.partition,
                    worker: self.worker as u16,
                });
                return 0;
            }
            message => {
                let letter = DeadLetter {
                    message,
                    worker: self.worker,
                    reason: reason.to_owned(),
                    attempts: taken.attempts + 1,
                    panicked,
                };
                self.bury(letter);
            }
        }
        if let Some(port) = taken.port {
            let reason = reason.to_owned();
            // Who asked may have gone.
            let _ = port.send(Err(match panicked {
                true => Fault::Panicked(reason),
                false => Fault::Failed(reason),
            }));
        }
        1
    }

    fn bury(&self, letter: DeadLetter<W::Message>) {
        let Some(dead_letters) = self.shared.policy.dead_letters() else {
            add(&self.counts().dropped, 1);
            return;
        };
        add(&self.counts().dead_letters, 1);
        if catch_unwind(AssertUnwindSafe(|| dead_letters(letter))).is_err() {
            let worker = self.worker;
            tracing::error!(worker, "the handler of dead letters panicked");
        }
    }
}

/// A worker's main: handles what one turn left over, and leaves when there is nothing left.
pub(super) async fn attend<W: Worker>(mesh: Mesh<Host<W>>, shared: Arc<Shared<W>>) {
    let handle = mesh.handle();
    shared.handle.get_or_init(|| handle.clone());
    let mailbox = Mailbox::here(&shared, mesh.shard().index());
    if !mailbox.counted.replace(true) {
        shared.present.fetch_add(1, Ordering::AcqRel);
        mailbox.gauge().set_gate(Gate::Open);
    }
    let _leaving = Leaving(mailbox.clone());
    loop {
        let stops = handle.is_stopping();
        let leaves = mesh.is_stopping();
        if leaves && mailbox.is_drained(stops) {
            break;
        }
        mesh.core.batch_end(&mesh);
        if mailbox.more.get() {
            task::yield_now().await;
        } else if leaves {
            let _ = time::timeout(DRAIN_LOOK, mailbox.kicked()).await;
        } else {
            mailbox.kicked_or(mesh.stopping()).await;
        }
    }
}

impl<W: Worker> Mailbox<W> {
    /// Whether this worker may leave: it has nothing left, and nothing more will come.
    fn is_drained(&self, pool_stops: bool) -> bool {
        if self.paused.get() {
            self.pause(false);
        }
        if pool_stops {
            self.shared.drain();
            return self.shared.is_quiet();
        }
        self.gauge().set_gate(Gate::Closed);
        let gone = self.gauge().gone();
        gone == self.gauge().charged()
    }

    async fn kicked(&self) {
        self.kicked_or(std::future::pending()).await;
    }

    async fn kicked_or(&self, other: impl Future<Output = ()>) {
        let mut other = pin!(other);
        poll_fn(|cx| {
            if self.kicked.replace(false) || other.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            *self.main.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Held while a worker's main runs.
struct Leaving<W: Worker>(Rc<Mailbox<W>>);

impl<W: Worker> Drop for Leaving<W> {
    fn drop(&mut self) {
        let mailbox = &self.0;
        let retires = !mailbox
            .shared
            .handle
            .get()
            .is_some_and(|handle| handle.is_stopping());
        mailbox.gauge().set_gate(Gate::Closed);
        mailbox.gauge().set_status(match retires {
            true => WorkerStatus::Resting,
            false => WorkerStatus::Stopped,
        });
        mailbox.counted.set(false);
        // Empty, unless the pool has failed: then nobody will handle them.
        let lost = mailbox.queue.take();
        drop(lost);
        mailbox.shared.left();
    }
}
