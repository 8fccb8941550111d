//! Whether a connection goes to its data: the decision, apart from everything that carries it out.
//!
//! A pass (one read of a pipeline) sends one batch to each other shard that its commands need, so the
//! unit here is the *trip*, not the command. Where a connection lives decides which passes have to
//! travel: living on shard X spares one trip in each pass that needs X.
//!
//! Nothing here reads a clock or throws dice. What a trip and a move cost is an argument
//! ([`Costs`]), and what a connection did is told pass by pass ([`Pass`], [`History`]). What belongs to
//! one connection lies in its [`Course`]. How busy the shards are ([`Loads`]) has the last word: a hot one takes nobody in.

mod costs;
mod course;
mod history;
mod loads;
#[cfg(test)]
mod one_hot_shard;
mod pass;
#[cfg(test)]
mod simulation;

pub use costs::{Costs, Gauge};
pub use course::{Course, MoveReason};
pub use history::History;
pub use loads::Load;
pub(crate) use loads::{Loads, Relief};
pub use pass::Pass;
