//! A shard's state at one moment, in a form that can cross to the shard that was asked for it.

use corelane::{MeshGauge, MeshStats};

use crate::rates::{Counts, Rates};
use crate::routing::Costs;
use crate::shard::Shard;
use crate::stats::Stats;

/// One shard's figures; [`add`](Self::add) makes them the node's.
#[derive(Debug, Clone, Default)]
pub struct ShardReport {
    /// Counters.
    pub stats: Stats,
    /// Connections.
    pub clients: u64,
    /// Memory that clients hold, themselves included.
    pub client_bytes: u64,
    /// Of it, their query and output buffers.
    pub client_buffer_bytes: u64,
    /// Bytes the keyspace uses.
    pub used_bytes: u64,
    /// The most that the node's memory has come to, as the shard knows it.
    pub peak_bytes: u64,
    /// The most that its own keyspace has come to; the largest of several.
    pub own_peak_bytes: u64,
    /// What has happened each second lately.
    pub rates: Rates,
    /// Per database: keys, and keys with an expiry.
    pub databases: Vec<(u64, u64)>,
    /// Messages between shards.
    pub mesh: MeshStats,
    /// The event loop.
    pub runtime: corelane::RuntimeStats,
    /// Thousandths of the last second in which it had something to do; of no meaning in a sum.
    pub busy_permille: u16,
    /// What trips and moves cost on that shard; of no meaning in a sum.
    pub costs: Costs,
}

impl ShardReport {
    pub(crate) fn of(shard: &Shard) -> Self {
        let mut stats = shard.stats.clone();
        stats.expired_keys += shard.space.expired_total() - stats.expired_before;
        let (mut client_bytes, mut client_buffer_bytes) = (0, 0);
        for client in shard.clients.iter() {
            client_bytes += client.memory_bytes();
            client_buffer_bytes += client.buffer_bytes();
        }
        let now_ns = corelane::time::now_ns();
        let rates = shard.sampler.rates(now_ns, Counts::of(&stats));
        let databases = (0..shard.space.databases())
            .map(|db| (shard.space.len(db), shard.space.volatile(db)))
            .collect();
        Self {
            stats,
            clients: shard.clients.len() as u64,
            client_bytes,
            client_buffer_bytes,
            used_bytes: shard.space.used_bytes(),
            peak_bytes: shard.peak.bytes(),
            own_peak_bytes: shard.peak.own_bytes(),
            rates,
            databases,
            mesh: shard.mesh.as_ref().map(MeshGauge::read).unwrap_or_default(),
            runtime: corelane::runtime_stats(),
            busy_permille: shard.loads.of(shard.id).busy_permille,
            costs: shard.gauge.costs(),
        }
    }

    /// Memory that data and clients take.
    pub fn memory_bytes(&self) -> u64 {
        self.used_bytes + self.client_bytes
    }

    /// Adds another shard's figures.
    pub fn add(&mut self, other: &Self) {
        self.stats.add(&other.stats);
        self.clients += other.clients;
        self.client_bytes += other.client_bytes;
        self.client_buffer_bytes += other.client_buffer_bytes;
        self.used_bytes += other.used_bytes;
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self.own_peak_bytes = self.own_peak_bytes.max(other.own_peak_bytes);
        self.rates.add(&other.rates);
        if self.databases.len() < other.databases.len() {
            self.databases.resize(other.databases.len(), (0, 0));
        }
        for (mine, theirs) in self.databases.iter_mut().zip(&other.databases) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
        self.mesh.add(&other.mesh);
        self.runtime.add(&other.runtime);
    }
}
