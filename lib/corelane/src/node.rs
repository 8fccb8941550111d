//! What the shards of a node share: how far the node's life has come, why it ended, and how to wake
//! each shard. A few atomics that change only at those moments; no data.
//!
//! A stop is a flag here and not a message: a lane may be full, and who asks for it (a signal
//! handler, an operator) need not be a shard.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use corelane_channel::{CacheLine, SleepFlag};
use corelane_rt::Doorbell;

use crate::elastic::Progress;
use crate::metrics::Registry;
use crate::restart::Keeper;
use crate::{ShardId, ShardMap};

/// How far a node's life has come. Only ever moves up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Serving.
    Running,
    /// A stop was asked: mains finish their work and return; calls still work.
    Stopping,
    /// All mains have returned: the shards leave together; new calls are refused.
    Leaving,
    /// A shard failed: everybody leaves at once.
    Failed,
}

impl Phase {
    fn from_u8(phase: u8) -> Self {
        [Self::Running, Self::Stopping, Self::Leaving, Self::Failed][usize::from(phase)]
    }

    /// Whether the shards leave, in peace or not.
    pub(crate) fn is_over(self) -> bool {
        self >= Self::Leaving
    }

    /// Whether a stop was asked, or more.
    pub(crate) fn is_stopping(self) -> bool {
        self >= Self::Stopping
    }
}

/// Why a node ended before its time: the first failure, which ended all shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFailure {
    /// The shard that failed first.
    pub shard: ShardId,
    /// What it said: the error of its main, or what panicked and where.
    pub reason: String,
}

impl fmt::Display for NodeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} failed: {}", self.shard, self.reason)
    }
}

impl std::error::Error for NodeFailure {}

/// The shared part of a node.
pub(crate) struct Node {
    phase: AtomicU8,
    /// The first map.
    first_map: ShardMap,
    mains_left: AtomicUsize,
    /// Somebody moves partitions or resizes the node: one at a time.
    moving: AtomicBool,
    failure: Mutex<Option<NodeFailure>>,
    metrics: Registry,
    /// What moves, as far as people want to know.
    pub(crate) progress: Progress,
    /// Judges panics of services; without it they end the node.
    keeper: Option<Keeper>,
    seats: Box<[Seat]>,
}

/// What others may touch of one shard.
struct Seat {
    asleep: SleepFlag,
    /// Turns of its loop; written by the shard alone, read by the watch.
    turns: CacheLine<AtomicU64>,
    /// It has a service, and so a tick that turns its loop.
    serves: AtomicBool,
    /// Its tasks may have calls for partitions under way, so that moves must ask it.
    takes_part: AtomicBool,
    /// Set by the shard before the start barrier opens.
    doorbell: OnceLock<Doorbell>,
}

impl Node {
    /// A node with room for `shards`, of which those of the map serve from the start.
    pub(crate) fn new(shards: usize, first_map: ShardMap, keeper: Option<Keeper>) -> Arc<Self> {
        let started_with = first_map.shards();
        let seat = |index| Seat {
            asleep: SleepFlag::new(),
            turns: CacheLine::default(),
            serves: AtomicBool::new(false),
            takes_part: AtomicBool::new(index < started_with),
            doorbell: OnceLock::new(),
        };
        Arc::new(Self {
            phase: AtomicU8::new(Phase::Running as u8),
            mains_left: AtomicUsize::new(started_with),
            first_map,
            moving: AtomicBool::new(false),
            failure: Mutex::new(None),
            metrics: Registry::new(),
            progress: Progress::default(),
            keeper,
            seats: (0..shards).map(seat).collect(),
        })
    }

    /// How many shards it has room for.
    pub(crate) fn shards(&self) -> usize {
        self.seats.len()
    }

    /// The map that the node began with.
    pub(crate) fn first_map(&self) -> &ShardMap {
        &self.first_map
    }

    /// Who judges panics of services, if anybody does.
    pub(crate) fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }

    /// How many shards served from the start.
    pub(crate) fn started_with(&self) -> usize {
        self.first_map.shards()
    }

    /// What its shards count.
    pub(crate) fn metrics(&self) -> &Registry {
        &self.metrics
    }

    /// Takes the right to move partitions, if nobody has it. Whoever has it counts as a main: the shards do not
    /// leave while a partition is between two of them.
    pub(crate) fn begin_moving(&self) -> bool {
        let more = |mains| (mains > 0).then_some(mains + 1);
        let (set, seen) = (Ordering::AcqRel, Ordering::Acquire);
        if self.mains_left.fetch_update(set, seen, more).is_err() {
            return false;
        }
        if self.moving.swap(true, Ordering::AcqRel) {
            self.main_done();
            return false;
        }
        true
    }

    pub(crate) fn end_moving(&self) {
        self.moving.store(false, Ordering::Release);
        self.main_done();
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Asks all mains to finish. Who is first to ask gives the reason in the log.
    pub(crate) fn stop(&self, reason: &str) {
        if self.advance(Phase::Stopping) {
            tracing::info!(reason, "the node stops");
        }
    }

    /// Ends the node because `shard` cannot go on. The first failure is the one reported.
    pub(crate) fn fail(&self, shard: ShardId, reason: String) {
        tracing::error!(shard = shard.number(), reason, "a shard failed");
        self.failure_slot()
            .get_or_insert(NodeFailure { shard, reason });
        self.advance(Phase::Failed);
    }

    /// A shard that slept runs a main now.
    pub(crate) fn main_begun(&self) {
        self.mains_left.fetch_add(1, Ordering::AcqRel);
    }

    /// One main has returned; with the last one all shards leave.
    pub(crate) fn main_done(&self) {
        if self.mains_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.advance(Phase::Leaving);
        }
    }

    pub(crate) fn failure(&self) -> Option<NodeFailure> {
        self.failure_slot().clone()
    }

    /// Moves up to `phase` and wakes everybody to see it. False: it was there already, or further.
    fn advance(&self, phase: Phase) -> bool {
        if self.phase.fetch_max(phase as u8, Ordering::AcqRel) >= phase as u8 {
            return false;
        }
        let doorbells = self.seats.iter().filter_map(|seat| seat.doorbell.get());
        doorbells.for_each(Doorbell::ring);
        true
    }

    /// A failure is one assignment: what a panicking holder left behind is whole.
    fn failure_slot(&self) -> std::sync::MutexGuard<'_, Option<NodeFailure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One shard's seat, as its peers and the watch see it.
impl Node {
    /// # Panics
    /// If the seat has a doorbell already.
    pub(crate) fn install_doorbell(&self, shard: ShardId, doorbell: Doorbell) {
        let installed = self.seats[shard.index()].doorbell.set(doorbell);
        assert!(installed.is_ok(), "shard {shard} was started twice");
    }

    pub(crate) fn sleep_flag(&self, shard: ShardId) -> &SleepFlag {
        &self.seats[shard.index()].asleep
    }

    /// Rings `shard` if it sleeps and nobody else has; whether it did.
    pub(crate) fn wake(&self, shard: ShardId) -> bool {
        let seat = &self.seats[shard.index()];
        let asleep = seat.asleep.claim_wake();
        if asleep {
            let doorbell = seat.doorbell.get();
            doorbell
                .expect("the mesh opens after all doorbells are installed")
                .ring();
        }
        asleep
    }

    pub(crate) fn beat(&self, shard: ShardId) {
        let turns = &self.seats[shard.index()].turns.0;
        // Its only writer: no read-modify-write is needed.
        turns.store(turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn set_serves(&self, shard: ShardId, serves: bool) {
        self.seats[shard.index()]
            .serves
            .store(serves, Ordering::Release);
    }

    /// Whether the shard serves, or sleeps until a resize.
    pub(crate) fn serves(&self, shard: ShardId) -> bool {
        self.seats[shard.index()].serves.load(Ordering::Acquire)
    }

    pub(crate) fn set_takes_part(&self, shard: ShardId, takes_part: bool) {
        self.seats[shard.index()]
            .takes_part
            .store(takes_part, Ordering::Release);
    }

    /// The shards whose tasks may have calls for partitions under way: those that serve, and those that sleep but
    /// have not come to rest.
    pub(crate) fn taking_part(&self) -> impl Iterator<Item = ShardId> {
        let seats = self.seats.iter().enumerate();
        seats
            .filter(|(_, seat)| seat.takes_part.load(Ordering::Acquire))
            .map(|(index, _)| ShardId::at(index))
    }

    pub(crate) fn turns(&self, shard: ShardId) -> u64 {
        self.seats[shard.index()].turns.load(Ordering::Relaxed)
    }
}

/// Asks a node to stop, from any thread: for signal handlers and whoever else is not a shard.
#[derive(Clone)]
pub struct Stopper {
    node: Arc<Node>,
}

impl Stopper {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    /// Asks all shards to drain and leave: [`Mesh::stopping`](crate::Mesh::stopping) resolves, mains
    /// return, then all leave together. `reason` goes to the log. Asking again does nothing.
    pub fn stop(&self, reason: &str) {
        self.node.stop(reason);
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper")
            .field("phase", &self.node.phase())
            .finish()
    }
}
