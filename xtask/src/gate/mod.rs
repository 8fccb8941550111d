//! `cargo xtask gate`: instructions per command, held against a ratchet.
//!
//! Times on shared machines differ by tens of percent, instruction counts hardly at all. So
//! `benches/command_path` runs each kind of command through parser, slot, store and reply under
//! callgrind, and what it takes may not exceed `xtask/gate.toml`. Where it takes less, the ratchet
//! is to be lowered, so that the gain is kept.
//!
//! `callgrind` runs the driver and reads what it counted, `ratchet` keeps the file and compares.

mod callgrind;
mod ratchet;
mod task;

pub(crate) use task::{Options, run};
