//! One server's way through all phases.

use std::io;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};

use super::loader::Loader;
use super::phase::{Mark, Phase, Seen};
use super::probe::Probes;
use super::report::{PerKey, Row};
use super::run::{Keys, Options};
use crate::measure::server::Server;

/// How long the probes run alone.
const QUIET: Duration = Duration::from_secs(3);

/// Keys between two looks at memory.
const STEP_KEYS: usize = 250_000;

/// Takes one server through all phases; one with 0 shards knows nothing of shards.
///
/// # Errors
/// If the server or a connection to it fails.
pub(super) fn walk(
    name: String,
    server: &Server,
    shards: usize,
    layout: Keys,
    options: &Options,
) -> Result<Row, String> {
    let failed = |error: io::Error| format!("{name}: {error}");
    if shards < 2 {
        leave_first_processor();
    }
    let mut client = server.client()?;
    let mut loader = Loader::connect(server.port, layout == Keys::Tag).map_err(failed)?;
    loader.warm_up().map_err(failed)?;
    let empty_bytes = server.process().rss()?;
    let probes = Probes::start(server.port, shards)?;
    let (mut spans, mut memory) = (Vec::new(), PerKey::default());
    for phase in Phase::ALL {
        probes.enter(phase);
        let before = Mark::here(server, &mut client)?;
        let began = Instant::now();
        let written = part(phase, options);
        for keys in steps(written.clone()) {
            let end = keys.end;
            loader.write(keys).map_err(failed)?;
            if phase == Phase::Growth {
                let grown = server.process().rss()?.saturating_sub(empty_bytes);
                memory.note(grown, end);
            }
        }
        if written.is_empty() {
            thread::sleep(QUIET);
        }
        let now = Mark::here(server, &mut client)?;
        spans.push(now.span(&before, server, phase, began.elapsed(), written));
    }
    let latencies = probes.finish().map_err(failed)?;
    let seen = |(span, probe_us)| Seen { span, probe_us };
    Ok(Row {
        server: name,
        keys: options.keys,
        layout,
        phases: spans.into_iter().zip(latencies).map(seen).collect(),
        memory,
    })
}

/// The keys that a phase writes.
fn part(phase: Phase, options: &Options) -> Range<u64> {
    match phase {
        Phase::Fill => 0..options.from,
        Phase::Growth => options.from..options.keys,
        Phase::Again => 0..options.keys.saturating_sub(options.from),
        Phase::Quiet => 0..0,
    }
}

/// The same keys in steps, after each of which memory is looked at.
fn steps(keys: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let starts = keys.clone().step_by(STEP_KEYS);
    starts.map(move |start| start..keys.end.min(start + STEP_KEYS as u64))
}

/// Keeps this thread, and those it starts, off the processor that the server has for itself.
fn leave_first_processor() {
    let mut second = CpuSet::new();
    second.set(1);
    // Refused where there is no second one: then all share.
    let _ = sched_setaffinity(None, &second);
}
