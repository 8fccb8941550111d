//! Changing who owns what while requests run: moving partitions, and growing and shrinking the node.
//!
//! One protocol does all of it. A partition moves from its owner to another shard like this:
//!
//! 1. the owner **exports** slices of it, if its service does that, while it still serves it;
//! 2. it is **frozen**: every shard (and every thread outside) holds its new calls for it, in order, and says
//!    when the last one under way is answered;
//! 3. what is left of it is **handed over**, and the new owner takes it in;
//! 4. the new **map** goes to the new owner first, then to all; each sends on what it has held.
//!
//! So no request meets a shard that does not own its partition, none is handled twice or lost, and none
//! overtakes another. If what is under way does not end in time, the move is given up and everything
//! stays where it was.
//!
//! - `handoff`: what a service does for it
//! - `errand`: asking another shard's mesh for something, and waiting for it
//! - `moving`: one partition
//! - `resizing`: how many shards serve
//! - `holding`: keeping the map as it is while one question is asked of several shards
//! - `progress`: how far a resize has come
//! - `adapting`: moves that the load asks for

mod adapting;
mod errand;
mod handoff;
mod holding;
mod moving;
mod progress;
mod resizing;

pub use adapting::Rebalanced;
pub(crate) use errand::NodeOver;
pub use handoff::Handoff;
pub use holding::MapHold;
pub use moving::MoveError;
pub(crate) use progress::Progress;
pub use progress::Resizing;
pub use resizing::{ResizeError, Resized};
