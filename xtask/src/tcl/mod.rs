//! `cargo xtask tcl`: Redis's own TCL tests against a running server of ours.
//!
//! The tests are not ours to keep, so they are taken from Redis's sources (`sources`). What runs and
//! what is left out, each with its reason, stands in `tests/judges/redis-tcl.txt` (`list`). Each unit
//! gets a server of its own (`server`) and is run by Redis's harness, whose output `harness` reads.
//! `task` holds the outcome against the list: a test fails without being listed, or is listed and
//! would pass, or is listed and unknown.

mod harness;
mod list;
mod server;
mod sources;
mod task;

pub(crate) use task::{Options, check_machine, count, run};
