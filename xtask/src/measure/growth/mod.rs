//! Growth: what happens to everybody else while a shard's tables grow to millions of keys, and what a
//! key costs in memory.
//!
//! `loader` writes keys as fast as the server takes them, `probe` asks a thousand times a second on
//! connections of its own, `phase` tells what part of what the probe saw is the server's doing,
//! `walk` takes one server through the phases, `run` one after the other, `report` shows it all.
//!
//! The probe's latency alone tells little on a busy machine: it contains waiting behind the loader's
//! pipelines and for processors that others use. Therefore a phase that writes the same keys again,
//! the same load without growth, stands beside the growth; and beside the probe stand the server's own
//! count of tasks that held a shard for a millisecond, and how often and how long its threads waited
//! for a processor.

mod loader;
mod phase;
mod probe;
mod report;
mod run;
mod walk;

pub(crate) use run::{Options, measure};
