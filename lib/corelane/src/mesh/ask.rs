//! What leaves a task of this shard: where it goes, whether it is handled in place, held, sent or refused.

use std::rc::Rc;

use super::call::{Open, Underway};
use super::core::Core;
use super::errors::{Refusal, Refused};
use super::outbox::Patience;
use super::replies::{ReplyKey, Waiter};
use super::serve::{ReturnTo, Served, serve};
use super::trace::is_watched;
use super::wiring::{Body, Control, Request, Tag};
use crate::cx::Origin;
use crate::{CallOptions, Mesh, Service, ShardId};

/// Requests to the own shard that wait for its next turn; more are refused. They wait only where the state is
/// in use (a handler asks its own shard) or where others wait already.
const LOCAL_QUEUE: usize = 16_384;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To this shard.
    Shard(ShardId),
    /// To the shard that owns this partition when the request leaves, and to no other: a partition that
    /// moves takes its requests along, in order.
    Partition(usize),
}

impl From<ShardId> for Target {
    fn from(shard: ShardId) -> Self {
        Self::Shard(shard)
    }
}

/// A request that has no slot yet.
pub(crate) struct Asked<S: Service> {
    pub(crate) body: Body<S>,
    pub(crate) tag: Tag,
    pub(crate) options: Option<Box<CallOptions>>,
}

impl<S: Service> Asked<S> {
    pub(crate) fn new(target: Target, body: Body<S>, options: CallOptions) -> Self {
        let tag = match target {
            Target::Shard(_) => Tag::NONE,
            Target::Partition(partition) => Tag::of(partition),
        };
        let options = (options != CallOptions::new()).then(|| Box::new(options));
        Self { body, tag, options }
    }

    pub(crate) fn with_key(self, key: ReplyKey) -> Request<S> {
        Request {
            key,
            body: self.body,
            options: self.options,
        }
    }
}

impl<S: Service> Mesh<S> {
    /// Asks `target`: in place if it is this shard and its state is free, else by a message.
    pub(crate) fn ask(
        &self,
        target: Target,
        body: Body<S>,
        mut options: CallOptions,
        patience: Patience,
    ) -> Result<Open<S>, Refused<Body<S>>> {
        if is_watched() {
            options = self.begin_span(target, options);
        }
        let asked = Asked::new(target, body, options);
        if self.core.can_answer(target, asked.tag) {
            self.core.tally.local_calls.inc();
            return Ok(self.ask_in_place(asked));
        }
        let sent = self.core.send(target, asked, patience, Waiter::Call(None));
        match sent {
            Ok((key, to)) => Ok(self.underway(key, to)),
            Err(refused) => {
                self.core.spans.end(None);
                Err(refused)
            }
        }
    }

    /// Begins the call's span; who gives the call its slot, or answers or refuses it, says so to it.
    #[cold]
    fn begin_span(&self, target: Target, mut options: CallOptions) -> CallOptions {
        let (spans, me) = (&self.core.spans, Origin::Shard(self.shard()));
        let span = spans.traces.call_span::<S>(me, target, &mut options);
        spans.begin(span);
        options
    }

    /// Asks `target` for somebody who is told by the waiter; no future holds the call.
    pub(crate) fn ask_for(
        &self,
        target: Target,
        body: Body<S>,
        options: CallOptions,
        waiter: Waiter<S>,
    ) -> Result<(), Refused<Body<S>>> {
        let asked = Asked::new(target, body, options);
        if self.core.can_answer(target, asked.tag) {
            self.core.tally.local_calls.inc();
            self.answer_in_place(asked, waiter);
            return Ok(());
        }
        let sent = self.core.send(target, asked, Patience::Wait, waiter);
        sent.map(drop)
    }

    /// As `ask_in_place`, for somebody who is told by the waiter: who waits for what is there does not wait.
    fn answer_in_place(&self, asked: Asked<S>, waiter: Waiter<S>) {
        let tag = asked.tag;
        let key = self.core.replies.reserve(tag, waiter);
        self.core.partitions.opened(tag);
        match serve(self, Origin::Shard(self.shard()), asked) {
            Served::Now(answer) => self.core.settle(key, answer),
            Served::Later(future) => self.core.answer_later(ReturnTo::Local(key), future),
        }
    }

    /// Handles a request of the own shard here and now.
    fn ask_in_place(&self, asked: Asked<S>) -> Open<S> {
        let origin = Origin::Shard(self.shard());
        let tag = asked.tag;
        match serve(self, origin, asked) {
            Served::Now(answer) => {
                self.core.spans.end(None);
                Open::Here(answer)
            }
            Served::Later(future) => {
                let key = self.core.replies.reserve(tag, Waiter::Call(None));
                self.core.partitions.opened(tag);
                self.core.answer_later(ReturnTo::Local(key), future);
                self.underway(key, Some(self.shard()))
            }
        }
    }

    fn underway(&self, key: ReplyKey, to: Option<ShardId>) -> Open<S> {
        self.core.spans.end(Some(key));
        Open::Underway(Underway::new(self.core.clone(), key, to))
    }
}

impl<S: Service> Core<S> {
    /// Whether a request to `target` can be handled right here, right now.
    fn can_answer(&self, target: Target, tag: Tag) -> bool {
        let mine = match target {
            Target::Shard(shard) => shard == self.me(),
            Target::Partition(partition) => {
                self.map.borrow().owner(partition) == self.me() && !self.partitions.is_frozen(tag)
            }
        };
        mine && !self.life.is_over()
            && !self.is_asleep()
            && self.local.borrow().is_empty()
            && self.is_free()
            && !self.holds_requests()
    }

    /// Puts a request on its way; where it went, unless it is held.
    fn send(
        &self,
        target: Target,
        asked: Asked<S>,
        patience: Patience,
        waiter: Waiter<S>,
    ) -> Result<(ReplyKey, Option<ShardId>), Refused<Body<S>>> {
        if self.life.is_over() {
            return Err(self.closing(asked.body));
        }
        if self.is_asleep() {
            self.tally.refused_asleep.inc();
            return Err(Refused {
                message: asked.body,
                reason: Refusal::Down,
            });
        }
        if self.partitions.is_frozen(asked.tag) {
            return Ok((self.hold(asked, waiter)?, None));
        }
        let to = match target {
            Target::Shard(shard) => shard,
            Target::Partition(partition) => self.map.borrow().owner(partition),
        };
        if to == self.me() {
            return Ok((self.queue_locally(asked, waiter)?, Some(to)));
        }
        let sent = self.outbox.request(to, asked, patience, waiter);
        let key = sent.map_err(|refused| refused.map(|asked| asked.body))?;
        Ok((key, Some(to)))
    }

    /// Keeps a request until its partition has moved.
    fn hold(&self, asked: Asked<S>, waiter: Waiter<S>) -> Result<ReplyKey, Refused<Body<S>>> {
        if !self.partitions.has_room(asked.tag) {
            return Err(self.full(asked.body));
        }
        self.tally.held.inc();
        let key = self.replies.reserve(asked.tag, waiter);
        self.partitions.hold(asked.with_key(key));
        Ok(key)
    }

    /// Lets a request to the own shard wait for its turn.
    fn queue_locally(
        &self,
        asked: Asked<S>,
        waiter: Waiter<S>,
    ) -> Result<ReplyKey, Refused<Body<S>>> {
        if self.local.borrow().len() >= LOCAL_QUEUE {
            return Err(self.full(asked.body));
        }
        self.tally.local_calls.inc();
        let key = self.replies.reserve(asked.tag, waiter);
        self.partitions.opened(asked.tag);
        self.local.borrow_mut().push_back(asked.with_key(key));
        Ok(key)
    }

    /// Sends on what was held for a partition that has a new owner, or stays where it is.
    pub(crate) fn release(&self, tag: Tag, owner: ShardId) {
        let here = owner == self.me();
        for request in self.partitions.thaw(tag) {
            match here {
                true => self.tally.local_calls.inc(),
                false => self.tally.calls.inc(),
            }
            if !self.replies.is_wanted(request.key) {
                self.tally.cancelled.inc();
                self.replies.release(request.key);
            } else if here {
                self.partitions.opened(tag);
                self.local.borrow_mut().push_back(request);
            } else {
                self.outbox.send_on(owner, request);
            }
        }
    }

    /// A call was dropped before its answer came: whoever is answering it may stop. One that was held went to the
    /// owner of its partition, which cannot move before it is answered.
    pub(crate) fn give_up(self: &Rc<Self>, key: ReplyKey, to: Option<ShardId>) {
        let tag = key.tag;
        let to = to.or_else(|| match self.partitions.is_frozen(tag) {
            true => None,
            false => tag.partition().map(|p| self.map.borrow().owner(p)),
        });
        match to {
            Some(to) if to == self.me() => self.cancel_later(Origin::Shard(to), key),
            Some(to) if !self.life.is_over() => {
                // At worst the answer comes, and nobody takes it.
                let _ = self.outbox.control(to, Control::Cancel(key));
            }
            _ => {}
        }
    }

    pub(crate) fn closing<T>(&self, message: T) -> Refused<T> {
        self.tally.refused_closing.inc();
        Refused {
            message,
            reason: Refusal::Closing,
        }
    }

    fn full<T>(&self, message: T) -> Refused<T> {
        self.tally.refused_full.inc();
        Refused {
            message,
            reason: Refusal::Full,
        }
    }
}
