//! `cargo xtask test`: everything that must hold before a change is taken, step by step.
//!
//! `steps` lists the steps, `task` runs and times them. A step that needs a program this machine lacks
//! is left out with a line that says how to get it, unless `--require-tools` makes that a failure.

mod steps;
mod task;

pub(crate) use task::{Options, run};
