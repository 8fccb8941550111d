//! What the tasks and the poller of one shard share: the service's state, the outgoing side of the
//! mesh, and the shard's part in the node's life.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;

use super::call::Call;
use super::errors::{Refusal, Refused};
use super::outbox::{Link, Outbox, Patience};
use super::replies::Replies;
use super::stats::Tally;
use crate::node::{Node, Phase};
use crate::signal::Signal;
use crate::{Service, ShardId, ShardMap, panics};

/// One shard's shared inside.
pub(crate) struct Core<S: Service> {
    pub(crate) life: Life,
    pub(crate) map: Rc<ShardMap>,
    pub(crate) tally: Rc<Tally>,
    pub(crate) replies: Rc<Replies<S::Reply>>,
    pub(crate) outbox: Outbox<S>,
    service: RefCell<S>,
    /// Something panicked in the middle of a change: the state is not to be used any more.
    poisoned: Cell<bool>,
}

/// A shard's part in the node's life.
pub(crate) struct Life {
    pub(crate) node: Arc<Node>,
    me: ShardId,
    /// The phase that this shard has acted on.
    seen: Cell<Phase>,
    /// A stop was asked.
    pub(crate) stopping: Rc<Signal>,
    /// The shards leave.
    pub(crate) over: Rc<Signal>,
}

impl Life {
    fn new(node: Arc<Node>, me: ShardId) -> Self {
        Self {
            node,
            me,
            seen: Cell::new(Phase::Running),
            stopping: Rc::default(),
            over: Rc::default(),
        }
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
    Request { from: ShardId },
    Control { from: ShardId },
    Tick,
    With,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { from } => write!(f, "handling a request of shard {from}"),
            Self::Control { from } => write!(f, "handling a control message of shard {from}"),
            Self::Tick => f.write_str("its tick"),
            Self::With => f.write_str("a task that used the shard's state"),
        }
    }
}

impl<S: Service> Core<S> {
    pub(crate) fn new(
        node: Arc<Node>,
        me: ShardId,
        service: S,
        links: Vec<Option<Link<S>>>,
    ) -> Rc<Self> {
        let tally = Rc::<Tally>::default();
        let replies = Rc::new(Replies::new());
        Rc::new(Self {
            map: Rc::new(ShardMap::even(node.shards())),
            outbox: Outbox::new(node.clone(), tally.clone(), replies.clone(), links),
            life: Life::new(node, me),
            tally,
            replies,
            service: RefCell::new(service),
            poisoned: Cell::new(false),
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
            self.life.stopping.fire();
        }
        if phase.is_over() {
            self.life.over.fire();
            self.replies.close();
        }
        true
    }
}

/// Calls and control messages, by where they go.
impl<S: Service> Core<S> {
    pub(crate) fn call(
        &self,
        to: ShardId,
        request: S::Request,
        patience: Patience,
    ) -> Result<Call<S::Reply>, Refused<S::Request>> {
        if self.life.is_over() {
            return Err(self.closing(request));
        }
        if to != self.me() {
            return self.outbox.request(to, request, patience);
        }
        self.tally.count(|stats| stats.local_calls += 1);
        let reply = self.on_state(Doing::Request { from: to }, |state| {
            state.handle(request, to)
        });
        Ok(Call::answered(reply))
    }

    pub(crate) fn control(
        &self,
        to: ShardId,
        message: S::Control,
    ) -> Result<(), Refused<S::Control>> {
        if self.life.is_over() {
            return Err(self.closing(message));
        }
        if to != self.me() {
            return self.outbox.control(to, message);
        }
        self.on_state(Doing::Control { from: to }, |state| {
            state.control(message, to)
        });
        Ok(())
    }

    fn closing<T>(&self, message: T) -> Refused<T> {
        self.tally.count(|stats| stats.refused_closing += 1);
        Refused {
            message,
            reason: Refusal::Closing,
        }
    }
}

/// All ways to the service's state. Whichever panics ends the node: half-changed state serves nobody.
impl<S: Service> Core<S> {
    pub(crate) fn handle(&self, request: S::Request, from: ShardId) -> S::Reply {
        self.on_state(Doing::Request { from }, |state| state.handle(request, from))
    }

    pub(crate) fn handle_control(&self, message: S::Control, from: ShardId) {
        self.on_state(Doing::Control { from }, |state| {
            state.control(message, from)
        });
    }

    /// Whether the state can still be used.
    pub(crate) fn is_sound(&self) -> bool {
        !self.poisoned.get()
    }

    /// Whether the state can be used right here, right now.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_sound() && self.service.try_borrow_mut().is_ok()
    }

    pub(crate) fn tick(&self) {
        self.on_state(Doing::Tick, S::tick);
    }

    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        self.on_state(Doing::With, look)
    }

    fn on_state<R>(&self, doing: Doing, act: impl FnOnce(&mut S) -> R) -> R {
        assert!(
            !self.poisoned.get(),
            "the shard has failed: its state is used no more"
        );
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let state = self.service.try_borrow_mut();
            let mut state = state.expect(
                "the shard's state is in use already: `with` inside `with`, \
                 or a message to the own shard from inside its service",
            );
            act(&mut state)
        }));
        outcome.unwrap_or_else(|payload| self.panicked(doing, payload))
    }

    #[cold]
    fn panicked(&self, doing: Doing, payload: Box<dyn Any + Send>) -> ! {
        self.poisoned.set(true);
        self.life
            .fail(format!("{doing} panicked: {}", panics::text(&*payload)));
        resume_unwind(payload)
    }
}
