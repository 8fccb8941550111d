//! What arrives at this shard: taken once per turn of its loop, in bounded batches, and answered in
//! place. The end of each turn publishes what the shard's tasks and handlers have to say.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use corelane_channel::{Receiver, Sender};
use corelane_rt::Poller;

use super::core::Core;
use super::wiring::{Reply, Request};
use crate::{Service, ShardId, panics};

/// Requests taken from one peer in one turn. Enough to amortise the turn, few enough that the shard's
/// own connections and the other peers get theirs soon.
const REQUESTS_PER_TURN: usize = 64;

/// Control messages taken from one peer in one turn.
const CONTROL_PER_TURN: usize = 32;

/// The mesh's part in a shard's loop.
pub(crate) struct MeshPoller<S: Service> {
    core: Rc<Core<S>>,
    peers: Vec<Peer<S>>,
    /// The peer that is asked first; another one each turn, so that none is always last.
    first: usize,
    /// A request was handled since the shard last slept: more are likely.
    served: bool,
}

/// What connects to one peer.
pub(crate) struct Peer<S: Service> {
    pub(crate) id: ShardId,
    /// Its requests, and our replies to them.
    pub(crate) requests: Receiver<Request<S::Request>>,
    pub(crate) answers: Sender<Reply<S::Reply>>,
    /// Its replies to our requests.
    pub(crate) replies: Receiver<Reply<S::Reply>>,
    pub(crate) control: Receiver<S::Control>,
    /// Answers of the batch being handled.
    pub(crate) staged: VecDeque<Reply<S::Reply>>,
}

impl<S: Service> Poller for MeshPoller<S> {
    fn poll(&mut self) -> bool {
        let turn = catch_unwind(AssertUnwindSafe(|| self.turn()));
        turn.unwrap_or_else(|payload| {
            // A handler's panic has been reported with its name; this reports any other.
            let panic = panics::text(&*payload);
            self.core.life.fail(format!("its mesh panicked: {panic}"));
            true
        })
    }

    fn prepare_sleep(&mut self) -> bool {
        self.core.outbox.flush();
        self.core.life.node.sleep_flag(self.core.me()).announce();
        !self.has_arrivals()
    }

    fn awake(&mut self) {
        self.core.life.node.sleep_flag(self.core.me()).retract();
        self.served = false;
    }

    fn busy(&self) -> bool {
        self.served || self.core.outbox.is_open()
    }
}

impl<S: Service> MeshPoller<S> {
    pub(crate) fn new(core: Rc<Core<S>>, peers: Vec<Peer<S>>) -> Self {
        Self {
            core,
            peers,
            first: 0,
            served: false,
        }
    }

    /// One turn; whether there was anything to do.
    fn turn(&mut self) -> bool {
        self.core.life.node.beat(self.core.me());
        let mut worked = self.core.look_at_life();
        if !self.core.is_sound() {
            return worked;
        }
        let peers = self.peers.len();
        for n in 0..peers {
            let peer = &mut self.peers[(self.first + n) % peers];
            worked |= peer.take_control(&self.core);
            worked |= peer.take_replies(&self.core);
            let served = peer.take_requests(&self.core);
            self.served |= served;
            worked |= served;
        }
        self.first = (self.first + 1) % peers.max(1);
        self.core.outbox.flush() | worked
    }

    fn has_arrivals(&self) -> bool {
        self.core.life.has_news() || self.peers.iter().any(Peer::has_arrivals)
    }
}

impl<S: Service> Peer<S> {
    fn take_control(&mut self, core: &Core<S>) -> bool {
        let from = self.id;
        let taken = self.control.pop_batch(CONTROL_PER_TURN, |message| {
            core.handle_control(message, from);
        });
        if taken > 0 {
            core.tally
                .count(|stats| stats.control_handled += taken as u64);
        }
        taken > 0
    }

    fn take_replies(&mut self, core: &Core<S>) -> bool {
        // All that are there: taking one is cheap and brings a credit back.
        let mut late = 0;
        let taken = self.replies.pop_batch(usize::MAX, |reply| {
            late += u64::from(!core.replies.fulfil(reply.key, reply.body));
        });
        if taken > 0 {
            core.outbox.settle(self.id, taken);
            core.tally.count(|stats| stats.late_replies += late);
        }
        taken > 0
    }

    fn take_requests(&mut self, core: &Core<S>) -> bool {
        let (from, staged) = (self.id, &mut self.staged);
        let taken = self.requests.pop_batch(REQUESTS_PER_TURN, |request| {
            let body = core.handle(request.body, from);
            staged.push_back(Reply {
                key: request.key,
                body,
            });
        });
        if taken == 0 {
            return false;
        }
        core.tally.count(|stats| stats.handled += taken as u64);
        self.answers.push_batch(&mut self.staged);
        // What stays is lost with a peer that has left, which ends the node.
        assert!(
            self.staged.is_empty() || self.answers.is_closed(),
            "a reply has room in its lane: its request held a credit for it"
        );
        self.staged.clear();
        core.outbox.replied(from);
        true
    }

    fn has_arrivals(&self) -> bool {
        !(self.requests.is_empty() && self.replies.is_empty() && self.control.is_empty())
    }
}
