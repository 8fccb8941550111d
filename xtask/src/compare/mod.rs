//! `cargo xtask compare`: Corelane beside redis-server, kevy and a bare io_uring loop, in one
//! interleaved run.
//!
//! The machines this runs on are shared and virtual, so figures from two runs do not compare; ratios
//! of medians taken alternately in one run do. At pipeline depth 1 the generator and the kernel are
//! nearly everything, so the server's processor time per request is measured beside throughput.
//!
//! `plan` says what is measured and on which processors, `server` how each rival is found and
//! started, `child` runs one on its processors, `generator` loads it, `calls` counts its system
//! calls, `info` asks Corelane for its own counters, `outcome` holds the samples and their medians, `target` what Corelane must reach, `table` shows all.

mod calls;
mod child;
mod generator;
mod info;
mod outcome;
mod plan;
mod server;
mod table;
mod target;
mod task;

pub(crate) use plan::Options;
pub(crate) use task::run;
