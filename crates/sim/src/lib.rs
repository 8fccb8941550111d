//! The whole node under one seed

#![forbid(unsafe_code)]

mod batch;
pub mod check;
mod drive;
mod failure;
pub mod model;
pub mod plan;
mod run;
mod story;

pub use batch::{Batch, Summary, run_batch};
pub use failure::{Failure, Fault};
pub use run::{Passed, run};
