//! The plan as `corelane plan` prints it.

use crate::cpu_set::CpuSet;
use crate::plan::decide::Plan;
use crate::table::Table;
use crate::text::bytes;

impl Plan {
    /// Choices with their reasons, then the shards where they are pinned, then notes: aligned plain
    /// text, each line with its end.
    pub fn table(&self) -> String {
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
        let shards = &self.shards.value;
        let cpus: CpuSet = shards.iter().filter_map(|shard| shard.cpu).collect();
        let cpus = if self.pinned.value {
            cpus.to_string()
        } else {
            "not pinned".to_owned()
        };
        let per_shard = shards.first().and_then(|shard| shard.memory_bytes);
        let spin = match self.spin_us.value {
            0 => "off".to_owned(),
            spin_us => format!("{spin_us} µs"),
        };
        let mut table = Table::new(["choice", "value", "reason"]);
        let mut row = |choice: &str, value: String, reason: &str| {
            table.row([choice.to_owned(), value, reason.to_owned()]);
        };
        row("shards", shards.len().to_string(), &self.shards.reason);
        row("cpus", cpus, &self.pinned.reason);
        row(
            "maxmemory",
            limit(self.maxmemory_bytes.value),
            &self.maxmemory_bytes.reason,
        );
        row(
            "per shard",
            limit(per_shard),
            "shards own equal parts of the data",
        );
        row("io", self.io.value.to_string(), &self.io.reason);
        row("spin", spin, &self.spin_us.reason);
        table
    }

    fn places(&self) -> Table {
        let or_dash =
            |number: Option<usize>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let mut table = Table::new(["shard", "cpu", "node", "memory"]);
        for shard in &self.shards.value {
            let memory = limit(shard.memory_bytes);
            table.row([
                shard.shard.to_string(),
                or_dash(shard.cpu),
                or_dash(shard.node),
                memory,
            ]);
        }
        table
    }
}

fn limit(limit_bytes: Option<u64>) -> String {
    limit_bytes.map_or_else(|| "no limit".to_owned(), bytes)
}
