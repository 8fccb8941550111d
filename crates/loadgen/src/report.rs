//! What a run found out, as data: the same numbers as a table and as JSON.

mod table;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::recorder::{KindRecord, Recorder, new_histogram};
use crate::usage::Usage;

/// The result of a run. [`Report::table`] shows it to a person; serde gives its JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was run, so that it can be run again.
    pub setup: Setup,
    /// From the beginning of the measurement to its last reply, in seconds.
    pub elapsed_s: f64,
    /// All commands together.
    pub all: CommandReport,
    /// Each kind of command.
    pub commands: Vec<CommandReport>,
    /// Bytes of requests sent and of replies received.
    pub traffic: Traffic,
    /// What went wrong.
    pub failures: Failures,
    /// In verify mode: how many values were checked and what came of it.
    pub verified: Option<Verified>,
    /// What the watched server used.
    pub server: Option<Used>,
    /// What the generator itself used. Near one core per thread, it is the bottleneck.
    pub generator: Option<Used>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Address or path of the server.
    pub target: String,
    /// Connections over all threads.
    pub connections: u32,
    /// Generator threads.
    pub threads: u16,
    /// Most unanswered requests per connection.
    pub pipeline: u32,
    /// Intended requests per second of an open loop; none for a closed one.
    pub rate: Option<u64>,
    /// Number of different keys.
    pub keys: u64,
    /// How keys were chosen.
    pub distribution: String,
    /// Sizes of values in bytes.
    pub value_size: String,
    /// Seed of all random choices.
    pub seed: u64,
}

/// The figures of one kind of command, or of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandReport {
    /// The command's name; `all` for all together.
    pub command: String,
    /// Replies received.
    pub requests: u64,
    /// Replies per second.
    pub per_second: f64,
    /// Null replies: no such key.
    pub misses: u64,
    /// Error replies, and values that failed verification.
    pub errors: u64,
    /// How long replies took.
    pub latency_us: Latency,
}

/// A distribution of latencies, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p99_9: f64,
    /// The longest of all.
    pub max: f64,
}

/// Bytes on the wire, without those of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Bytes of requests.
    pub sent_bytes: u64,
    /// Bytes of replies.
    pub received_bytes: u64,
}

/// What went wrong during the measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failures {
    /// Errors by their text; beyond a bounded number of texts under one heading.
    pub errors: BTreeMap<String, u64>,
    /// Requests whose reply never came.
    pub unanswered: u64,
    /// Requests of an open loop that fell due during the measurement and could not be sent in it,
    /// because too many were unanswered: the server did not keep up with the rate.
    pub unsent: u64,
    /// Connections that ended before the measurement did.
    pub lost_connections: u64,
}

/// What verification found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// Values that were checked.
    pub checked: u64,
    /// Values that nobody wrote under that key.
    pub wrong: u64,
}

/// What a process used during the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Seconds on a processor, user and kernel mode.
    pub cpu_s: f64,
    /// Processor time per reply, in microseconds.
    pub cpu_us_per_request: f64,
    /// Times its threads went to sleep, per reply.
    pub voluntary_switches_per_request: f64,
    /// Times the kernel took a processor from it, per reply.
    pub involuntary_switches_per_request: f64,
}

/// What [`Report::new`] is made of, beside the records.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) setup: Setup,
    pub(crate) elapsed_s: f64,
    pub(crate) verify: bool,
    pub(crate) server: Option<Usage>,
    pub(crate) generator: Option<Usage>,
}

impl Report {
    pub(crate) fn new<'a>(
        measured: Measured,
        names: impl Iterator<Item = &'a str>,
        mut recorder: Recorder,
    ) -> Self {
        let Measured {
            setup,
            elapsed_s,
            verify,
            server,
            generator,
        } = measured;
        let totals = recorder.totals;
        let mut sum = new_histogram();
        let mut commands = Vec::new();
        for (name, kind) in names.zip(recorder.kinds()) {
            sum.add(&kind.latency_ns)
                .expect("all histograms have the same bounds");
            commands.push(CommandReport::new(name, elapsed_s, kind));
        }
        let all = CommandReport {
            command: "all".into(),
            requests: sum.len(),
            per_second: per(sum.len(), elapsed_s),
            misses: commands.iter().map(|c| c.misses).sum(),
            errors: commands.iter().map(|c| c.errors).sum(),
            latency_us: Latency::new(&sum),
        };
        Self {
            setup,
            elapsed_s,
            commands,
            traffic: Traffic {
                sent_bytes: totals.sent_bytes,
                received_bytes: totals.received_bytes,
            },
            failures: Failures {
                errors: recorder.errors.texts().clone(),
                unanswered: totals.unanswered,
                unsent: totals.unsent,
                lost_connections: totals.lost_connections,
            },
            verified: verify.then_some(Verified {
                checked: totals.verified,
                wrong: totals.wrong,
            }),
            server: server.map(|usage| Used::new(usage, all.requests)),
            generator: generator.map(|usage| Used::new(usage, all.requests)),
            all,
        }
    }

    /// Whether every request that was sent got a reply that was neither an error nor a wrong value.
    pub fn clean(&self) -> bool {
        let Failures {
            errors,
            unanswered,
            unsent: _,
            lost_connections,
        } = &self.failures;
        errors.is_empty() && *unanswered == 0 && *lost_connections == 0
    }

    /// The report as a person reads it, over several lines.
    pub fn table(&self) -> String {
        table::render(self)
    }
}

impl CommandReport {
    fn new(name: &str, elapsed_s: f64, kind: &KindRecord) -> Self {
        let requests = kind.latency_ns.len();
        Self {
            command: name.into(),
            requests,
            per_second: per(requests, elapsed_s),
            misses: kind.misses,
            errors: kind.errors,
            latency_us: Latency::new(&kind.latency_ns),
        }
    }
}

impl Latency {
    fn new(latency_ns: &Histogram<u64>) -> Self {
        let at = |quantile| latency_ns.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            mean: latency_ns.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: latency_ns.max() as f64 / 1e3,
        }
    }
}

impl Used {
    fn new(usage: Usage, requests: u64) -> Self {
        let per_request = |count: f64| {
            if requests == 0 {
                0.0
            } else {
                count / requests as f64
            }
        };
        Self {
            cpu_s: usage.cpu_ns as f64 / 1e9,
            cpu_us_per_request: per_request(usage.cpu_ns as f64 / 1e3),
            voluntary_switches_per_request: per_request(usage.voluntary_switches as f64),
            involuntary_switches_per_request: per_request(usage.involuntary_switches as f64),
        }
    }
}

fn per(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
