//! What this shard does with a request, wherever it came from: answers it now, or starts its answer and sends
//! it when it is there.

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use corelane_rt::{task, time};
use tracing::Instrument;

use super::ask::Asked;
use super::core::Core;
use super::replies::{ReplyKey, Settled, Shot};
use super::stats::Tally;
use super::trace::{handle_span, is_watched};
use super::wiring::{Answer, Body, NoReply, Reply, Tag};
use crate::cx::{Cx, Origin};
use crate::outside::Routes;
use crate::service::Later;
use crate::{CallOptions, Mesh, Outcome, Service, ShardId};

/// What came of a request so far.
pub(crate) enum Served<S: Service> {
    Now(Answer<S>),
    Later(LaterAnswer<S>),
}

/// An answer that takes time.
pub(crate) type LaterAnswer<S> = Pin<Box<dyn Future<Output = Answer<S>>>>;

/// Where an answer goes.
pub(crate) enum ReturnTo<S: Service> {
    /// To a slot of this shard.
    Local(ReplyKey),
    /// To a slot of a peer.
    Peer(ShardId, ReplyKey),
    /// Out of the node, if somebody waits there.
    Outside(Option<Shot<S>>, Tag),
}

/// Handles a request on the state of `mesh`, which must be free.
pub(crate) fn serve<S: Service>(mesh: &Mesh<S>, origin: Origin, asked: Asked<S>) -> Served<S> {
    let core = &mesh.core;
    let Asked { body, tag, options } = asked;
    let options = options.map_or_else(CallOptions::new, |options| *options);
    if options.is_expired() {
        core.tally.expired.inc();
        return Served::Now(NoReply::Expired.into());
    }
    if let Some(partition) = tag.partition() {
        if core.map.borrow().owner(partition) != core.me() {
            core.tally.misdirected.inc();
            return Served::Now(NoReply::Moved(body).into());
        }
        core.partitions.handled(partition);
    }
    if !core.is_up() {
        core.tally.refused_down.inc();
        return Served::Now(NoReply::Down(body).into());
    }
    match body {
        Body::Ask(request) => {
            let cx = Cx {
                mesh,
                origin,
                options,
                tag,
            };
            if options.trace().is_some() && is_watched() {
                return handle_watched(core, request, &cx);
            }
            match core.handle(request, &cx) {
                Ok(outcome) => of(core, outcome, options),
                Err(_) => Served::Now(NoReply::Panicked.into()),
            }
        }
        Body::Task(task) => {
            let result = task(mesh.clone());
            Served::Later(Box::pin(async move { NoReply::Task(result.await).into() }))
        }
    }
}

/// Handles a request inside a span, which goes with an answer that takes time.
#[cold]
fn handle_watched<S: Service>(core: &Core<S>, request: S::Request, cx: &Cx<'_, S>) -> Served<S> {
    let span = handle_span::<S>(core.me(), cx.origin, cx.tag, &cx.options);
    let handled = span.in_scope(|| core.handle(request, cx));
    let Ok(outcome) = handled else {
        return Served::Now(NoReply::Panicked.into());
    };
    match of(core, outcome, cx.options) {
        Served::Later(future) => Served::Later(Box::pin(future.instrument(span))),
        now => now,
    }
}

/// A handler's outcome as an answer.
fn of<S: Service>(core: &Core<S>, outcome: Outcome<S>, options: CallOptions) -> Served<S> {
    match outcome {
        Outcome::Ready(reply) => Served::Now(Answer::Reply(reply)),
        Outcome::Later(later) => {
            Served::Later(Box::pin(in_time(later, options, core.tally.clone())))
        }
        Outcome::Moved(request) => Served::Now(NoReply::Moved(Body::Ask(request)).into()),
        Outcome::Rejected(rejection) => {
            core.tally.rejected.inc();
            Served::Now(NoReply::Rejected(rejection).into())
        }
    }
}

/// The answer, unless the deadline comes first.
async fn in_time<S: Service>(
    later: Later<S::Reply>,
    options: CallOptions,
    tally: Rc<Tally>,
) -> Answer<S> {
    let Some(deadline_ns) = options.deadline_ns() else {
        return Answer::Reply(later.0.await);
    };
    let left = Duration::from_nanos(deadline_ns.saturating_sub(time::now_ns()));
    let reply = time::timeout(left, later.0).await;
    reply.map_or_else(
        |_| {
            tally.expired_later.inc();
            NoReply::Expired.into()
        },
        Answer::Reply,
    )
}

impl<S: Service> Core<S> {
    /// Sends an answer to whom it belongs.
    pub(crate) fn answer(&self, to: ReturnTo<S>, answer: Answer<S>) {
        match to {
            ReturnTo::Local(key) => self.settle(key, answer),
            ReturnTo::Peer(peer, key) => {
                let reply = Reply { key, answer };
                self.answers.borrow_mut()[peer.index()].push_back(reply);
                self.answered.set(true);
            }
            ReturnTo::Outside(shot, tag) => {
                self.outside.routes().handled(tag);
                if let Some(shot) = shot {
                    // Whoever asked may have gone.
                    let _ = shot.send(answer);
                }
            }
        }
    }

    /// Runs `future` as a task and sends its answer, whatever becomes of it.
    pub(crate) fn answer_later(self: &Rc<Self>, to: ReturnTo<S>, future: LaterAnswer<S>) {
        self.tally.later.inc();
        let name = to.name(self.me(), self.tally.later.get());
        let mut owed = Owed {
            core: self.clone(),
            to: Some(to),
            name,
        };
        // The debt goes with the future: it is paid even if the task is dropped before it has run.
        let (tally, began_ns) = (self.tally.clone(), time::now_ns());
        let task = task::spawn(async move {
            let answer = future.await;
            let took_ns = time::read_ns() - began_ns;
            tally.service.answering_later.record(took_ns);
            owed.pay(answer);
        });
        self.laters.borrow_mut().insert(name, task);
    }

    /// Drops the task that works for this call, if there is one.
    pub(crate) fn cancel_later(&self, origin: Origin, key: ReplyKey) {
        let Origin::Shard(from) = origin else { return };
        let name = LaterName::Call(from, key);
        let task = self.laters.borrow_mut().remove(&name);
        if let Some(task) = task {
            task.cancel();
        }
    }

    /// Puts an answer into its slot of this shard.
    pub(crate) fn settle(&self, key: ReplyKey, answer: Answer<S>) {
        self.spans.close(key);
        let settled = self.replies.fulfil(key, answer);
        self.partitions.closed(key.tag);
        if settled == Settled::Late {
            self.tally.late_replies.inc();
        }
    }
}

impl<S: Service> ReturnTo<S> {
    /// Under which name the task that works for it is found, to be cancelled; `number` is its own.
    fn name(&self, me: ShardId, number: u64) -> LaterName {
        match self {
            Self::Local(key) => LaterName::Call(me, *key),
            Self::Peer(peer, key) => LaterName::Call(*peer, *key),
            Self::Outside(..) => LaterName::Outside(number),
        }
    }
}

/// Names a task that works on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaterName {
    /// By the call of a shard of the node.
    Call(ShardId, ReplyKey),
    /// By a number, for those outside, who do not cancel.
    Outside(u64),
}

/// An answer that is owed. It is paid when this is dropped, too: a task that panics or is cancelled must not keep
/// its caller's credit.
struct Owed<S: Service> {
    core: Rc<Core<S>>,
    to: Option<ReturnTo<S>>,
    /// Of the task that works for it.
    name: LaterName,
}

impl<S: Service> Owed<S> {
    fn pay(&mut self, answer: Answer<S>) {
        if let Some(to) = self.to.take() {
            let task = self.core.laters.borrow_mut().remove(&self.name);
            drop(task);
            self.core.answer(to, answer);
        }
    }
}

impl<S: Service> Drop for Owed<S> {
    fn drop(&mut self) {
        if self.to.is_none() {
            return;
        }
        if std::thread::panicking() {
            self.core.tally.panics.inc();
            self.pay(NoReply::Panicked.into());
        } else {
            self.core.tally.cancelled_later.inc();
            self.pay(NoReply::Cancelled.into());
        }
    }
}

/// The routes are told of what is handled, so that a move knows when nothing is under way from outside.
impl Routes {
    fn handled(&self, tag: Tag) {
        if let Some(partition) = tag.partition() {
            self.leave(partition);
        }
    }
}
