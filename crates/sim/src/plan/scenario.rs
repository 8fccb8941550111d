//! A run, from its seed.

use std::ops::RangeInclusive;
use std::time::Duration;

use corelane::sim::WorldOptions;

use super::client::{ClientPlan, Crowd, SessionPlan};
use super::keyspace::Keyspace;
use super::requests::Request;
use super::{moving, resizing};

/// Everything that a seed decides before the world starts.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// Shards of the node, at first.
    pub shards: usize,
    /// Shards that it has room for.
    pub room: usize,
    /// How many of them own connections and no data; 0 for all own both.
    pub io_shards: usize,
    /// Requests that a pair of shards may have outstanding; `None` for the node's own choice.
    pub lane_capacity: Option<usize>,
    /// Whether connections go from shard to shard.
    pub moves: bool,
    /// The setting `routing`, at first.
    pub routing: &'static str,
    /// Whether clients change the number of shards.
    pub resizes: bool,
    /// Resizes that are asked for beside the clients, one after another.
    pub steady: Vec<Request>,
    /// When all clients are done, and before the storms: these numbers of shards, one after another, and after each a
    /// look at every key.
    pub last_sizes: Vec<u16>,
    /// How unkind the world is.
    pub world: WorldOptions,
    /// The keys.
    pub keyspace: Keyspace,
    /// The clients.
    pub clients: Vec<ClientPlan>,
    /// When all clients are done: several at once that change the setting, and after each storm a look at every
    /// shard's copy.
    pub storms: Vec<Vec<SessionPlan>>,
    /// When the node is stopped under its clients; otherwise it is stopped when they are done.
    pub stop_ns: Option<u64>,
    /// Bounds.
    pub limits: Limits,
    /// A fault put between server and client on purpose.
    pub tamper: Tamper,
}

/// Bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Configurations that the check of one history looks at, at most.
    pub configurations: usize,
    /// The longest that a client that reads promptly may wait for a reply, nanoseconds. A shard that misses a
    /// wake-up goes on when its next timer does, up to 100 ms later: that is what this bound is for.
    pub patience_ns: u64,
}

/// A fault between server and client, to see that a run notices. Each strikes every so many replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tamper {
    /// None.
    #[default]
    None,
    /// Two replies of a connection change places.
    Swap,
    /// A reply is left out.
    Drop,
    /// A reply comes twice.
    Double,
    /// A `GET` is answered with what an earlier one of the same key said.
    Stale,
    /// A `SET` is acknowledged, but another key was set.
    LoseWrite,
    /// A reply comes 200 ms late.
    Delay,
}

/// Commands of all clients together.
const COMMANDS: RangeInclusive<usize> = 20..=700;

/// So many times as many where partitions move: a resize takes longer than clients do, and they are to meet it.
const MORE_COMMANDS: usize = 4;

/// Groups of keys. Few, so that clients meet; more where partitions move, so that some of theirs do while they ask.
const GROUPS: RangeInclusive<usize> = 1..=4;
const MANY_GROUPS: RangeInclusive<usize> = 2..=24;

/// The longest that a shard stands still.
const PAUSE_NS: u64 = 1_000_000;

/// The most clients.
const CLIENTS: usize = 12;

/// The most shards.
const SHARDS: usize = 4;

/// The most resizes that follow each other while clients are at work.
const STEADY_RESIZES: usize = 12;

/// The most resizes at the end of a run.
const LAST_SIZES: usize = 3;

/// The longest that one partition's move holds a client up, and what waits for the same move before it.
const MOVE_NS: u64 = 500_000_000;

/// How much virtual time a run may take: far more than any needs.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// How many steps of a shard a run may take: far more than any needs.
const STEP_LIMIT: u64 = 10_000_000;

impl Scenario {
    /// The scenario of a seed.
    pub fn of(seed: u64) -> Self {
        Self::drawn(seed, None)
    }

    /// The same, where clients change the number of shards.
    pub(crate) fn resizing(seed: u64) -> Self {
        Self::drawn(seed, Some(true))
    }

    fn drawn(seed: u64, resizes: Option<bool>) -> Self {
        // Not the world's own numbers, so that a change of one does not change all of the other.
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5ca1_ab1e_0ddb_a115);
        let rng = &mut rng;
        let shards = rng.usize(1..=SHARDS);
        let lane_capacity = match rng.u8(0..4) {
            0 => None,
            1 => Some(1),
            _ => Some(rng.usize(1..=6)),
        };
        let world = world(rng);
        let long_bytes = (world.socket_bytes.start * 40).min(300_000);
        // A lot is drawn in any case, so that what follows is the same.
        let lot = rng.u8(0..3);
        let resizes = resizes.unwrap_or(lot == 0);
        let groups = if resizes { MANY_GROUPS } else { GROUPS };
        let keyspace = Keyspace::random(rng, groups);
        let clients = rng.usize(1..=CLIENTS);
        let commands = match rng.u8(0..4) {
            0 => rng.usize(*COMMANDS.start()..=80),
            _ => rng.usize(COMMANDS) * if resizes { MORE_COMMANDS } else { 1 },
        };
        // Two connections per client, on the average.
        let length = (commands / (2 * clients)).max(1);
        let mut crowd = Crowd::random(rng, &keyspace, clients, length, long_bytes);
        let clients = (0..clients).map(|_| crowd.client(rng)).collect();
        let storms = if rng.u8(0..3) == 0 {
            rng.usize(1..=3)
        } else {
            0
        };
        let storms = (0..storms).map(|_| crowd.storm(rng)).collect();
        let stop_ns = (rng.u8(0..6) == 0).then(|| rng.u64(0..8_000_000));
        let patience_ns = patience_ns(&world);
        let splits = shards > 1 && rng.u8(0..4) == 0;
        let io_shards = if splits { rng.usize(1..shards) } else { 0 };
        let mut scenario = Self {
            seed,
            shards,
            room: shards,
            io_shards,
            lane_capacity,
            moves: false,
            routing: "adaptive",
            resizes: false,
            steady: vec![],
            last_sizes: vec![],
            world,
            keyspace,
            clients,
            storms,
            stop_ns,
            limits: Limits {
                configurations: 400_000,
                patience_ns,
            },
            tamper: Tamper::None,
        };
        if rng.u8(0..3) > 0 {
            scenario.unsettle(&mut rng.fork());
        }
        if resizes {
            scenario.let_resize(&mut rng.fork());
        }
        scenario
    }

    /// Lets connections move, and shards stand still now and then while they do.
    fn unsettle(&mut self, rng: &mut fastrand::Rng) {
        self.moves = true;
        moving::add(rng, &mut self.clients);
        if rng.u8(0..4) == 0 {
            self.world.pauses_per_10k = rng.u32(1..=10);
            self.world.pause_ns = 10_000..PAUSE_NS;
        }
        if self.stop_ns.is_none() && rng.u8(0..6) == 0 {
            self.stop_ns = Some(rng.u64(0..8_000_000));
        }
        self.routing = moving::ROUTINGS[rng.usize(0..moving::ROUTINGS.len())];
        self.limits.patience_ns = patience_ns(&self.world);
    }

    /// Lets clients change the number of shards.
    fn let_resize(&mut self, rng: &mut fastrand::Rng) {
        self.resizes = true;
        self.room = self.shards.max(self.io_shards + rng.usize(2..=SHARDS));
        resizing::add(rng, &mut self.clients);
        let resizes = rng.usize(0..=STEADY_RESIZES);
        self.steady = (0..resizes).map(|_| Request::resize(rng.u16(..))).collect();
        let sizes = rng.usize(1..=LAST_SIZES);
        self.last_sizes = (0..sizes).map(|_| rng.u16(..)).collect();
        self.limits.patience_ns += MOVE_NS;
    }

    /// The same on so many shards, at least one of them for data.
    pub(crate) fn over(mut self, shards: usize) -> Self {
        self.shards = shards;
        self.io_shards = self.io_shards.min(shards - 1);
        self.with_room()
    }

    /// The same with so many shards for connections alone, and at least one for data.
    pub(crate) fn split(mut self, io_shards: usize) -> Self {
        self.shards = self.shards.max(io_shards + 1);
        self.io_shards = io_shards;
        self.with_room()
    }

    fn with_room(mut self) -> Self {
        let least = self.shards + usize::from(self.resizes);
        self.room = match self.resizes {
            true => self.room.max(least),
            false => self.shards,
        };
        self
    }

    /// Shards that clients are on where `shards` serve.
    pub(crate) fn keep_clients(&self, shards: usize) -> usize {
        match self.io_shards {
            0 => shards,
            io_shards => io_shards,
        }
    }

    /// A number of shards that there is room for.
    pub(crate) fn size(&self, lot: u16) -> usize {
        let least = self.io_shards + 1;
        least + usize::from(lot) % (self.room + 1 - least)
    }

    /// Whether connections may break without anybody's doing.
    pub fn resets(&self) -> bool {
        self.world.resets_per_10k > 0
    }
}

fn world(rng: &mut fastrand::Rng) -> WorldOptions {
    let mut one_of = |ranges: &[std::ops::Range<u64>]| ranges[rng.usize(0..ranges.len())].clone();
    let latency_ns = one_of(&[1_000..20_000, 1_000..200_000, 20_000..1_000_000]);
    let wake_ns = one_of(&[100..1_000, 100..50_000, 10_000..400_000]);
    let completion_ns = one_of(&[100..20_000, 1_000..400_000]);
    let step_ns = one_of(&[1..200, 1..2_000, 1..10_000]);
    let socket_bytes = one_of(&[64..512, 64..65_536, 8_192..65_536]);
    WorldOptions {
        latency_ns,
        wake_ns,
        completion_ns,
        step_ns,
        socket_bytes: socket_bytes.start as usize..socket_bytes.end as usize,
        split: rng.u8(0..4) > 0,
        resets_per_10k: if rng.u8(0..6) == 0 { rng.u32(1..40) } else { 0 },
        shuffle: rng.u8(0..4) > 0,
        tasks_per_step: rng.u32(1..=16),
        time_limit: TIME_LIMIT,
        step_limit: STEP_LIMIT,
        ..WorldOptions::default()
    }
}

/// What the slowest honest reply may take in such a world, generously.
fn patience_ns(world: &WorldOptions) -> u64 {
    let trip_ns = world.latency_ns.end + world.wake_ns.end + world.completion_ns.end;
    let pauses_ns = match world.pauses_per_10k {
        0 => 0,
        _ => 40 * world.pause_ns.end,
    };
    40_000_000 + 40 * trip_ns + pauses_ns
}
