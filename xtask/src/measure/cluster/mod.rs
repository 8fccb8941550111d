//! What a request costs that comes by a shard's own port: hops, instructions and processor time beside a request to one
//! shard. Two shards are loaded by `redis-benchmark --cluster`, one by `redis-benchmark` (which takes one node for no
//! cluster), with keys of the same length. Instructions are counted under a load of our own, the same commands each time.
//!
//! `contest` goes round the servers, `way` says how each is set up and reached, `load` and `count` do what a round is made
//! of, `report` shows it.

mod contest;
mod count;
mod load;
mod report;
mod way;

pub(super) use contest::{Options, measure};
