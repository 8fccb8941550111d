//! One phase of a run: what the probes saw, and what else can have delayed them.

use std::ops::Range;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::measure::server::Server;
use crate::server::Client;
use crate::server::Use;
use crate::stream::without_colours;

/// What happens in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// The first keys come.
    Fill,
    /// The tables grow on.
    Growth,
    /// The same keys are written again: the same load, no growth.
    Again,
    /// Nothing but the probes.
    Quiet,
}

impl Phase {
    pub(super) const ALL: [Self; 4] = [Self::Fill, Self::Growth, Self::Again, Self::Quiet];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Growth => "growth",
            Self::Again => "again",
            Self::Quiet => "quiet",
        }
    }
}

/// The figures of a phase.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Seen {
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) probe_us: Latency,
}

/// The same without those of the probes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Span {
    pub(super) phase: Phase,
    pub(super) seconds: f64,
    pub(super) keys_per_second: f64,
    /// Tasks that held a shard for a millisecond or more by the clock, and the longest of them.
    pub(super) stalls: f64,
    pub(super) longest_stall_ms: u64,
    /// Processor time, and time the server's threads were ready and waited for a processor.
    pub(super) used: Use,
}

/// What the probes saw, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Latency {
    pub(super) requests: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

impl Latency {
    pub(super) fn of(latencies: &Histogram<u64>) -> Self {
        let at = |share| latencies.value_at_quantile(share) as f64 / 1e3;
        Self {
            requests: latencies.len(),
            p50: at(0.5),
            p99: at(0.99),
            p99_9: at(0.999),
            max: latencies.max() as f64 / 1e3,
        }
    }
}

/// The server's counters at the border of two phases.
pub(super) struct Mark {
    stalls: f64,
    used: Use,
    log_bytes: u64,
}

impl Mark {
    /// # Errors
    /// If the server is gone.
    pub(super) fn here(server: &Server, client: &mut Client) -> Result<Self, String> {
        Ok(Self {
            stalls: client.info("shards")?.get("loop_stalls"),
            used: server.process().used()?,
            log_bytes: server.log_bytes(),
        })
    }

    /// What happened since `earlier`, while `written` was written.
    pub(super) fn span(
        &self,
        earlier: &Self,
        server: &Server,
        phase: Phase,
        took: Duration,
        written: Range<u64>,
    ) -> Span {
        let log = server.log_from(earlier.log_bytes);
        Span {
            phase,
            seconds: took.as_secs_f64(),
            keys_per_second: (written.end - written.start) as f64 / took.as_secs_f64(),
            stalls: self.stalls - earlier.stalls,
            longest_stall_ms: log.lines().filter_map(stall_ms).max().unwrap_or(0),
            used: self.used - earlier.used,
        }
    }
}

/// How long the stall took that a line of the log speaks of.
fn stall_ms(line: &str) -> Option<u64> {
    let line = without_colours(line);
    if !line.contains("held its thread") {
        return None;
    }
    let (_, rest) = line.split_once("elapsed_ms=")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stalls_are_read_from_the_log() {
        let line = "2026-11-20T19:00:00Z  WARN corelane_rt::turn: a task held its thread for too long \
                    runtime=shard-0 task=\"x\" id=7 group=Data elapsed_ms=12";
        assert_eq!(stall_ms(line), Some(12));
        assert_eq!(stall_ms("elapsed_ms=3"), None);
    }
}
