//! What the tasks and the poller of one shard share: the service's state, the outgoing side of the
//! mesh, and the shard's part in the node's life.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;

use corelane_rt::task::JoinHandle;

use super::errors::Refused;
use super::outbox::{Link, Outbox};
use super::partitions::Partitions;
use super::replies::Replies;
use super::serve::LaterName;
use super::stats::Tally;
use super::trace::OpenSpans;
use super::wiring::{Control, Reply, Request};
use crate::cx::{Cx, Origin};
use crate::node::{Node, Phase};
use crate::outside::Outside;
use crate::restart::{self, Keeper};
use crate::signal::Signal;
use crate::{Mesh, Outcome, Service, ShardId, ShardMap, panics};

/// One shard's shared inside.
pub(crate) struct Core<S: Service> {
    pub(crate) life: Life,
    /// This shard's copy; replaced as a whole.
    pub(crate) map: RefCell<Rc<ShardMap>>,
    pub(crate) tally: Rc<Tally>,
    pub(crate) spans: OpenSpans,
    pub(crate) replies: Rc<Replies<S>>,
    pub(crate) partitions: Rc<Partitions<S>>,
    pub(crate) outbox: Outbox<S>,
    pub(crate) outside: Arc<Outside<S>>,
    /// Requests to this shard by itself that wait for its next turn.
    pub(crate) local: RefCell<VecDeque<Request<S>>>,
    /// Answers for each peer that leave with the next turn.
    pub(crate) answers: RefCell<Box<[VecDeque<Reply<S>>]>>,
    /// There are such answers.
    pub(crate) answered: Cell<bool>,
    /// The tasks that work on answers, by whose call it is.
    pub(crate) laters: RefCell<BTreeMap<LaterName, JoinHandle<()>>>,
    /// The state; none while the shard sleeps or restarts.
    service: RefCell<Option<S>>,
    /// There is a state to use, now or when whoever uses it is done.
    up: Cell<bool>,
    /// Something panicked in the middle of a change: the state is not to be used any more.
    poisoned: Cell<bool>,
    /// The shard sleeps until a resize wakes it: tasks that its last life has left behind ask nobody.
    asleep: Cell<bool>,
    /// The state has panicked and another is on its way.
    restarting: Cell<bool>,
    /// The latest restart that this shard has been told of.
    pub(crate) restart_epoch: Cell<u64>,
}

/// A shard's part in the node's life.
pub(crate) struct Life {
    pub(crate) node: Arc<Node>,
    me: ShardId,
    /// The phase that this shard has acted on.
    seen: Cell<Phase>,
    /// A stop was asked, or this shard is to retire. A new one for each of the shard's lives.
    pub(crate) stopping: RefCell<Rc<Signal>>,
    /// The shards leave.
    pub(crate) over: Rc<Signal>,
}

impl Life {
    fn new(node: Arc<Node>, me: ShardId) -> Self {
        Self {
            node,
            me,
            seen: Cell::new(Phase::Running),
            stopping: RefCell::default(),
            over: Rc::default(),
        }
    }

    /// A new life begins, which has not been asked to stop, unless the node has.
    pub(crate) fn renew(&self) {
        let stopping = Rc::<Signal>::default();
        if self.seen.get().is_stopping() {
            stopping.fire();
        }
        *self.stopping.borrow_mut() = stopping;
    }

    /// Ends the node because of this shard.
    pub(crate) fn fail(&self, reason: String) {
        self.node.fail(self.me, reason);
    }

    /// Whether this shard has seen that all leave.
    pub(crate) fn is_over(&self) -> bool {
        self.seen.get().is_over()
    }

    /// Whether the node's life has moved on and this shard has not acted on it yet.
    pub(crate) fn has_news(&self) -> bool {
        self.node.phase() != self.seen.get()
    }
}

/// Whose code runs on the state: names it when it panics.
#[derive(Clone, Copy)]
enum Doing {
    Request { from: Origin, label: &'static str },
    Control { from: ShardId },
    BatchEnd,
    Tick,
    With,
    Shutdown,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { from, label: "" } => write!(f, "handling a request of {from}"),
            Self::Request { from, label } => write!(f, "handling `{label}` of {from}"),
            Self::Control { from } => write!(f, "handling a control message of shard {from}"),
            Self::BatchEnd => f.write_str("the end of a batch"),
            Self::Tick => f.write_str("its tick"),
            Self::With => f.write_str("a task that used the shard's state"),
            Self::Shutdown => f.write_str("its shutdown"),
        }
    }
}

/// The state panicked, which has been reported.
pub(crate) struct Broken(Box<dyn Any + Send>);

impl<S: Service> Core<S> {
    pub(crate) fn new(
        me: ShardId,
        outside: Arc<Outside<S>>,
        links: Vec<Option<Link<S>>>,
    ) -> Rc<Self> {
        let node = outside.node().clone();
        let tally = Rc::new(Tally::new::<S>(node.metrics(), me));
        let replies = Rc::new(Replies::new());
        let partitions = Rc::new(Partitions::new());
        let answers = links.iter().map(|_| VecDeque::new()).collect();
        Rc::new(Self {
            map: RefCell::new(Rc::new(node.first_map().clone())),
            outbox: Outbox::new(
                node.clone(),
                tally.clone(),
                replies.clone(),
                partitions.clone(),
                links,
            ),
            life: Life::new(node, me),
            tally,
            spans: OpenSpans::of(me),
            replies,
            partitions,
            outside,
            local: RefCell::default(),
            answers: RefCell::new(answers),
            answered: Cell::new(false),
            laters: RefCell::default(),
            service: RefCell::new(None),
            up: Cell::new(false),
            poisoned: Cell::new(false),
            asleep: Cell::new(false),
            restarting: Cell::new(false),
            restart_epoch: Cell::new(0),
        })
    }

    pub(crate) fn me(&self) -> ShardId {
        self.life.me
    }

    /// Acts on a new phase of the node's life. True if there was one.
    pub(crate) fn look_at_life(&self) -> bool {
        let phase = self.life.node.phase();
        if self.life.seen.replace(phase) == phase {
            return false;
        }
        if phase >= Phase::Stopping {
            self.life.stopping.borrow().fire();
        }
        if phase.is_over() {
            self.life.over.fire();
            let lost = self.replies.close();
            self.tally.lost.add(lost as u64);
        }
        true
    }

    /// Sends a control message; on the own shard it is handled at once.
    pub(crate) fn control(
        &self,
        to: ShardId,
        message: S::Control,
    ) -> Result<(), Refused<S::Control>> {
        if self.life.is_over() {
            return Err(self.closing(message));
        }
        if to == self.me() {
            self.handle_control(message, to);
            return Ok(());
        }
        let sent = self.outbox.control(to, Control::User(message));
        sent.map_err(|refused| {
            refused.map(|message| match message {
                Control::User(message) => message,
                _ => unreachable!("what comes back is what was sent"),
            })
        })
    }
}

/// What others see of it.
impl<S: Service> Core<S> {
    /// Shows how much waits, at the end of a turn.
    pub(crate) fn show(&self) {
        self.tally.end_turn();
        let shown = &self.tally.service;
        shown.outstanding.set(self.outbox.open() as u64);
        shown.waiting.set(self.outbox.in_line() as u64);
        shown.local.set(self.local.borrow().len() as u64);
        shown.answering.set(self.laters.borrow().len() as u64);
    }
}

/// The state's coming and going.
impl<S: Service> Core<S> {
    /// Puts a new state in place.
    pub(crate) fn install(&self, service: S) {
        let before = self.service.borrow_mut().replace(service);
        assert!(before.is_none(), "a shard has one state at a time");
        self.tally.service.lives.inc();
        self.poisoned.set(false);
        self.up.set(true);
        self.restarting.set(false);
        self.asleep.set(false);
    }

    /// The shard sleeps from now on.
    pub(crate) fn fall_asleep(&self) {
        self.asleep.set(true);
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.get()
    }

    /// Ends the state in peace: its shutdown runs, then it is dropped.
    pub(crate) fn put_down(&self) {
        if self.is_up() {
            let _ = self.on_state(Doing::Shutdown, S::shutdown);
        }
        self.discard();
    }

    /// Drops the state as it is, and what works on answers for it. One that was broken may break once more as it
    /// goes.
    pub(crate) fn discard(&self) {
        self.up.set(false);
        self.cancel_laters();
        let state = self
            .service
            .try_borrow_mut()
            .ok()
            .and_then(|mut state| state.take());
        if catch_unwind(AssertUnwindSafe(|| drop(state))).is_err() {
            self.tally.panics.inc();
            tracing::error!(
                shard = self.me().number(),
                "dropping the service's state panicked"
            );
        }
    }

    /// The state is gone and another is to come, or none after all.
    pub(crate) fn set_restarting(&self, restarting: bool) {
        self.restarting.set(restarting);
    }

    /// Whether requests stay where they are until there is a state again.
    pub(crate) fn holds_requests(&self) -> bool {
        self.restarting.get() && self.life.node.keeper().is_some_and(Keeper::holds_requests)
    }
}

impl<S: Service> Core<S> {
    /// What works on answers has lost the state that it would use.
    fn cancel_laters(&self) {
        let laters = std::mem::take(&mut *self.laters.borrow_mut());
        laters.into_values().for_each(JoinHandle::cancel);
    }
}

/// All ways to the service's state. Whichever panics ends it: half-changed state serves nobody.
impl<S: Service> Core<S> {
    pub(crate) fn handle(&self, request: S::Request, cx: &Cx<'_, S>) -> Result<Outcome<S>, Broken> {
        let label = S::label(&request);
        let from = cx.origin;
        self.on_state(Doing::Request { from, label }, |state| {
            self.tally.handling(|| state.handle(request, cx))
        })
    }

    pub(crate) fn handle_control(&self, message: S::Control, from: ShardId) {
        if self.is_up() {
            let _ = self.on_state(Doing::Control { from }, |state| {
                state.control(message, from)
            });
        }
    }

    pub(crate) fn batch_end(&self, mesh: &Mesh<S>) {
        if self.is_up() {
            let _ = self.on_state(Doing::BatchEnd, |state| state.batch_end(mesh));
        }
    }

    /// Whether the shard's state has not been broken.
    pub(crate) fn is_sound(&self) -> bool {
        !self.poisoned.get()
    }

    /// Whether there is a state to use, now or when whoever uses it is done.
    pub(crate) fn is_up(&self) -> bool {
        self.up.get()
    }

    /// Whether nobody uses the state.
    pub(crate) fn is_free(&self) -> bool {
        self.service.try_borrow_mut().is_ok()
    }

    /// Whether the state can be used right here, right now.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_up() && self.is_free()
    }

    pub(crate) fn tick(&self) {
        if self.is_up() {
            let _ = self.on_state(Doing::Tick, S::tick);
        }
    }

    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        let seen = self.on_state(Doing::With, look);
        seen.unwrap_or_else(|Broken(payload)| resume_unwind(payload))
    }

    /// For the mesh's own errands: `None` where there is no state to use, or where it panicked, which is the end
    /// of the state and not of the errand.
    pub(crate) fn attempt<R>(&self, look: impl FnOnce(&mut S) -> R) -> Option<R> {
        let usable = self.is_usable();
        usable
            .then(|| self.on_state(Doing::With, look).ok())
            .flatten()
    }

    fn on_state<R>(&self, doing: Doing, act: impl FnOnce(&mut S) -> R) -> Result<R, Broken> {
        assert!(
            !self.poisoned.get(),
            "the shard has failed: its state is used no more"
        );
        // A fault of whoever asks, and none of the state's.
        let absent = self.service.try_borrow().is_ok_and(|state| state.is_none());
        assert!(!absent, "the shard has no state: it sleeps or restarts");
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let state = self.service.try_borrow_mut();
            let mut state = state.expect(
                "the shard's state is in use already: `with` inside `with`, \
                 or inside the service's own handler",
            );
            act(state.as_mut().expect("it was there a moment ago"))
        }));
        outcome.map_err(|payload| self.panicked(doing, payload))
    }

    #[cold]
    fn panicked(&self, doing: Doing, payload: Box<dyn Any + Send>) -> Broken {
        self.up.set(false);
        self.tally.panics.inc();
        let reason = format!("{doing} panicked: {}", panics::text(&*payload));
        if self.life.node.keeper().is_none() {
            self.poisoned.set(true);
            self.cancel_laters();
            self.life.fail(reason);
        } else {
            self.discard();
            restart::order(self, &reason);
        }
        Broken(payload)
    }
}
