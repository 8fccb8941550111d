//! What the runs found: rows of figures, the table, the targets that are missed.

use serde::Serialize;

use super::loader::{KEY_BYTES, VALUE_BYTES};
use super::phase::{Phase, Seen};
use super::run::Keys;
use crate::measure::table::Table;

/// Memory that a key may take, all in all.
const KEY_BYTES_MAX: f64 = 110.0;

/// One server's run.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) server: String,
    pub(super) keys: u64,
    pub(super) layout: Keys,
    pub(super) phases: Vec<Seen>,
    pub(super) memory: PerKey,
}

/// Resident memory per key above that of the empty server, in bytes. It rises and falls as segments
/// fill and split.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct PerKey {
    /// At the worst number of keys during the growth.
    worst: f64,
    /// That number.
    worst_keys: u64,
    /// At its end.
    end: f64,
}

impl PerKey {
    /// Notes what so many keys take.
    pub(super) fn note(&mut self, bytes: u64, keys: u64) {
        self.end = bytes as f64 / keys as f64;
        if self.end > self.worst {
            (self.worst, self.worst_keys) = (self.end, keys);
        }
    }
}

/// The columns behind the server's name.
const COLUMNS: [&str; 11] = [
    "phase",
    "1000 keys/s",
    "probe p50 µs",
    "p99",
    "p99.9",
    "max",
    "stalls ≥1 ms",
    "longest ms",
    "preempted",
    "waited ms",
    "bytes/key worst (end)",
];

/// The table.
pub(super) fn render(rows: &[Row]) -> String {
    let mut header = vec!["server, keys"];
    header.extend(COLUMNS);
    let mut table = Table::new(&header);
    for row in rows {
        for (at, seen) in row.phases.iter().enumerate() {
            let name = match at {
                0 => format!("{}, {}", row.server, row.layout),
                _ => String::new(),
            };
            let mut line = vec![name];
            line.extend(cells(row, seen));
            table.row(line);
        }
    }
    let keys = rows.first().map_or(0, |row| row.keys);
    format!(
        "{}{keys} keys of {KEY_BYTES} bytes, values of {VALUE_BYTES}; the probe asks every shard \
         1000 times a second\n",
        table.render()
    )
}

/// A phase's figures, by [`COLUMNS`].
fn cells(row: &Row, seen: &Seen) -> [String; COLUMNS.len()] {
    let (span, probe) = (&seen.span, &seen.probe_us);
    let of_ours = |text: String| if row.is_ours() { text } else { "–".into() };
    let memory = match span.phase {
        Phase::Growth => format!("{:.1} ({:.1})", row.memory.worst, row.memory.end),
        _ => String::new(),
    };
    [
        span.phase.name().into(),
        format!("{:.0}", span.keys_per_second / 1e3),
        format!("{:.0}", probe.p50),
        format!("{:.0}", probe.p99),
        format!("{:.0}", probe.p99_9),
        format!("{:.0}", probe.max),
        of_ours(format!("{:.0}", span.stalls)),
        of_ours(span.longest_stall_ms.to_string()),
        span.used.preempted.to_string(),
        format!("{:.0}", span.used.waited_ns as f64 / 1e6),
        memory,
    ]
}

impl Row {
    /// Whether the server knows shards, stalls and targets.
    fn is_ours(&self) -> bool {
        self.server.starts_with("corelane")
    }
}

/// Targets that are missed.
pub(super) fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.is_ours()) {
        let name = format!("{}, {}", row.server, row.layout);
        let PerKey {
            worst, worst_keys, ..
        } = row.memory;
        if worst > KEY_BYTES_MAX {
            missed.push(format!("{name}: {worst:.1} bytes per key at {worst_keys}"));
        }
        let spans = row.phases.iter().map(|seen| &seen.span);
        for span in spans.filter(|span| span.phase == Phase::Growth) {
            if span.stalls > 0.0 {
                missed.push(format!(
                    "{name}: {} stalls of 1 ms and more by the clock, the longest of {} ms, while its \
                     threads lost their processor {} times",
                    span.stalls, span.longest_stall_ms, span.used.preempted
                ));
            }
        }
    }
    missed
}
