//! A shard's state at one moment, in a form that can cross to the shard that was asked for it.

use corelane::{MeshGauge, MeshStats};

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
    /// Bytes in clients' query and output buffers.
    pub client_bytes: u64,
    /// Bytes the keyspace uses.
    pub used_bytes: u64,
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
        let clients = shard.clients.iter();
        let client_bytes = clients
            .map(|c| c.query_bytes.get() + c.output.get().bytes)
            .sum::<usize>();
        let databases = (0..shard.space.databases())
            .map(|db| (shard.space.len(db), shard.space.volatile(db)))
            .collect();
        Self {
            stats,
            clients: shard.clients.len() as u64,
            client_bytes: client_bytes as u64,
            used_bytes: shard.space.used_bytes(),
            databases,
            mesh: shard.mesh.as_ref().map(MeshGauge::read).unwrap_or_default(),
            runtime: corelane::runtime_stats(),
            busy_permille: shard.loads.of(shard.id).busy_permille,
            costs: shard.gauge.costs(),
        }
    }

    /// Adds another shard's figures.
    pub fn add(&mut self, other: &Self) {
        self.stats.add(&other.stats);
        self.clients += other.clients;
        self.client_bytes += other.client_bytes;
        self.used_bytes += other.used_bytes;
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
