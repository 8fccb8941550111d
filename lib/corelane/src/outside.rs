//! The way into a node for threads that are none of its shards: one bounded lock-free inbox per shard, and
//! the routes that say which inbox a partition's requests go to.
//!
//! - `inbox`: what waits for one shard; `queue`, `room`: its order, and waiting until it has room
//! - `routes`: partition → shard as any thread may read it, and what is under way for each partition
//! - `holds`: who keeps partitions from moving at this moment
//! - `asking`: the future of a call
//!
//! Order: what one thread sends to one shard, or for one partition, is handled in the order in which it was
//! sent, whatever moves meanwhile.

mod asking;
/// What models replace by their own.
mod atomics {
    pub(super) use crossbeam_queue::ArrayQueue as Ring;
    pub(super) use std::sync::atomic::{
        AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}
mod holds;
mod inbox;
#[cfg(test)]
mod interleaved;
mod queue;
mod room;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use asking::{Asking, AskingAll};
pub(crate) use holds::Holds;
pub use inbox::InboxStats;
pub(crate) use inbox::{Entry, Inbox};
pub(crate) use routes::Routes;

use self::atomics::{Mutex, MutexGuard, Ordering, PoisonError, fence};
use crate::mesh::{Asked, Body, Shot, Target, Traces};
use crate::node::Node;
use crate::{CallOptions, Refusal, Refused, Service, ShardId};

/// Requests that wait outside for one partition that is moving, at most.
const HELD_PER_PARTITION: usize = 4096;

/// One node's way in.
pub(crate) struct Outside<S: Service> {
    node: Arc<Node>,
    inboxes: Box<[Inbox<S>]>,
    traces: Traces,
    routes: Routes,
    holds: Arc<Holds>,
    /// What waits for partitions that move. Touched only while one does.
    held: Mutex<BTreeMap<usize, VecDeque<Entry<S>>>>,
}

impl<S: Service> Outside<S> {
    pub(crate) fn new(node: Arc<Node>) -> Arc<Self> {
        let inbox = |_| Inbox::default();
        Arc::new(Self {
            inboxes: (0..node.shards()).map(inbox).collect(),
            traces: Traces::of_outside(),
            routes: Routes::of_map(node.first_map()),
            holds: Arc::new(Holds::new()),
            node,
            held: Mutex::default(),
        })
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(crate) fn inbox(&self, shard: ShardId) -> &Inbox<S> {
        &self.inboxes[shard.index()]
    }

    /// Names for the calls of threads outside the node that nobody has named.
    pub(crate) fn traces(&self) -> &Traces {
        &self.traces
    }

    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Who holds the map still.
    pub(crate) fn holds(&self) -> &Arc<Holds> {
        &self.holds
    }

    /// Puts a request on its way and wakes its shard if it sleeps.
    pub(crate) fn send(
        &self,
        target: Target,
        body: Body<S>,
        options: CallOptions,
        shot: Option<Shot<S>>,
    ) -> Result<(), Refused<Body<S>>> {
        let to = self.put(target, body, options, shot)?;
        if let Some(to) = to {
            self.node.wake(to);
        }
        self.look_at_life();
        Ok(())
    }

    /// Drops everything that waits if the node has ended: nobody will handle it, and whoever waits for an
    /// answer learns that it is lost. To be called after a request has gone in: either this sees the node's
    /// end, or the shards' own look at the end sees the request.
    pub(crate) fn look_at_life(&self) {
        fence(Ordering::SeqCst);
        if self.node.phase().is_over() {
            self.inboxes.iter().for_each(Inbox::clear);
            let held = std::mem::take(&mut *self.held());
            drop(held);
        }
    }

    /// As [`send`](Self::send), without the wake: the shard that needs it, if any.
    pub(crate) fn put(
        &self,
        target: Target,
        body: Body<S>,
        options: CallOptions,
        shot: Option<Shot<S>>,
    ) -> Result<Option<ShardId>, Refused<Body<S>>> {
        if self.node.phase().is_over() {
            let reason = Refusal::Closing;
            return Err(Refused {
                message: body,
                reason,
            });
        }
        let entry = Entry {
            asked: Asked::new(target, body, options),
            shot,
        };
        match target {
            Target::Shard(to) => self.push(to, entry).map(|()| Some(to)),
            Target::Partition(partition) => self.push_to_partition(partition, entry),
        }
        .map_err(|entry| Refused {
            message: entry.asked.body,
            reason: Refusal::Full,
        })
    }

    fn push(&self, to: ShardId, entry: Entry<S>) -> Result<(), Entry<S>> {
        let inbox = self.inboxes.get(to.index());
        inbox
            .unwrap_or_else(|| panic!("this node has no shard {to}"))
            .push(entry)
    }

    fn push_to_partition(
        &self,
        partition: usize,
        mut entry: Entry<S>,
    ) -> Result<Option<ShardId>, Entry<S>> {
        loop {
            if let Some(owner) = self.routes.enter(partition) {
                return match self.push(owner, entry) {
                    Ok(()) => Ok(Some(owner)),
                    Err(entry) => {
                        self.routes.turn_back(partition);
                        Err(entry)
                    }
                };
            }
            match self.hold(partition, entry) {
                Held::Kept => return Ok(None),
                Held::Full(entry) => return Err(entry),
                Held::Thawed(back) => entry = back,
            }
        }
    }

    /// Keeps a request until its partition has moved.
    fn hold(&self, partition: usize, entry: Entry<S>) -> Held<S> {
        let mut held = self.held();
        // Under the lock that a thaw takes, too: either this sees the thaw or the thaw sees this.
        if !self.routes.is_frozen(partition) {
            return Held::Thawed(entry);
        }
        let queue = held.entry(partition).or_default();
        if queue.len() >= HELD_PER_PARTITION {
            self.inbox(self.routes.owner(partition)).count_refused();
            return Held::Full(entry);
        }
        queue.push_back(entry);
        self.inbox(self.routes.owner(partition)).count_held();
        Held::Kept
    }

    /// Lets requests for a frozen partition go to `owner` from now on, those that were held first.
    pub(crate) fn thaw(&self, partition: usize, owner: ShardId) {
        let mut held = self.held();
        let entries = held.remove(&partition).unwrap_or_default();
        self.routes.enter_held(partition, entries.len());
        // Before the thaw can be seen: who sees it lines up behind them.
        self.inbox(owner).line_up(entries);
        self.routes.thaw(partition, owner);
        drop(held);
        self.node.wake(owner);
    }

    /// A push or a removal is all that happens under this lock: what a panicking holder left is whole.
    fn held(&self) -> MutexGuard<'_, BTreeMap<usize, VecDeque<Entry<S>>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Held<S: Service> {
    Kept,
    Full(Entry<S>),
    Thawed(Entry<S>),
}
