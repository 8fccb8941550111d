//! How many shards serve: waking some and giving them partitions, or taking partitions away and letting
//! shards sleep.

use std::time::Duration;

use corelane_rt::{task, time};

use super::Handoff;
use super::errand::NodeOver;
use super::moving::{MoveError, Moving};
use crate::rebalance::Move;
use crate::{Mesh, ShardId, ShardMap, shard};

/// How long the main of a shard that lost its partitions may take to return.
const RETIRE_PATIENCE: Duration = Duration::from_secs(10);

/// What to do about a number of shards that cannot be.
fn way_out(asked: usize, min: usize) -> &'static str {
    match asked < min {
        false => "launch it with more to have room",
        true if min > 1 => "at least one must own data beside those that own connections alone",
        true => "one must serve",
    }
}

/// What a resize did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resized {
    /// Shards that served before.
    pub before: usize,
    /// Shards that serve now.
    pub shards: usize,
    /// Partitions that moved.
    pub moved: usize,
}

/// Why a resize stopped. The node serves on, with as many shards as [`Mesh::shards`] says, and all partitions
/// have an owner; those that have moved stay where they are. Asking again goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// No shards, or more than there is room for.
    #[error("this node can have {min} to {max} shards, not {asked}; {}", way_out(*asked, *min))]
    Shards {
        /// How many were asked for.
        asked: usize,
        /// One more than own connections alone.
        min: usize,
        /// How many it was launched with, those that sleep included.
        max: usize,
    },
    /// A shard could not start; those woken with it sleep again.
    #[error("shard {shard} did not start: {reason}")]
    Start {
        /// The shard.
        shard: ShardId,
        /// What its `init` said.
        reason: String,
    },
    /// A partition did not move.
    #[error("partition {partition} did not move: {source}")]
    Move {
        /// The partition.
        partition: usize,
        /// Why.
        source: MoveError,
    },
    /// A shard has no partitions any more, but its main goes on.
    #[error("the main of shard {0} goes on after it was asked to stop; it ends when it returns")]
    Lingers(ShardId),
    /// Somebody holds the map still ([`Mesh::hold_map`]) for longer than a resize waits.
    #[error("{}", MoveError::Held(*.0))]
    Held(Duration),
    /// Another move or resize is going on.
    #[error("another move or resize is going on; try again when it is done")]
    Busy,
    /// The node ends.
    #[error("the node is stopping")]
    Stopping,
}

impl From<MoveError> for ResizeError {
    /// What kept the map from changing, where no partition was about to move.
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::Held(patience) => Self::Held(patience),
            _ => Self::Stopping,
        }
    }
}

impl From<NodeOver> for ResizeError {
    fn from(_: NodeOver) -> Self {
        Self::Stopping
    }
}

impl<S: Handoff> Mesh<S> {
    /// Lets `shards` shards serve, from now on, while requests run. New shards run `init` and main, and get
    /// their part of the partitions; shards that are left without partitions see [`Mesh::stopping`], return
    /// from main, shut down and sleep. As few partitions move as an even spread allows.
    ///
    /// Do not await this in the main of a shard that it may put to sleep: each would wait for the other.
    ///
    /// # Errors
    /// [`ResizeError`], which says how far it came.
    pub async fn resize(&self, shards: usize) -> Result<Resized, ResizeError> {
        let (min, max) = (self.map().io_shards() + 1, self.max_shards());
        if !(min..=max).contains(&shards) {
            return Err(ResizeError::Shards {
                asked: shards,
                min,
                max,
            });
        }
        if self.is_stopping() {
            return Err(ResizeError::Stopping);
        }
        // On a shard that stays, and as a task of its own: dropping this future must not leave it half done.
        let resizing = self.errand(ShardId::new(0), async move |mesh: Self| {
            let resizing = task::spawn(async move {
                let _moving = Moving::begin(&mesh).ok_or(ResizeError::Busy)?;
                mesh.resize_now(shards).await
            });
            resizing.await.unwrap_or(Err(ResizeError::Stopping))
        });
        resizing.await?
    }

    async fn resize_now(&self, shards: usize) -> Result<Resized, ResizeError> {
        let before = self.shards();
        if shards > before {
            self.wake_up(before, shards).await?;
        }
        let moves = self.map().moves_to(shards);
        let moves = moves.expect("the number of shards was checked");
        let moved = moves.len();
        let progress = self.core.life.node.progress.resize(shards, moved);
        for Move { partition, to, .. } in moves {
            if self.is_stopping() {
                return Err(ResizeError::Stopping);
            }
            let moving = self.move_now(partition, to).await;
            moving.map_err(|source| match source {
                MoveError::Stopping => ResizeError::Stopping,
                source => ResizeError::Move { partition, source },
            })?;
            progress.one_more();
        }
        if shards < before {
            self.put_to_sleep(before, shards).await?;
        }
        tracing::info!(before, shards, moved, "the node was resized");
        Ok(Resized {
            before,
            shards,
            moved,
        })
    }

    async fn wake_up(&self, before: usize, shards: usize) -> Result<(), ResizeError> {
        // Who holds the map still sees the new shards in all maps, or in none.
        let _shut = self.shut_holds_out().await?;
        let map = self.map().with_shards(shards);
        for number in before..shards {
            let (shard, map) = (ShardId::at(number), map.clone());
            let begun = self.errand(shard, async move |mesh: Self| {
                // Whatever it knew when it fell asleep.
                *mesh.core.map.borrow_mut() = map.into();
                shard::begin(&mesh).await
            });
            if let Err(reason) = begun.await? {
                for woken in before..number {
                    self.retire(ShardId::at(woken), RETIRE_PATIENCE).await?;
                }
                return Err(ResizeError::Start { shard, reason });
            }
        }
        self.announce(map).await
    }

    /// First their mains return, all at once: what they do for that may need the others, and takes time. They
    /// answer until no map names them any more, and sleep then.
    async fn put_to_sleep(&self, before: usize, shards: usize) -> Result<(), ResizeError> {
        let retiring = || (shards..before).map(ShardId::at);
        let asked: Vec<_> = retiring()
            .map(|shard| {
                let mesh = self.clone();
                task::spawn(async move { mesh.end_main_of(shard).await })
            })
            .collect();
        let mut lingering = None;
        let mut patience = Vec::new();
        for (shard, asked) in retiring().zip(asked) {
            let returned = asked.await.unwrap_or(Err(NodeOver))?;
            if !returned {
                lingering = Some(shard);
            }
            // One that lingers falls asleep by itself when its main returns.
            patience.push(if returned {
                RETIRE_PATIENCE
            } else {
                Duration::ZERO
            });
        }
        // There is no way back: who holds the map for so long is waited for.
        let shut = loop {
            match self.shut_holds_out().await {
                Ok(shut) => break shut,
                Err(held) => tracing::warn!(%held, "shards cannot go to sleep yet"),
            }
        };
        self.announce(self.map().with_shards(shards)).await?;
        drop(shut);
        for (shard, patience) in retiring().zip(patience) {
            self.retire(shard, patience).await?;
        }
        lingering.map_or(Ok(()), |shard| Err(ResizeError::Lingers(shard)))
    }

    /// Whether the shard's main returned in time.
    async fn end_main_of(&self, shard: ShardId) -> Result<bool, NodeOver> {
        let end = async move |mesh: Self| {
            let ended = time::timeout(RETIRE_PATIENCE, shard::end_main(&mesh));
            ended.await.is_ok()
        };
        self.errand(shard, end).await
    }

    async fn announce(&self, map: ShardMap) -> Result<(), ResizeError> {
        let shards = map.shards();
        self.on_all(async move |mesh: Self| mesh.adopt(map)).await?;
        self.core.outside.routes().set_shards(shards);
        Ok(())
    }

    /// Lets a shard sleep; whether its main returned in time.
    async fn retire(&self, shard: ShardId, patience: Duration) -> Result<bool, ResizeError> {
        let end = async move |mesh: Self| {
            // A task of its own: it goes on where this does not wait any longer.
            let ended = task::spawn_in(task::Group::Control, async move {
                shard::end(&mesh).await;
            });
            time::timeout(patience, ended).await.is_ok()
        };
        Ok(self.errand(shard, end).await?)
    }
}
