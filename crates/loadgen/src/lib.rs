//! Workload generator and latency recorder for servers that speak the Redis protocol: what is
//! behind `corelane bench`.
//!
//! A run is made from [`Options`] and ends in a [`Report`]. Requests are encoded once and then
//! copied with other keys; replies are skipped, not parsed; latencies go to histograms per thread.
//! The generator shares its machine with the server it measures, so it must cost little itself.

#![forbid(unsafe_code)]

mod affinity;
mod engine;
mod error;
mod filler;
mod keys;
mod options;
mod plan;
mod progress;
mod recorder;
mod report;
mod schedule;
mod size;
mod target;
mod template;
mod usage;
mod workload;
mod zipf;

pub use engine::run;
pub use error::Error;
pub use keys::{KeyDistribution, MAX_KEYS, MAX_TAGS};
pub use options::{DataOptions, LoadOptions, Options, TargetOptions};
pub use progress::{Phase, Progress};
pub use recorder::{MAX_ERROR_TEXTS, OTHER_ERRORS};
pub use report::{CommandReport, Failures, Latency, Report, Setup, Traffic, Used, Verified};
pub use size::{MAX_VALUE_BYTES, ValueSize};
pub use target::{Client, ConnectionOptions, Dialer, ServerOptions, TlsOptions, talk};
pub use template::{DATA_PLACEHOLDER, KEY_PLACEHOLDER};
pub use workload::{MAX_KINDS, Ratio};
