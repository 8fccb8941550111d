//! The way to a service from anywhere: a handle that any thread may hold and clone.

use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use tracing::Span;

use crate::cx::Origin;
use crate::mesh::{Body, Core, Refused, Target, Waiter, is_watched};
use crate::metrics::Registry;
use crate::node::{NodeFailure, Stopper};
use crate::outside::{Asking, AskingAll, InboxStats, Outside};
use crate::{
    CallError, CallOptions, Handoff, Mesh, MoveError, ResizeError, Resized, Service, ShardId,
    partition_of,
};

/// A service of a node, for any thread: `Clone`, `Send` and `Sync`, with calls whose futures are `Send`.
///
/// On a shard of the node its calls take the mesh's lanes; from any other thread they take the target's inbox,
/// which is bounded and lock-free, and wake the target if it sleeps. Code that runs on a shard anyway is
/// better off with its [`Mesh`], whose calls allocate nothing.
///
/// What one thread sends to one shard, or for one partition, is handled in the order in which it was sent.
pub struct Handle<S: Service> {
    outside: Arc<Outside<S>>,
}

/// Waits for a future on a thread that is no shard: for the calls of a [`Handle`] that have no waiting form of
/// their own.
///
/// # Panics
/// On a shard, or in a world: a shard that blocks serves nobody. Await it there.
pub fn block_on<F: Future>(future: F) -> F::Output {
    assert!(
        !corelane_rt::is_inside(),
        "a shard that blocks serves nobody: await the future instead"
    );
    pollster::block_on(future)
}

/// Where the handles on a shard find its mesh: in its runtime's own values.
pub(crate) struct Here<S: Service>(pub(crate) Weak<Core<S>>);

impl<S: Service> Handle<S> {
    pub(crate) fn new(outside: Arc<Outside<S>>) -> Self {
        Self { outside }
    }

    /// Shards that serve at this moment.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.outside.routes().shards()
    }

    /// Asks `target`: a [`ShardId`], or a [`Target::Partition`].
    ///
    /// It never waits for room: a request that finds the inbox full stands in line (16,384 at most), and one
    /// that finds the line full comes back as [`CallError::Refused`].
    ///
    /// # Panics
    /// If the node has no such shard or partition.
    pub fn call(&self, target: impl Into<Target>, request: S::Request) -> Asking<S> {
        self.call_with(target, request, CallOptions::new())
    }

    /// As [`call`](Self::call), with a deadline or a trace.
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn call_with(
        &self,
        target: impl Into<Target>,
        request: S::Request,
        mut options: CallOptions,
    ) -> Asking<S> {
        let (shot, answer) = oneshot::channel();
        let (target, body) = (target.into(), Body::Ask(request));
        let here = self.here();
        let span = is_watched().then(|| self.call_span(here.as_ref(), target, &mut options));
        let sent = match here {
            Some(mesh) => mesh.ask_for(target, body, options, Waiter::Shot(shot)),
            None => self.outside.send(target, body, options, Some(shot)),
        };
        Asking::new(sent.map_err(Refused::into_request), answer).watched(span)
    }

    fn call_span(&self, here: Option<&Mesh<S>>, target: Target, options: &mut CallOptions) -> Span {
        let (traces, from) = match here {
            Some(mesh) => (&mesh.core.spans.traces, Origin::Shard(mesh.shard())),
            None => (self.outside.traces(), Origin::Outside),
        };
        traces.call_span::<S>(from, target, options)
    }

    /// Asks the shard that owns `key`, placed by [`partition_of`].
    pub fn call_key(&self, key: &[u8], request: S::Request) -> Asking<S> {
        self.call(Target::Partition(partition_of(key)), request)
    }

    /// Asks every shard that serves at this moment; the outcomes come in the order of the shards.
    pub fn broadcast(&self, mut request: impl FnMut(ShardId) -> S::Request) -> AskingAll<S> {
        let shards = (0..self.shards()).map(ShardId::at);
        let calls = shards.map(|shard| self.call(shard, request(shard)));
        AskingAll::new(calls.collect())
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

    /// Asks for many things at once, each shard in one batch with one wake; the outcomes come in the order of
    /// the requests.
    pub fn call_many(
        &self,
        requests: impl IntoIterator<Item = (Target, S::Request)>,
    ) -> AskingAll<S> {
        if self.here().is_some() {
            let calls = requests.into_iter().map(|(to, ask)| self.call(to, ask));
            return AskingAll::new(calls.collect());
        }
        let mut wakes = Wakes::default();
        let mut calls = VecDeque::new();
        for (target, request) in requests {
            let (shot, answer) = oneshot::channel();
            let (body, mut options) = (Body::Ask(request), CallOptions::new());
            let span = is_watched().then(|| self.call_span(None, target, &mut options));
            let put = self.outside.put(target, body, options, Some(shot));
            let sent = put.map(|to| wakes.note(to));
            let call = Asking::new(sent.map_err(Refused::into_request), answer);
            calls.push_back(call.watched(span));
        }
        wakes.give(&self.outside);
        AskingAll::new(calls)
    }

    /// Sends a request whose reply nobody wants.
    ///
    /// # Errors
    /// [`Refused`] with the request when the target cannot take it, or the node is leaving.
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn cast(
        &self,
        target: impl Into<Target>,
        request: S::Request,
    ) -> Result<(), Refused<S::Request>> {
        let (target, body, options) = (target.into(), Body::Ask(request), CallOptions::new());
        let sent = match self.here() {
            Some(mesh) => mesh.ask_for(target, body, options, Waiter::Nobody),
            None => self.outside.send(target, body, options, None),
        };
        sent.map_err(Refused::into_request)
    }

    /// Sends many requests whose replies nobody wants, each shard in one batch with one wake.
    ///
    /// # Errors
    /// The first that was refused, with its reason; those behind it stay in `requests`.
    pub fn cast_many(
        &self,
        requests: &mut impl Iterator<Item = (Target, S::Request)>,
    ) -> Result<(), Refused<S::Request>> {
        let here = self.here();
        let mut wakes = Wakes::default();
        let mut outcome = Ok(());
        for (target, request) in requests {
            let (body, options) = (Body::Ask(request), CallOptions::new());
            let sent = match &here {
                Some(mesh) => mesh.ask_for(target, body, options, Waiter::Nobody),
                None => self
                    .outside
                    .put(target, body, options, None)
                    .map(|to| wakes.note(to)),
            };
            if let Err(refused) = sent {
                outcome = Err(refused.into_request());
                break;
            }
        }
        wakes.give(&self.outside);
        outcome
    }

    /// Runs a task on a shard, with its mesh, and brings the result back; see [`Mesh::submit`]. It is not
    /// cancelled when the future is dropped.
    ///
    /// # Errors
    /// The future's, when the task was not run or did not end.
    ///
    /// # Panics
    /// As [`call`](Self::call).
    pub fn submit<R, F, T>(
        &self,
        target: T,
        task: F,
    ) -> impl Future<Output = Result<R, CallError<()>>> + Send + use<S, R, F, T>
    where
        T: Into<Target>,
        R: Send + 'static,
        F: AsyncFnOnce(Mesh<S>) -> R + Send + 'static,
    {
        let (shot, answer) = oneshot::channel();
        let (target, body, options) = (target.into(), Body::task(task), CallOptions::new());
        let sent = match self.here() {
            Some(mesh) => mesh.ask_for(target, body, options, Waiter::Shot(shot)),
            None => self.outside.send(target, body, options, Some(shot)),
        };
        let sent = sent.map_err(|refused| CallError::Refused(refused.map(drop)));
        async move {
            sent?;
            let answer = answer.await.map_err(|_| CallError::Lost)?;
            answer.into_result()
        }
    }

    /// Lets `shards` shards serve from now on; see [`Mesh::resize`].
    ///
    /// # Errors
    /// [`ResizeError`].
    pub async fn resize(&self, shards: usize) -> Result<Resized, ResizeError>
    where
        S: Handoff,
    {
        let resize = async move |mesh: Mesh<S>| mesh.resize(shards).await;
        let resized = self.submit(ShardId::new(0), resize).await;
        resized.unwrap_or(Err(ResizeError::Stopping))
    }

    /// Moves one partition to another shard; see [`Mesh::move_partition`].
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn move_partition(&self, partition: usize, to: ShardId) -> Result<(), MoveError>
    where
        S: Handoff,
    {
        let moving = async move |mesh: Mesh<S>| mesh.move_partition(partition, to).await;
        let moved = self.submit(ShardId::new(0), moving).await;
        moved.unwrap_or_else(|error| Err(error.into()))
    }

    /// Resolves when the inbox of a shard has room, at this moment; for senders that would rather wait than be
    /// refused. On a shard of the node it resolves at once: the lanes there have a line of their own.
    ///
    /// # Panics
    /// If the node has no such shard.
    pub async fn room(&self, shard: ShardId) {
        if self.here().is_none() {
            self.outside.inbox(shard).room().await;
        }
    }

    /// The shard that a target's requests go to at this moment.
    #[must_use]
    pub fn shard_of(&self, target: Target) -> ShardId {
        match target {
            Target::Shard(shard) => shard,
            Target::Partition(partition) => self.outside.routes().owner(partition),
        }
    }

    /// What the inbox of a shard has counted.
    ///
    /// # Panics
    /// If the node has no such shard.
    #[must_use]
    pub fn inbox_stats(&self, shard: ShardId) -> InboxStats {
        self.outside.inbox(shard).stats()
    }

    /// What the whole node counts.
    #[must_use]
    pub fn metrics(&self) -> Registry {
        self.outside.node().metrics().clone()
    }

    /// Whether a stop was asked, or the node has failed.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.outside.node().phase().is_stopping()
    }

    /// Why the node failed, if it did.
    pub(crate) fn failure(&self) -> Option<NodeFailure> {
        self.outside.node().failure()
    }

    /// A handle that can ask the node to stop.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper::new(self.outside.node().clone())
    }

    /// The mesh of the shard that this runs on, if it is one of the node's.
    #[must_use]
    pub fn here(&self) -> Option<Mesh<S>> {
        let here: Rc<Here<S>> = corelane_rt::local::get()?;
        let core = here.0.upgrade()?;
        Arc::ptr_eq(&core.outside, &self.outside).then(|| Mesh::new(core))
    }
}

impl<S: Service> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self::new(self.outside.clone())
    }
}

impl<S: Service> fmt::Debug for Handle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("shards", &self.shards())
            .finish_non_exhaustive()
    }
}

/// The shards that a batch went to, each to be woken once.
#[derive(Default)]
struct Wakes(Vec<ShardId>);

impl Wakes {
    fn note(&mut self, to: Option<ShardId>) {
        if let Some(to) = to
            && !self.0.contains(&to)
        {
            self.0.push(to);
        }
    }

    fn give<S: Service>(self, outside: &Outside<S>) {
        for shard in self.0 {
            outside.node().wake(shard);
        }
        outside.look_at_life();
    }
}

impl<S: Service> Refused<Body<S>> {
    pub(crate) fn into_request(self) -> Refused<S::Request> {
        self.map(|body| match body {
            Body::Ask(request) => request,
            Body::Task(_) => unreachable!("what comes back is what was sent"),
        })
    }
}
