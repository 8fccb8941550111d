//! One partition from its owner to another shard; `elastic` tells the steps.

use std::time::Duration;

use corelane_rt::{task, time};

use super::Handoff;
use super::errand::NodeOver;
use crate::mesh::{Mesh, Tag};
use crate::{CallError, Refusal, Service, ShardId, ShardMap};

/// How long requests under way may hold a move up. Longer, and their callers' neighbours, who are held
/// meanwhile, would notice.
pub(super) const FREEZE_PATIENCE: Duration = Duration::from_secs(1);

/// How often a frozen partition's owner looks whether what came from outside is done.
const DRAIN_LOOK: Duration = Duration::from_micros(20);

/// Slices of one partition that are exported before it freezes, at most: a service that changes faster than it
/// exports is handed over as it is then.
const SLICES: usize = 1 << 20;

/// Why a partition did not move. It is where it was, and serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// There is no such partition.
    #[error("there is no partition {0}; they are 0 to 255")]
    NoPartition(usize),
    /// The shard owns no partitions: it sleeps, does not exist, or is for connections alone.
    #[error("shard {shard} takes no partitions; shards {first} to {last} do")]
    NoShard {
        /// The shard.
        shard: ShardId,
        /// The first that does.
        first: usize,
        /// The last that does.
        last: usize,
    },
    /// Another move or resize is going on.
    #[error("another move or resize is going on; try again when it is done")]
    Busy,
    /// The partition's owner or the other shard has no service at this moment.
    #[error("a shard of the move has no service at this moment; try again when it is back")]
    Down,
    /// A request for the partition takes longer than a move waits.
    #[error(
        "requests for partition {0} were still being answered after {1:?}; try again when they are done"
    )]
    Unfinished(usize, Duration),
    /// Somebody holds the map still ([`Mesh::hold_map`]) for longer than a move waits.
    #[error(
        "what asks several shards as one thing was still holding the partitions where they are after {0:?}; \
         try again when it is done"
    )]
    Held(Duration),
    /// The node ends.
    #[error("the node is stopping")]
    Stopping,
}

impl From<NodeOver> for MoveError {
    fn from(_: NodeOver) -> Self {
        Self::Stopping
    }
}

impl<T> From<CallError<T>> for MoveError {
    fn from(error: CallError<T>) -> Self {
        match error {
            // Whoever was to see to the move has lost its state; the move goes on or is given up by itself.
            CallError::Cancelled | CallError::Panicked => Self::Down,
            CallError::Refused(refused) if refused.reason == Refusal::Down => Self::Down,
            _ => Self::Stopping,
        }
    }
}

/// The right to move partitions, of which a node has one.
pub(super) struct Moving<'a, S: Service>(&'a Mesh<S>);

impl<'a, S: Service> Moving<'a, S> {
    pub(super) fn begin(mesh: &'a Mesh<S>) -> Option<Self> {
        // Lazily: one that is made is dropped, and dropping it ends the right.
        mesh.core.life.node.begin_moving().then(|| Self(mesh))
    }
}

impl<S: Service> Drop for Moving<'_, S> {
    fn drop(&mut self) {
        self.0.core.life.node.end_moving();
    }
}

impl<S: Handoff> Mesh<S> {
    /// Moves one partition to another shard while requests run; none is lost, handled twice or overtaken. Does
    /// nothing if it is there already. Dropping the future does not end the move.
    ///
    /// # Errors
    /// [`MoveError`]: the partition is where it was.
    pub async fn move_partition(&self, partition: usize, to: ShardId) -> Result<(), MoveError> {
        if partition >= crate::PARTITIONS {
            return Err(MoveError::NoPartition(partition));
        }
        if self.is_stopping() {
            return Err(MoveError::Stopping);
        }
        let mesh = self.clone();
        // A task of its own: dropping this future must not leave a partition frozen.
        let moving = task::spawn(async move {
            let _moving = Moving::begin(&mesh).ok_or(MoveError::Busy)?;
            // With the right in hand: no resize is between this look and the move.
            let takes = mesh.map().io_shards()..mesh.shards();
            if !takes.contains(&to.index()) {
                return Err(MoveError::NoShard {
                    shard: to,
                    first: takes.start,
                    last: takes.end - 1,
                });
            }
            mesh.move_now(partition, to).await
        });
        moving.await.unwrap_or(Err(MoveError::Stopping))
    }

    /// Moves a partition; whoever calls this has the right to.
    pub(super) async fn move_now(&self, partition: usize, to: ShardId) -> Result<(), MoveError> {
        let from = self.map().owner(partition);
        if from == to {
            return Ok(());
        }
        self.errand(from, async move |mesh| mesh.give(partition, to).await)
            .await?
    }

    /// The owner's part.
    async fn give(&self, partition: usize, to: ShardId) -> Result<(), MoveError> {
        if let Err(down) = self.export_slices(partition, to).await? {
            self.abandon(partition, to).await?;
            return Err(down);
        }
        let _shut = match self.shut_holds_out().await {
            Ok(shut) => shut,
            Err(held) => {
                self.abandon(partition, to).await?;
                return Err(held);
            }
        };
        let handed_over = match self.freeze_everywhere(partition).await? {
            true => self.hand_over(partition, to).await?,
            false => Err(MoveError::Unfinished(partition, FREEZE_PATIENCE)),
        };
        if handed_over.is_err() {
            self.abandon(partition, to).await?;
        }
        let (owner, map) = match handed_over {
            Ok(()) => (to, self.map().with_owner(partition, to)),
            Err(_) => (self.shard(), ShardMap::clone(&self.map())),
        };
        self.adopt_everywhere(partition, owner, map).await?;
        if handed_over.is_ok() {
            self.core.life.node.progress.moved();
        }
        handed_over
    }

    /// Outer errors end the node, inner ones the move.
    async fn export_slices(
        &self,
        partition: usize,
        to: ShardId,
    ) -> Result<Result<(), MoveError>, NodeOver> {
        for _ in 0..SLICES {
            let Some(parcel) = self.core.attempt(|state| state.export(partition)) else {
                return Ok(Err(MoveError::Down));
            };
            let Some(parcel) = parcel else { break };
            if self.deliver(partition, to, parcel).await?.is_err() {
                return Ok(Err(MoveError::Down));
            }
            task::yield_now().await;
        }
        Ok(Ok(()))
    }

    /// The last parcel. It comes back where the other shard cannot take it.
    async fn hand_over(
        &self,
        partition: usize,
        to: ShardId,
    ) -> Result<Result<(), MoveError>, NodeOver> {
        let Some(parcel) = self.core.attempt(|state| state.hand_over(partition)) else {
            return Ok(Err(MoveError::Down));
        };
        let delivered = self.deliver(partition, to, parcel).await?;
        Ok(delivered.map_err(|parcel| {
            if let Some(parcel) = parcel {
                self.core.attempt(|state| state.import(partition, parcel));
            }
            MoveError::Down
        }))
    }

    /// The parcel comes back where the other shard has no service; it is lost where taking it in panicked.
    async fn deliver(
        &self,
        partition: usize,
        to: ShardId,
        parcel: S::Parcel,
    ) -> Result<Result<(), Option<S::Parcel>>, NodeOver> {
        let import = async move |mesh: Self| {
            let mut parcel = Some(parcel);
            let take_in = |state: &mut S| {
                let parcel = parcel.take();
                state.import(partition, parcel.expect("it is taken in once"));
            };
            let imported = mesh.core.attempt(take_in);
            imported.ok_or(parcel)
        };
        self.errand(to, import).await
    }

    async fn abandon(&self, partition: usize, to: ShardId) -> Result<(), NodeOver> {
        self.core.attempt(|state| state.abandon(partition));
        let tell = async move |mesh: Self| {
            mesh.core.attempt(|state| state.abandon(partition));
        };
        self.errand(to, tell).await
    }

    /// Holds all calls for the partition; whether those under way have ended in time.
    async fn freeze_everywhere(&self, partition: usize) -> Result<bool, MoveError> {
        let outside = &self.core.outside;
        outside.routes().freeze(partition);
        let tag = Tag::of(partition);
        let drained = self.on_all(async move |mesh: Self| {
            let drained = mesh.core.partitions.freeze(tag);
            time::timeout(FREEZE_PATIENCE, drained).await.is_ok()
        });
        let mut in_time = drained.await?.into_iter().all(|drained| drained);
        let deadline_ns = time::now_ns() + FREEZE_PATIENCE.as_nanos() as u64;
        while in_time && !outside.routes().is_drained(partition) {
            in_time = time::now_ns() < deadline_ns;
            time::sleep(DRAIN_LOOK).await;
        }
        Ok(in_time)
    }

    /// Gives all shards the map, the partition's owner first, and lets calls for the partition go on.
    async fn adopt_everywhere(
        &self,
        partition: usize,
        owner: ShardId,
        map: ShardMap,
    ) -> Result<(), MoveError> {
        let first = map.clone();
        let adopt = async move |mesh: Self| mesh.adopt(first);
        self.errand(owner, adopt).await?;
        self.on_all(async move |mesh: Self| {
            mesh.adopt(map);
            mesh.core.release(Tag::of(partition), owner);
        })
        .await?;
        self.core.outside.thaw(partition, owner);
        Ok(())
    }
}

impl<S: Service> Mesh<S> {
    /// Takes over a map, unless a newer one has come first.
    pub(super) fn adopt(&self, map: ShardMap) {
        let mut mine = self.core.map.borrow_mut();
        if map.epoch() > mine.epoch() {
            *mine = map.into();
        }
    }

    /// Runs an errand on all shards that may have calls under way, at once, and waits for all.
    pub(super) async fn on_all<R, F>(&self, errand: F) -> Result<Vec<R>, NodeOver>
    where
        R: Send + 'static,
        F: AsyncFnOnce(Mesh<S>) -> R + Clone + Send + 'static,
    {
        let shards = self.core.life.node.taking_part();
        let tasks: Vec<_> = shards
            .map(|shard| {
                let (mesh, errand) = (self.clone(), errand.clone());
                task::spawn_in(task::Group::Control, async move {
                    mesh.errand(shard, errand).await
                })
            })
            .collect();
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            results.push(task.await.map_err(|_| NodeOver)??);
        }
        Ok(results)
    }
}
