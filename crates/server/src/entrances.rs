//! What a shard listens with: had before it begins, so that a shard that cannot have it does not begin.
//!
//! A main that fails ends the node; an `init` that fails is a refused start, or a refused resize. So the sockets are
//! made by `init`, and wait in the shard's runtime until its main takes them: from `init` on nobody else can have the
//! ports, and clients that come early wait in the sockets' queues.

use std::cell::RefCell;
use std::rc::Rc;

use corelane::{ShardId, local};
use corelane_front::resp::Entrance;
use corelane_node::{Door, Shard};

use crate::assemble::Parts;

/// What a shard has got to listen with and does not yet listen with.
struct Waiting(RefCell<Vec<Entrance>>);

/// A shard that is about to serve: its state, with what it listens with at hand.
///
/// # Errors
/// There are no descriptors left, or somebody has its port; the reason names the address.
pub(crate) fn begin(shard: ShardId, parts: &Parts) -> Result<Shard, String> {
    let entrances = open(shard, parts)?;
    local::insert(Rc::new(Waiting(RefCell::new(entrances))));
    Ok(Shard::new(shard, &parts.seed, corelane::random::next_u64()))
}

/// What this shard listens with, given away: it listens for as long as whoever has taken it keeps it.
pub(crate) fn take() -> Vec<Entrance> {
    local::remove::<Waiting>().map_or_else(Vec::new, |waiting| waiting.0.take())
}

/// The sockets of all shards where it keeps clients, and its own ports where it owns data.
fn open(shard: ShardId, parts: &Parts) -> Result<Vec<Entrance>, String> {
    let mut entrances = Vec::new();
    let owns_data = shard.index() >= parts.io_shards;
    if !owns_data || parts.io_shards == 0 {
        let shared = parts.addresses.listeners()?.into_iter();
        entrances.extend(shared.map(|(listener, speaks_tls)| Entrance {
            listener,
            door: Door::Main,
            speaks_tls,
        }));
    }
    if owns_data {
        let own = parts.shard_ports.listen(shard.index())?.into_iter();
        entrances.extend(own.map(|(listener, speaks_tls)| Entrance {
            listener,
            door: Door::Shard(shard),
            speaks_tls,
        }));
    }
    Ok(entrances)
}
