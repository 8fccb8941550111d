//! What leaves this shard: every message for a peer passes here.
//!
//! A request needs a **credit**: each pair of shards has as many as its lanes have room, a request
//! takes one and its reply brings it back. What has a credit is staged until the end of the turn;
//! what has none waits in line. Replies and control messages only note here that their target
//! must be woken, so that each target is woken at most once per turn.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use corelane_channel::{PushError, Sender};

use super::ask::Asked;
use super::errors::{Refusal, Refused};
use super::partitions::Partitions;
use super::replies::{Replies, ReplyKey, Waiter};
use super::stats::Tally;
use super::wiring::{CONTROL_RESERVED, Control, Request};
use crate::node::Node;
use crate::{Service, ShardId};

/// Calls that wait in line for a credit, per pair. Beyond it calls are refused: tens of thousands of
/// requests behind a peer that does not keep up are better told so than queued.
pub(crate) const WAITING_PER_PAIR: usize = 16_384;

/// What a call does when its pair has no credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Wait,
    Refuse,
}

/// The outgoing side of one shard.
pub(crate) struct Outbox<S: Service> {
    node: Arc<Node>,
    tally: Rc<Tally>,
    replies: Rc<Replies<S>>,
    partitions: Rc<Partitions<S>>,
    links: Box<[Option<RefCell<Link<S>>>]>,
    /// Peers that have something staged or must be woken; each at most once.
    touched: RefCell<Vec<ShardId>>,
    /// Requests whose reply has not come, over all peers.
    open: Cell<usize>,
    /// Requests that wait in line, over all peers.
    in_line: Cell<usize>,
}

/// The way to one peer.
pub(crate) struct Link<S: Service> {
    requests: Sender<Request<S>>,
    control: Sender<Control<S>>,
    /// Have a credit; leave at the next flush.
    staged: VecDeque<Request<S>>,
    /// Have none yet; first come, first served.
    waiting: VecDeque<Request<S>>,
    /// Credits in use: requests staged, on their way, or being answered.
    outstanding: usize,
    touched: bool,
}

impl<S: Service> Link<S> {
    pub(crate) fn new(requests: Sender<Request<S>>, control: Sender<Control<S>>) -> Self {
        Self {
            requests,
            control,
            staged: VecDeque::new(),
            waiting: VecDeque::new(),
            outstanding: 0,
            touched: false,
        }
    }

    fn has_credit(&self) -> bool {
        self.outstanding < self.requests.capacity()
    }
}

impl<S: Service> Outbox<S> {
    pub(crate) fn new(
        node: Arc<Node>,
        tally: Rc<Tally>,
        replies: Rc<Replies<S>>,
        partitions: Rc<Partitions<S>>,
        links: Vec<Option<Link<S>>>,
    ) -> Self {
        Self {
            node,
            tally,
            replies,
            partitions,
            links: links
                .into_iter()
                .map(|link| link.map(RefCell::new))
                .collect(),
            touched: RefCell::default(),
            open: Cell::new(0),
            in_line: Cell::new(0),
        }
    }

    /// Reserves the reply's slot and stages the request, lets it wait in line, or gives it back.
    #[inline]
    pub(crate) fn request(
        &self,
        to: ShardId,
        asked: Asked<S>,
        patience: Patience,
        waiter: Waiter<S>,
    ) -> Result<ReplyKey, Refused<Asked<S>>> {
        let mut link = self.link(to).borrow_mut();
        // Nobody passes those who wait.
        let leaves_now = link.waiting.is_empty() && link.has_credit();
        let may_wait = patience == Patience::Wait && link.waiting.len() < WAITING_PER_PAIR;
        if !leaves_now && !may_wait {
            self.tally.refused_full.inc();
            return Err(Refused {
                message: asked,
                reason: Refusal::Full,
            });
        }
        let key = self.replies.reserve(asked.tag, waiter);
        self.tally.calls.inc();
        self.line_up(to, &mut link, asked.with_key(key));
        Ok(key)
    }

    /// Sends a request that was taken before and held back. The line may grow past its bound by what was
    /// held, which has a bound of its own.
    pub(crate) fn send_on(&self, to: ShardId, request: Request<S>) {
        self.line_up(to, &mut self.link(to).borrow_mut(), request);
    }

    #[inline]
    fn line_up(&self, to: ShardId, link: &mut Link<S>, request: Request<S>) {
        self.partitions.opened(request.key.tag);
        if link.waiting.is_empty() && link.has_credit() {
            self.stage(to, link, request);
        } else {
            self.tally.waited.inc();
            self.in_line.set(self.in_line.get() + 1);
            link.waiting.push_back(request);
        }
    }

    /// Takes back the credits of `replies` replies from `from` and stages who waited for them.
    pub(crate) fn settle(&self, from: ShardId, replies: usize) {
        let mut link = self.link(from).borrow_mut();
        link.outstanding -= replies;
        self.open.set(self.open.get() - replies);
        // Requests whose callers are gone, dropped after the borrow: their drops are foreign code.
        let mut cancelled = Vec::new();
        while link.has_credit() {
            let Some(request) = link.waiting.pop_front() else {
                break;
            };
            self.in_line.set(self.in_line.get() - 1);
            if self.replies.is_wanted(request.key) {
                self.stage(from, &mut link, request);
            } else {
                cancelled.push(request);
            }
        }
        drop(link);
        for request in cancelled {
            self.tally.cancelled.inc();
            self.replies.release(request.key);
            self.partitions.closed(request.key.tag);
        }
    }

    /// Sends a control message; it is in the lane when this returns, and the wake follows with the
    /// turn's flush. A service's own messages leave the last places of the lane to the mesh.
    pub(crate) fn control(
        &self,
        to: ShardId,
        message: Control<S>,
    ) -> Result<(), Refused<Control<S>>> {
        let mut link = self.link(to).borrow_mut();
        let reserved = match message {
            Control::Errand(_) => 0,
            Control::User(_) | Control::Cancel(_) => CONTROL_RESERVED,
        };
        let pushed = if link.control.free() > reserved || link.control.is_closed() {
            link.control.push(message)
        } else {
            Err(PushError::Full(message))
        };
        let (message, reason) = match pushed {
            Ok(()) => {
                self.tally.control_sent.inc();
                self.touch(to, &mut link);
                return Ok(());
            }
            Err(PushError::Full(message)) => {
                self.tally.control_refused.inc();
                (message, Refusal::Full)
            }
            Err(PushError::Closed(message)) => {
                self.tally.refused_closing.inc();
                (message, Refusal::Closing)
            }
        };
        Err(Refused { message, reason })
    }

    /// Notes that replies for `to` were published and that it must be woken.
    pub(crate) fn replied(&self, to: ShardId) {
        self.tally.batches.inc();
        self.touch(to, &mut self.link(to).borrow_mut());
    }

    /// Publishes what is staged, one batch per peer, and wakes those peers that sleep. True if there
    /// was anything to do.
    pub(crate) fn flush(&self) -> bool {
        let mut worked = false;
        loop {
            // Each peer by itself, so that nothing is borrowed while another is woken.
            let Some(to) = self.touched.borrow_mut().pop() else {
                return worked;
            };
            worked = true;
            self.publish(&mut self.link(to).borrow_mut());
            if self.node.wake(to) {
                self.tally.wakes.inc();
            }
        }
    }

    /// Requests whose reply has not come, over all peers.
    pub(crate) fn open(&self) -> usize {
        self.open.get()
    }

    /// Requests that wait in line, over all peers.
    pub(crate) fn in_line(&self) -> usize {
        self.in_line.get()
    }

    /// Whether a reply is outstanding from any peer.
    pub(crate) fn is_open(&self) -> bool {
        self.open.get() > 0
    }

    #[inline]
    fn stage(&self, to: ShardId, link: &mut Link<S>, request: Request<S>) {
        link.outstanding += 1;
        self.open.set(self.open.get() + 1);
        link.staged.push_back(request);
        self.touch(to, link);
    }

    fn touch(&self, to: ShardId, link: &mut Link<S>) {
        if !link.touched {
            link.touched = true;
            self.touched.borrow_mut().push(to);
        }
    }

    fn publish(&self, link: &mut Link<S>) {
        link.touched = false;
        if link.staged.is_empty() {
            return;
        }
        if link.requests.push_batch(&mut link.staged) > 0 {
            self.tally.batches.inc();
        }
        // What stays is lost with a peer that has left, which ends the node (and these calls).
        assert!(
            link.staged.is_empty() || link.requests.is_closed(),
            "a request with a credit has room in its lane"
        );
        link.staged.clear();
    }

    fn link(&self, peer: ShardId) -> &RefCell<Link<S>> {
        let link = self.links.get(peer.index()).and_then(Option::as_ref);
        link.unwrap_or_else(|| panic!("this node has no peer shard {peer}"))
    }
}
