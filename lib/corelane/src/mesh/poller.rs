//! What arrives at this shard: taken once per turn of its loop, in bounded batches, and answered in
//! place. The end of each turn publishes what the shard's tasks and handlers have to say.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use corelane_channel::{Receiver, Sender};
use corelane_rt::Poller;
use corelane_rt::task::{self, Group};

use super::ask::Asked;
use super::replies::ReplyKey;
use super::serve::{ReturnTo, Served, serve};
use super::wiring::{Control, Reply, Request};
use crate::cx::Origin;
use crate::outside::Entry;
use crate::{Mesh, Service, ShardId, panics};

/// Requests taken from one peer in one turn. Enough to amortise the turn, few enough that the shard's
/// own connections and the other peers get theirs soon.
const REQUESTS_PER_TURN: usize = 64;

/// Requests handled between two looks at the clock: when the turn's quantum is over, what is left of a
/// peer's batch waits for the next turn. Each peer has as many handled in any turn.
const REQUESTS_PER_LOOK: usize = 4;

/// Control messages taken from one peer in one turn.
const CONTROL_PER_TURN: usize = 32;

/// Requests from outside the node taken in one turn.
const OUTSIDE_PER_TURN: usize = 256;

/// The mesh's part in a shard's loop.
pub(crate) struct MeshPoller<S: Service> {
    mesh: Mesh<S>,
    peers: Vec<Peer<S>>,
    /// The peer that is asked first; another one each turn, so that none is always last.
    first: usize,
    /// A request was handled since the shard last slept: more are likely.
    served: bool,
    /// Requests from outside on their way through.
    entries: VecDeque<Entry<S>>,
}

/// What connects to one peer.
pub(crate) struct Peer<S: Service> {
    pub(crate) id: ShardId,
    /// Its requests, and our replies to them.
    pub(crate) requests: Receiver<Request<S>>,
    pub(crate) answers: Sender<Reply<S>>,
    /// Its replies to our requests.
    pub(crate) replies: Receiver<Reply<S>>,
    pub(crate) control: Receiver<Control<S>>,
    /// Answers of the batch being handled.
    pub(crate) staged: VecDeque<Reply<S>>,
    /// What is left of a batch in whose middle the turn's time was over, or in whose middle the state panicked, if
    /// its requests wait for the next.
    pub(crate) held: VecDeque<Request<S>>,
}

impl<S: Service> Poller for MeshPoller<S> {
    fn poll(&mut self) -> bool {
        let turn = catch_unwind(AssertUnwindSafe(|| self.turn()));
        turn.unwrap_or_else(|payload| {
            // A handler's panic has been reported with its name; this reports any other.
            let panic = panics::text(&*payload);
            let life = &self.mesh.core.life;
            life.fail(format!("its mesh panicked: {panic}"));
            true
        })
    }

    fn prepare_sleep(&mut self) -> bool {
        let core = &self.mesh.core;
        core.outbox.flush();
        core.life.node.sleep_flag(core.me()).announce();
        !self.has_arrivals()
    }

    fn awake(&mut self) {
        let core = &self.mesh.core;
        core.life.node.sleep_flag(core.me()).retract();
        self.served = false;
    }

    fn busy(&self) -> bool {
        self.served || self.mesh.core.outbox.is_open()
    }
}

impl<S: Service> MeshPoller<S> {
    pub(crate) fn new(mesh: Mesh<S>, peers: Vec<Peer<S>>) -> Self {
        Self {
            mesh,
            peers,
            first: 0,
            served: false,
            entries: VecDeque::new(),
        }
    }

    /// One turn; whether there was anything to do.
    fn turn(&mut self) -> bool {
        let core = &self.mesh.core;
        core.life.node.beat(core.me());
        let mut worked = core.look_at_life();
        if !core.is_sound() {
            return worked;
        }
        let peers = self.peers.len();
        for n in 0..peers {
            let peer = &mut self.peers[(self.first + n) % peers];
            worked |= peer.take_control(&self.mesh);
            worked |= peer.take_replies(&self.mesh);
            let served = peer.take_requests(&self.mesh);
            self.served |= served;
            worked |= served;
        }
        self.first = (self.first + 1) % peers.max(1);
        let served = self.take_local() | self.take_outside();
        self.served |= served;
        worked |= served | self.send_answers();
        worked |= self.mesh.core.outbox.flush();
        self.mesh.core.show();
        worked
    }

    /// Handles what this shard has asked of itself: all that was there when it began.
    fn take_local(&mut self) -> bool {
        let core = &self.mesh.core;
        let queued = core.local.borrow().len();
        if queued == 0 || core.holds_requests() {
            return false;
        }
        for _ in 0..queued {
            if core.holds_requests() {
                break;
            }
            let Some(request) = core.local.borrow_mut().pop_front() else {
                break;
            };
            if !core.replies.is_wanted(request.key) {
                core.tally.cancelled.inc();
                core.replies.release(request.key);
                core.partitions.closed(request.key.tag);
                continue;
            }
            let (key, asked) = request.part();
            let origin = Origin::Shard(core.me());
            match serve(&self.mesh, origin, asked) {
                Served::Now(answer) => core.settle(key, answer),
                Served::Later(future) => core.answer_later(ReturnTo::Local(key), future),
            }
        }
        core.batch_end(&self.mesh);
        true
    }

    /// Handles a batch of what threads outside the node ask.
    fn take_outside(&mut self) -> bool {
        let core = &self.mesh.core;
        let inbox = core.outside.inbox(core.me());
        if (inbox.is_empty() && self.entries.is_empty()) || core.holds_requests() {
            return false;
        }
        if self.entries.is_empty() {
            inbox.take(OUTSIDE_PER_TURN, &mut self.entries);
        }
        let mut taken = 0;
        while !core.holds_requests()
            && let Some(entry) = self.entries.pop_front()
        {
            taken += 1;
            let (shot, asked) = entry.part();
            let tag = asked.tag;
            let to = ReturnTo::Outside(shot, tag);
            match serve(&self.mesh, Origin::Outside, asked) {
                Served::Now(answer) => core.answer(to, answer),
                Served::Later(future) => core.answer_later(to, future),
            }
        }
        core.tally.outside.add(taken);
        if taken > 0 {
            core.batch_end(&self.mesh);
        }
        taken > 0
    }

    /// Sends the answers that tasks of this shard have made since the last turn.
    fn send_answers(&mut self) -> bool {
        let core = &self.mesh.core;
        if !core.answered.replace(false) {
            return false;
        }
        for peer in &mut self.peers {
            let mut answers = std::mem::take(&mut core.answers.borrow_mut()[peer.id.index()]);
            if !answers.is_empty() {
                peer.send(&mut answers, &self.mesh);
                // Given back for its memory.
                core.answers.borrow_mut()[peer.id.index()] = answers;
            }
        }
        true
    }

    fn has_arrivals(&self) -> bool {
        let core = &self.mesh.core;
        if core.life.has_news() || core.answered.get() {
            return true;
        }
        if core.holds_requests() {
            return self.peers.iter().any(Peer::has_news);
        }
        !core.local.borrow().is_empty()
            || !self.entries.is_empty()
            || !core.outside.inbox(core.me()).is_empty()
            || self.peers.iter().any(Peer::has_arrivals)
    }
}

impl<S: Service> Peer<S> {
    fn take_control(&mut self, mesh: &Mesh<S>) -> bool {
        let (from, core) = (self.id, &mesh.core);
        let taken = self
            .control
            .pop_batch(CONTROL_PER_TURN, |message| match message {
                Control::User(message) => core.handle_control(message, from),
                Control::Cancel(key) => core.cancel_later(Origin::Shard(from), key),
                Control::Errand(errand) => {
                    // Runs by itself; it tells its sender by a channel of its own.
                    task::spawn_in(Group::Control, errand(mesh.clone()));
                }
            });
        if taken > 0 {
            core.tally.control_handled.add(taken as u64);
        }
        taken > 0
    }

    fn take_replies(&mut self, mesh: &Mesh<S>) -> bool {
        let core = &mesh.core;
        // All that are there: taking one is cheap and brings a credit back.
        let taken = self
            .replies
            .pop_batch(usize::MAX, |reply| core.settle(reply.key, reply.answer));
        if taken > 0 {
            core.outbox.settle(self.id, taken);
        }
        taken > 0
    }

    fn take_requests(&mut self, mesh: &Mesh<S>) -> bool {
        let (from, core) = (self.id, &mesh.core);
        if core.holds_requests() {
            return false;
        }
        let origin = Origin::Shard(from);
        let (staged, held) = (&mut self.staged, &mut self.held);
        let mut taken = 0;
        // Whether the turn's time is over.
        let mut take = |request: Request<S>| {
            let (key, asked) = request.part();
            match serve(mesh, origin, asked) {
                Served::Now(answer) => staged.push_back(Reply { key, answer }),
                Served::Later(future) => core.answer_later(ReturnTo::Peer(from, key), future),
            }
            taken += 1;
            taken % REQUESTS_PER_LOOK == 0 && task::need_preempt()
        };
        let mut late = false;
        while !late
            && !core.holds_requests()
            && let Some(request) = held.pop_front()
        {
            late = take(request);
        }
        if !late && held.is_empty() {
            self.requests.pop_batch(REQUESTS_PER_TURN, |request| {
                match late || core.holds_requests() {
                    true => held.push_back(request),
                    false => late = take(request),
                }
            });
        }
        if taken == 0 {
            return false;
        }
        core.tally.handled.add(taken as u64);
        core.batch_end(mesh);
        if !self.staged.is_empty() {
            let mut staged = std::mem::take(&mut self.staged);
            self.send(&mut staged, mesh);
            self.staged = staged;
        }
        true
    }

    fn send(&mut self, answers: &mut VecDeque<Reply<S>>, mesh: &Mesh<S>) {
        self.answers.push_batch(answers);
        // What stays is lost with a peer that has left, which ends the node.
        assert!(
            answers.is_empty() || self.answers.is_closed(),
            "a reply has room in its lane: its request held a credit for it"
        );
        answers.clear();
        mesh.core.outbox.replied(self.id);
    }

    fn has_arrivals(&self) -> bool {
        self.has_news() || !(self.requests.is_empty() && self.held.is_empty())
    }

    /// Whether there is anything but requests.
    fn has_news(&self) -> bool {
        !(self.replies.is_empty() && self.control.is_empty())
    }
}

impl<S: Service> Request<S> {
    fn part(self) -> (ReplyKey, Asked<S>) {
        let asked = Asked {
            body: self.body,
            tag: self.key.tag,
            options: self.options,
        };
        (self.key, asked)
    }
}
