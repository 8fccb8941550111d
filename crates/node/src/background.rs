//! What a shard does on its own, in slices that nobody notices: expiry, freeing, idle clients, and
//! telling the other shards what memory it uses.

use std::time::Duration;

use crate::node::Node;
use crate::request::Control;
use crate::shard::Shard;

/// Switches of the background work.
#[derive(Debug)]
pub(crate) struct Background {
    /// Whether expired keys are looked for (`DEBUG SET-ACTIVE-EXPIRE`).
    pub(crate) expire: bool,
}

impl Default for Background {
    fn default() -> Self {
        Self { expire: true }
    }
}

/// Between rounds, when there is nothing left to do at once.
const ROUND: Duration = Duration::from_millis(100);

/// Keys looked at, or objects freed, per slice: some tens of microseconds.
const SLICE_ENTRIES: usize = 128;

/// Slices per round at most: a quarter of the round, as Redis allows itself, if each slice is long.
const SLICES_PER_ROUND: usize = 500;

/// Runs a shard's background work until the node stops.
pub async fn run(node: Node) {
    loop {
        if node
            .unless_stopping(corelane::time::sleep(ROUND))
            .await
            .is_none()
        {
            return;
        }
        round(&node).await;
    }
}

async fn round(node: &Node) {
    for _ in 0..SLICES_PER_ROUND {
        let more = node.mesh().with(Shard::background_slice);
        if !more {
            break;
        }
        corelane::task::yield_now().await;
    }
    node.mesh().with(Shard::sweep_clients);
    tell_memory(node);
}

/// Tells the others this shard's memory use if it has changed.
fn tell_memory(node: &Node) {
    let me = node.shard_id();
    let told = node.mesh().with(|shard| {
        let used_bytes = shard.space.used_bytes();
        shard.memory.should_tell(used_bytes).then_some(used_bytes)
    });
    let Some(used_bytes) = told else { return };
    for shard in node.mesh().all_shards().filter(|shard| *shard != me) {
        if let Err(refused) = node.mesh().control(shard, Control::Memory { used_bytes }) {
            // The next round tells again: the figure is a level, not a change.
            tracing::debug!(%shard, %refused, "memory use not told");
        }
    }
}

impl Shard {
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

    /// Ends idle clients.
    fn sweep_clients(&mut self) {
        if let Some(timeout) = self.rules.clients.idle_timeout {
            self.clients
                .sweep_idle(corelane::time::unix_ms(), timeout.as_millis() as u64);
        }
    }
}
