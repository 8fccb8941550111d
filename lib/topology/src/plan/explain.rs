//! The plan in words, as `corelane plan` prints it.

use crate::cpu_set::CpuSet;
use crate::plan::decide::{Plan, Role, ShardPlan};
use crate::plan::request::Layout;
use crate::table::Table;
use crate::text::bytes;

impl Plan {
    /// Every choice with its reason, then the shards where they are pinned, then notes: aligned plain
    /// text, each line with its end. Shards that differ by nothing but their CPU share a line.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = self.choices().render();
        if self.pinned.value {
            text.push('\n');
            text.push_str(&self.places().render());
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }

    fn choices(&self) -> Table {
        let mut table = Table::new(["choice", "value", "reason"]);
        let mut row = |choice: &str, value: String, reason: &str| {
            table.row([choice.to_owned(), value, reason.to_owned()]);
        };
        row("profile", self.profile.to_string(), self.profile.about());
        let shards = &self.shards.value;
        row("shards", shards.len().to_string(), &self.shards.reason);
        row("layout", self.layout.value.to_string(), &self.layout.reason);
        row("cpus", self.cpus(), &self.pinned.reason);
        let maxmemory = &self.maxmemory_bytes;
        row("maxmemory", limit(maxmemory.value), &maxmemory.reason);
        let per_shard = shards.last().and_then(|shard| shard.memory_bytes);
        let equal = match self.layout.value {
            Layout::Unified => "shards own equal parts of the data",
            Layout::Split { .. } => "shards for data own equal parts of it",
        };
        row("per shard", limit(per_shard), equal);
        row("io", self.io.value.to_string(), &self.io.reason);
        let spin = or_off(self.spin_us.value.into(), "µs");
        row("spin", spin, &self.spin_us.reason);
        let stall = or_off(self.stall_ms.value.unwrap_or(0), "ms");
        row("stall", stall, &self.stall_ms.reason);
        let lanes = self.lane_capacity.value.to_string();
        row("lanes", lanes, &self.lane_capacity.reason);
        row("nice", self.niceness(), &self.nice.reason);
        let seed = self.seed.value;
        let seed = seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string());
        row("seed", seed, &self.seed.reason);
        table
    }

    fn cpus(&self) -> String {
        let shards = self.shards.value.iter();
        let cpus: CpuSet = shards.filter_map(|shard| shard.cpu).collect();
        match self.pinned.value {
            true => cpus.to_string(),
            false => "not pinned".to_owned(),
        }
    }

    /// `0`, or `0, io 5`.
    fn niceness(&self) -> String {
        let shards = &self.shards.value;
        match shards.iter().find(|shard| shard.role == Role::Io) {
            Some(io) => format!("{}, io {}", self.nice.value, io.nice),
            None => self.nice.value.to_string(),
        }
    }

    fn places(&self) -> Table {
        let mut table = Table::new(["shards", "role", "cpus", "node", "memory of each"]);
        for run in self.shards.value.chunk_by(alike) {
            let (first, last) = (&run[0], &run[run.len() - 1]);
            let numbers = match run.len() {
                1 => first.shard.to_string(),
                _ => format!("{}-{}", first.shard, last.shard),
            };
            let cpus: CpuSet = run.iter().filter_map(|shard| shard.cpu).collect();
            let node = first.node.map_or_else(|| "-".to_owned(), |n| n.to_string());
            table.row([
                numbers,
                first.role.to_string(),
                cpus.to_string(),
                node,
                limit(first.memory_bytes),
            ]);
        }
        table
    }
}

/// Whether two shards differ by number and CPU alone, and go up by both.
fn alike(a: &ShardPlan, b: &ShardPlan) -> bool {
    (a.role, a.node, a.memory_bytes, a.nice) == (b.role, b.node, b.memory_bytes, b.nice)
        && a.cpu < b.cpu
}

fn limit(limit_bytes: Option<u64>) -> String {
    limit_bytes.map_or_else(|| "no limit".to_owned(), bytes)
}

fn or_off(amount: u64, unit: &str) -> String {
    match amount {
        0 => "off".to_owned(),
        _ => format!("{amount} {unit}"),
    }
}
