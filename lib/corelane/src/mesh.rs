//! The mesh: how the shards of a node talk. This file is the handle that a shard's code holds; what
//! is behind it lies in one file per idea:
//!
//! - `wiring`: the lanes between every ordered pair, made once before the shards start
//! - `outbox`: what leaves this shard: credits, staging, waiting in line, one wake per target and turn
//! - `replies`, `call`: where replies wait, and the futures of those who wait for them
//! - `poller`: what arrives, taken once per turn of the shard's loop
//! - `ask`, `serve`: which way a request takes, and what its shard does with it
//! - `partitions`: what is under way for each partition, and what waits while it moves
//! - `core`: this shard's state and its part in the node's life, which all of the above share
//! - `stats`, `trace`, `errors`: counters, spans, and why a message was not taken

mod ask;
mod call;
mod core;
mod errors;
mod outbox;
mod partitions;
mod poller;
mod replies;
mod serve;
mod stats;
mod trace;
mod wiring;

use std::fmt;
use std::rc::Rc;

pub(crate) use self::ask::Asked;
pub use self::ask::Target;
pub use self::call::{Call, Calls, Submitted};
pub(crate) use self::core::Core;
pub use self::errors::{CallError, Refusal, Refused};
pub(crate) use self::outbox::Link;
pub(crate) use self::poller::{MeshPoller, Peer};
pub(crate) use self::replies::{Shot, Waiter};
pub use self::stats::{MeshGauge, MeshStats};
#[cfg(test)]
pub(crate) use self::stats::{MeshMetrics, ServiceMetrics};
pub(crate) use self::trace::{Traces, is_watched};
pub(crate) use self::wiring::{Answer, Body, Control, Ends, Errand, Tag, wire};

use self::outbox::Patience;
use crate::metrics::Registry;
use crate::node::Stopper;
use crate::{CallOptions, Handle, Service, ShardId, ShardMap, partition_of};

/// A shard's place in the mesh: its own state and the way to its peers. A cheap handle for the tasks
/// of one shard; it does not leave its thread.
///
/// Messages collect while tasks run and leave together at the end of the turn, in one batch and with
/// at most one wake per target. Between two shards, requests are handled in the order of
/// the calls.
pub struct Mesh<S: Service> {
    pub(crate) core: Rc<Core<S>>,
}

/// Who is who, and the state of this shard.
impl<S: Service> Mesh<S> {
    pub(crate) fn new(core: Rc<Core<S>>) -> Self {
        Self { core }
    }

    /// The shard that this code runs on.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.core.me()
    }

    /// How many shards serve at this moment: 0 to this many less one.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.core.map.borrow().shards()
    }

    /// How many shards [`resize`](Self::resize) can give the node at most.
    #[must_use]
    pub fn max_shards(&self) -> usize {
        self.core.life.node.shards()
    }

    /// All shards that serve at this moment, this one included, ascending.
    pub fn all_shards(&self) -> impl ExactSizeIterator<Item = ShardId> + use<S> {
        (0..self.shards()).map(ShardId::at)
    }

    /// The epoch of [`map`](Self::map): whether a copy that somebody keeps is still the newest that this shard has.
    #[must_use]
    pub fn map_epoch(&self) -> u64 {
        self.core.map.borrow().epoch()
    }

    /// Which shard owns which partition, at this moment.
    #[must_use]
    pub fn map(&self) -> Rc<ShardMap> {
        self.core.map.borrow().clone()
    }

    /// A handle to the service for any thread.
    #[must_use]
    pub fn handle(&self) -> Handle<S> {
        Handle::new(self.core.outside.clone())
    }

    /// Runs `look` on this shard's state.
    ///
    /// # Panics
    /// If called from inside another `with` or from the service itself. A panic in `look` ends the
    /// node, as one in a handler does, and goes on in the caller.
    pub fn with<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        self.core.with(look)
    }

    /// As [`with`](Self::with), for destructors, which run in the middle of a failure too: does nothing
    /// and returns `None` where the state is in use or has failed.
    pub fn try_with<R>(&self, look: impl FnOnce(&mut S) -> R) -> Option<R> {
        self.core.is_usable().then(|| self.core.with(look))
    }

    /// What this shard's side of the mesh has counted.
    #[must_use]
    pub fn stats(&self) -> MeshStats {
        self.core.tally.read()
    }

    /// What the whole node counts, for this and every other thread.
    #[must_use]
    pub fn metrics(&self) -> Registry {
        self.core.life.node.metrics().clone()
    }

    /// A way to read [`stats`](Self::stats) for the service itself, which cannot hold its own mesh.
    #[must_use]
    pub fn gauge(&self) -> MeshGauge {
        MeshGauge(self.core.tally.clone())
    }
}

/// Calls and control messages.
impl<S: Service> Mesh<S> {
    /// Asks `to` and returns a future of the reply. The request is on its way when this returns, not
    /// when the future is first polled.
    ///
    /// On the own shard the handler runs at once, if the state is free; from inside a handler it runs
    /// after that one. Otherwise the request leaves with this turn's batch;
    /// if as many requests as the pair may have outstanding are outstanding, it waits in line behind
    /// the earlier ones, and if the line is full too, it comes back as
    /// [`CallError::Refused`]. The line is shared by all tasks of the shard: bound what one
    /// connection has in flight.
    ///
    /// A call to a partition that is moving is held until it has moved, and takes the same way as those
    /// before it.
    ///
    /// # Panics
    /// If `to` is not a shard of this node, or no partition.
    pub fn call(&self, to: impl Into<Target>, request: S::Request) -> Call<S> {
        self.call_with(to, request, CallOptions::new())
    }

    /// As [`call`](Self::call), with a deadline or a trace.
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn call_with(
        &self,
        to: impl Into<Target>,
        request: S::Request,
        options: CallOptions,
    ) -> Call<S> {
        let asked = self.ask(to.into(), Body::Ask(request), options, Patience::Wait);
        Call::new(asked.map_err(Refused::into_request))
    }

    /// Asks the shard that owns `partition`; else as [`call`](Self::call).
    ///
    /// # Panics
    /// If `partition` is not below [`PARTITIONS`](crate::PARTITIONS).
    pub fn call_partition(&self, partition: usize, request: S::Request) -> Call<S> {
        self.call(Target::Partition(partition), request)
    }

    /// Asks the shard that owns `key`, placed by [`partition_of`]; else as [`call`](Self::call).
    pub fn call_key(&self, key: &[u8], request: S::Request) -> Call<S> {
        self.call_partition(partition_of(key), request)
    }

    /// Asks `to` if that can be done without waiting in line.
    ///
    /// # Errors
    /// [`Refused`] with the request and the reason; counted in [`MeshStats`].
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn try_call(
        &self,
        to: impl Into<Target>,
        request: S::Request,
    ) -> Result<Call<S>, Refused<S::Request>> {
        let (body, options) = (Body::Ask(request), CallOptions::new());
        let asked = self.ask(to.into(), body, options, Patience::Refuse);
        asked
            .map(|open| Call::new(Ok(open)))
            .map_err(Refused::into_request)
    }

    /// Asks for many things at once. They leave with this turn, one batch per shard; the outcomes come in the
    /// order of the requests, and one that fails hides none of the others.
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn call_many(&self, requests: impl IntoIterator<Item = (Target, S::Request)>) -> Calls<S> {
        let calls = requests.into_iter().map(|(to, ask)| self.call(to, ask));
        Calls::new(calls)
    }

    /// Asks every shard, this one included, with what `request` makes for it; the outcomes come in the
    /// order of the shards. All requests are on their way when this returns.
    pub fn broadcast(&self, mut request: impl FnMut(ShardId) -> S::Request) -> Calls<S> {
        let calls = self
            .all_shards()
            .map(|shard| self.call(shard, request(shard)));
        Calls::new(calls)
    }

    /// Asks every shard and folds the replies, in the order of the shards.
    ///
    /// # Errors
    /// The first call that has no reply; the others are made all the same.
    pub async fn map_reduce<A>(
        &self,
        request: impl FnMut(ShardId) -> S::Request,
        start: A,
        mut fold: impl FnMut(A, S::Reply) -> A,
    ) -> Result<A, CallError<S::Request>> {
        let mut sum = start;
        for outcome in self.broadcast(request).await {
            sum = fold(sum, outcome?);
        }
        Ok(sum)
    }

    /// Runs a task on another shard, with that shard's mesh, and brings its result back: for what happens too
    /// seldom to be a request. It takes a request's way and place; dropping the future cancels the task.
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn submit<R, F>(&self, to: impl Into<Target>, task: F) -> Submitted<S, R>
    where
        R: Send + 'static,
        F: AsyncFnOnce(Mesh<S>) -> R + Send + 'static,
    {
        let (body, options) = (Body::task(task), CallOptions::new());
        Submitted::new(self.ask(to.into(), body, options, Patience::Wait))
    }

    /// Sends a control message on the lane that requests cannot fill. On the own shard it is handled
    /// at once.
    ///
    /// # Errors
    /// [`Refused`] with the message when even that lane is full (the target has left some 220 messages
    /// unread) or the node is leaving; both are counted.
    ///
    /// # Panics
    /// If `to` is not a shard of this node.
    pub fn control(&self, to: ShardId, message: S::Control) -> Result<(), Refused<S::Control>> {
        self.core.control(to, message)
    }

    /// Sends what has collected in this turn now, for a task that is about to compute for long. The
    /// end of the turn does it anyway.
    pub fn flush(&self) {
        self.core.outbox.flush();
    }
}

/// This shard's part in the node's life.
impl<S: Service> Mesh<S> {
    /// Resolves when a stop was asked, at once if it was before: of the node, or of this shard alone, which a
    /// resize has left without partitions. Finish what was begun and return
    /// from main; the mesh works until all mains have returned.
    pub fn stopping(&self) -> impl Future<Output = ()> + use<S> + 'static {
        self.core.life.stopping.borrow().wait()
    }

    /// Whether a stop was asked; see [`stopping`](Self::stopping).
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.core.life.stopping.borrow().is_fired()
    }

    /// Asks the whole node to stop; see [`Stopper::stop`].
    pub fn stop(&self, reason: &str) {
        self.core.life.node.stop(reason);
    }

    /// Ends the whole node at once because this shard cannot go on: `reason` becomes the
    /// [`NodeFailure`](crate::NodeFailure) unless another shard failed before.
    pub fn fail(&self, reason: impl Into<String>) {
        self.core.life.fail(reason.into());
    }

    /// A handle that can ask for a stop from any thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper::new(self.core.life.node.clone())
    }
}

impl<S: Service> Clone for Mesh<S> {
    fn clone(&self) -> Self {
        Self::new(self.core.clone())
    }
}

impl<S: Service> fmt::Debug for Mesh<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mesh")
            .field("shard", &self.shard())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
