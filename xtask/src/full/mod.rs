//! `cargo xtask full`: the long runs that no change waits for, to be resumed where they stopped.
//!
//! Each part (`parts`) is cut into slices. What came of a slice is written down at once (`state`), so a
//! run that is ended goes on with the next slice, as long as the revision is the same. The figures go
//! into `docs/results/full.md` (`results`), which is committed by hand.

mod parts;
mod results;
mod state;
mod task;

pub(crate) use task::{Options, run};
