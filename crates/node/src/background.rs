//! What a shard does on its own, in slices that nobody notices: expiry, freeing, idle clients, and
//! telling the other shards what memory it uses. A shard on which nothing happens rests, for idle
//! costs nothing.

use std::future::{poll_fn, ready};
use std::task::{Poll, Waker};
use std::time::Duration;

use corelane_settings::Routing;

use crate::clients::Client;
use crate::memory::{MemoryUse, Moves};
use crate::node::Node;
use crate::rates::Counts;
use crate::request::Control;
use crate::routing::Relief;
use crate::shard::Shard;

/// Switches of the background work.
#[derive(Debug)]
pub(crate) struct Background {
    /// Whether expired keys are looked for (`DEBUG SET-ACTIVE-EXPIRE`).
    pub(crate) expire: bool,
    /// Whether anything came in since the last round.
    roused: bool,
    /// The background task, while it rests.
    resting: Option<Waker>,
}

impl Default for Background {
    fn default() -> Self {
        Self {
            expire: true,
            roused: true,
            resting: None,
        }
    }
}

impl Background {
    /// Something came in, so that there may be something to do: ends a rest.
    #[inline]
    pub(crate) fn rouse(&mut self) {
        self.roused = true;
        if let Some(resting) = self.resting.take() {
            resting.wake();
        }
    }
}

/// The longest rest. Clients' timeouts, which no request announces, count in seconds.
const REST: Duration = Duration::from_secs(1);

/// Keys looked at, or objects freed, per slice: some tens of microseconds.
const SLICE_ENTRIES: usize = 128;

/// Runs a shard's background work until the node stops.
pub async fn run(node: Node) {
    let mut busy = true;
    while let Some(left) = round(&node, busy).await {
        busy = left;
    }
}

/// One round, after the one before left nothing urgent or was `busy`; whether this one is. `None`: the shard stops, or its
/// state has gone between two slices.
async fn round(node: &Node, busy: bool) -> Option<bool> {
    let rests = node.mesh().try_with(|shard| !busy && shard.may_rest())?;
    let pace = Pace::of(node);
    node.unless_stopping(pause(node, &pace, rests)).await?;
    let left = slices(node, &pace).await?;
    whole(node, Shard::sweep_slice).await?;
    whole(node, Shard::rest_slice).await?;
    node.mesh().with(Shard::evict_clients);
    take_readings(node);
    // A shard that retires may have said its last word during the slices.
    node.unless_stopping(ready(())).await?;
    tell_memory(node);
    mind_load(node);
    Some(left)
}

/// How often, and how much of the time.
struct Pace {
    round: Duration,
    work_ns: u64,
}

impl Pace {
    /// `hz` rounds a second; a quarter of each at most, and 2% more for each step of
    /// `active-expire-effort` above the first, as Redis has it.
    fn of(node: &Node) -> Self {
        let keyspace = node.rules(|rules| rules.settings.keyspace());
        let round = Duration::from_secs(1) / keyspace.hz.max(1);
        let percent = 25 + 2 * u64::from(keyspace.active_expire_effort.saturating_sub(1));
        Self {
            round,
            work_ns: round.as_nanos() as u64 * percent / 100,
        }
    }
}

/// Waits for the next round, which a shard at rest begins only when something comes in or clients
/// are to be looked at.
async fn pause(node: &Node, pace: &Pace, rests: bool) {
    if rests {
        let roused = poll_fn(|cx| {
            node.mesh().with(|shard| {
                let background = &mut shard.background;
                if background.roused {
                    return Poll::Ready(());
                }
                background.resting = Some(cx.waker().clone());
                Poll::Pending
            })
        });
        if corelane::time::timeout(REST, roused).await.is_err() {
            return;
        }
    }
    corelane::time::sleep(pace.round).await;
}

/// Slices of something until it is over, other tasks in between.
async fn whole(node: &Node, slice: fn(&mut Shard) -> bool) -> Option<()> {
    while !node.mesh().try_with(slice)? {
        corelane::task::yield_now().await;
    }
    Some(())
}

/// Slices of work, other tasks in between, until nothing is urgent or the round's share is used up;
/// returns whether something is left.
async fn slices(node: &Node, pace: &Pace) -> Option<bool> {
    let mut worked_ns = 0;
    while worked_ns < pace.work_ns {
        let began_ns = corelane::time::refresh_ns();
        let more = node.mesh().try_with(Shard::background_slice)?;
        worked_ns += corelane::time::refresh_ns().saturating_sub(began_ns);
        if !more {
            return Some(false);
        }
        corelane::task::yield_now().await;
    }
    Some(true)
}

/// Reads the figures that `INFO` tells of a while.
fn take_readings(node: &Node) {
    let (now_ns, moves) = (corelane::time::now_ns(), Moves::of(node));
    node.mesh().with(|shard| {
        shard.sampler.sample(now_ns, Counts::of(&shard.stats));
        let own_bytes = shard.space.used_bytes();
        shard.peak.look_at_own(own_bytes);
        let used_bytes = own_bytes + shard.memory.others_key_bytes(shard.id);
        shard.peak.look(now_ns, moves, used_bytes);
    });
}

/// Tells the others this shard's memory use if it has changed.
fn tell_memory(node: &Node) {
    let me = node.shard_id();
    let told = node.mesh().with(|shard| {
        let used = MemoryUse {
            keys: shard.space.used_bytes(),
            clients: shard.sweep.bytes(),
            largest_client: shard.sweep.largest_bytes(),
        };
        shard.memory.should_tell(used).then_some(used)
    });
    let Some(used) = told else { return };
    for shard in node.mesh().all_shards().filter(|shard| *shard != me) {
        if let Err(refused) = node.mesh().control(shard, Control::Memory(used)) {
            // The next round tells again: the figure is a level, not a change.
            tracing::debug!(%shard, %refused, "memory use not told");
            node.mesh().with(|shard| shard.memory.not_told());
        }
    }
}

/// Once a second: tells the others how busy this shard is, and gives them connections if it is much busier.
fn mind_load(node: &Node) {
    let me = node.shard_id();
    let (now_ns, idle_ns) = (corelane::time::now_ns(), corelane::runtime_stats().idle_ns);
    let measured = node
        .mesh()
        .with(|shard| shard.loads.measure(now_ns, idle_ns));
    if !measured {
        return;
    }
    if let Some(load) = node.mesh().with(|shard| shard.loads.news()) {
        for shard in node.mesh().all_shards().filter(|shard| *shard != me) {
            if let Err(refused) = node.mesh().control(shard, Control::Load(load)) {
                // The next second tells again: the figure is a level, not a change.
                tracing::debug!(%shard, %refused, "load not told");
                node.mesh().with(|shard| shard.loads.not_told());
            }
        }
    }
    let others = node
        .mesh()
        .all_shards()
        .filter(|shard| *shard != me && node.keeps_clients(*shard));
    node.mesh().with(|shard| {
        if let Some(relief) = shard.loads.relief(others) {
            shard.send_away(relief);
        }
    });
}

/// Idle connections that are sent away in one second, and entries of the list that are looked at for them, and again for
/// those that are not idle.
const SHED_MAX: usize = 16;
const SHED_LOOKS: usize = 1024;

/// Silence after which a connection is idle enough to be sent away: nobody waits for it.
const SHED_SILENT_MS: u64 = 1000;

impl Shard {
    /// Sends connections to a less busy shard: idle ones, which cost nothing yet, and of the others a part.
    fn send_away(&mut self, relief: Relief) {
        let way = self.rules.routing;
        let now_ms = corelane::time::unix_ms();
        let is_idle =
            |client: &Client| now_ms.saturating_sub(client.active_ms.get()) >= SHED_SILENT_MS;
        // Whoever goes where its keys are would be back with its next command.
        let idle = |client: &Client| {
            is_idle(client) && client.is_at_rest() && client.course.way(way) != Routing::Migrate
        };
        // Whoever is to hop stays.
        let active = |client: &Client| {
            !is_idle(client) && client.may_be_sent() && client.course.way(way) == Routing::Adaptive
        };
        let mut chosen = self.clients.choose(SHED_LOOKS, SHED_MAX, idle);
        let mut talking = self.clients.choose(SHED_LOOKS, SHED_LOOKS, active);
        talking.truncate(relief.part_of(talking.len()));
        chosen.append(&mut talking);
        self.stats.connections_shed += chosen.len() as u64;
        chosen.iter().for_each(|client| {
            client.order_to(relief.to);
        });
    }
}

impl Shard {
    /// Whether no round is due before something comes in: nothing has since the last one, and no key
    /// expires. Called once per round.
    fn may_rest(&mut self) -> bool {
        let roused = std::mem::take(&mut self.background.roused);
        !roused && (0..self.space.databases()).all(|db| self.space.volatile(db) == 0)
    }

    /// One slice; returns whether there is reason for another at once.
    fn background_slice(&mut self) -> bool {
        let freeing = self.space.housekeep(SLICE_ENTRIES);
        let expiring = self.background.expire && self.expire_slice();
        freeing || expiring
    }

    /// Looks for expired keys; whether there were enough to go on looking.
    fn expire_slice(&mut self) -> bool {
        let now_ms = corelane::time::unix_ms();
        self.effects.clear();
        self.touched.clear();
        let slice = corelane_store::expire_slice(
            &mut self.space,
            &mut self.effects,
            &mut self.touched,
            now_ms,
            SLICE_ENTRIES,
        );
        slice.more()
    }

    /// Looks at some clients; whether that were the last ones.
    fn sweep_slice(&mut self) -> bool {
        let now_ms = corelane::time::unix_ms();
        self.sweep.slice(&self.clients, now_ms, &self.rules.clients)
    }

    /// Tells some silent clients to rest; whether that were the last ones.
    fn rest_slice(&mut self) -> bool {
        self.awake.slice(&self.clients, corelane::time::unix_ms())
    }

    /// Ends this shard's largest clients where those of all shards hold more than they may.
    fn evict_clients(&mut self) {
        let Some(limit_bytes) = self.rules.max_client_bytes() else {
            return;
        };
        let used_bytes = self.sweep.bytes() + self.memory.others_client_bytes(self.id);
        if used_bytes > limit_bytes {
            let elsewhere = self.memory.largest_elsewhere(self.id);
            self.sweep
                .evict(&self.clients, used_bytes - limit_bytes, elsewhere);
        }
    }
}
