//! A client's place among the node's connections and in its shard's list.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use corelane::{MAX_SHARDS, ShardId};
use corelane_node::{ClientId, Node};

/// How many connections the node has, and each of its shards. The whole must be exact at the moment of an accept,
/// because `maxclients` promises it; the shards' numbers say where the next one should go. Touched once per
/// connection, and once per move.
#[derive(Debug, Clone, Default)]
pub struct Admission(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    open: AtomicUsize,
    shards: Box<[Counted]>,
}

#[derive(Debug, Default)]
struct Counted {
    connections: AtomicUsize,
    /// Sockets that this shard accepts on; a shard without one takes no new connections.
    doors: AtomicUsize,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            open: AtomicUsize::new(0),
            shards: (0..MAX_SHARDS).map(|_| Counted::default()).collect(),
        }
    }
}

/// A place among the node's connections, given back on drop. It goes along to another shard.
#[derive(Debug)]
pub(crate) struct Admitted {
    counts: Arc<Counts>,
    shard: ShardId,
}

/// New connections come to a shard as long as this lives.
#[derive(Debug)]
pub(crate) struct Door {
    counts: Arc<Counts>,
    shard: ShardId,
}

impl Admission {
    /// A place on `shard`, unless the node has `limit` connections.
    pub(crate) fn enter(&self, limit: usize, shard: ShardId) -> Option<Admitted> {
        let one_more = |open: usize| (open < limit).then_some(open + 1);
        let entered = self
            .0
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        entered.ok()?;
        self.0.count(shard, 1);
        Some(Admitted {
            counts: Arc::clone(&self.0),
            shard,
        })
    }

    /// From here on `shard` takes new connections.
    pub(crate) fn door(&self, shard: ShardId) -> Door {
        self.0.shards[shard.index()]
            .doors
            .fetch_add(1, Ordering::Relaxed);
        Door {
            counts: Arc::clone(&self.0),
            shard,
        }
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }
}

impl Counts {
    fn count(&self, shard: ShardId, change: isize) {
        self.shards[shard.index()]
            .connections
            .fetch_add(change.cast_unsigned(), Ordering::Relaxed);
    }
}

impl Admitted {
    /// Takes a place on the shard that has the fewest connections of those that take any, this one's included, and
    /// says which it is. A shard that `gives` some away gets none as long as another does not: what it is rid of must
    /// not come in again by the front door. A connection stays where it is if that is as good.
    pub(crate) fn settle(
        &mut self,
        shards: impl Iterator<Item = ShardId>,
        gives: impl Fn(ShardId) -> bool,
    ) -> ShardId {
        let connections = |shard: ShardId| {
            let counted = &self.counts.shards[shard.index()];
            counted.connections.load(Ordering::Relaxed)
        };
        let takes = |shard: &ShardId| {
            let doors = &self.counts.shards[shard.index()].doors;
            doors.load(Ordering::Relaxed) > 0
        };
        let fullness = |shard: ShardId| (gives(shard), connections(shard));
        let best = shards
            .filter(takes)
            .map(|shard| (fullness(shard), shard))
            .min_by_key(|(fullness, _)| *fullness);
        // Of the own ones it is one itself.
        let here = match takes(&self.shard) {
            true => (gives(self.shard), connections(self.shard).saturating_sub(1)),
            false => (true, usize::MAX),
        };
        if let Some((_, there)) = best.filter(|(fullness, _)| *fullness < here) {
            self.move_to(there);
        }
        self.shard
    }

    /// The connection is with another shard now.
    pub(crate) fn move_to(&mut self, shard: ShardId) {
        self.counts.count(self.shard, -1);
        self.counts.count(shard, 1);
        self.shard = shard;
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.counts.count(self.shard, -1);
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.counts.shards[self.shard.index()]
            .doors
            .fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client's place in the shard's list and among the node's connections; given back whatever ends
/// the session, a panic included.
#[derive(Debug)]
pub(crate) struct Presence {
    node: Node,
    id: ClientId,
    admitted: Option<Admitted>,
}

impl Presence {
    pub(crate) fn new(node: Node, id: ClientId, admitted: Admitted) -> Self {
        Self {
            node,
            id,
            admitted: Some(admitted),
        }
    }

    /// The place among the node's connections, for a client that leaves this shard but not the node.
    pub(crate) fn take(mut self) -> Option<Admitted> {
        self.admitted.take()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if self.admitted.is_some() {
            self.node.leave_client(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(count: u16) -> impl Iterator<Item = ShardId> {
        (0..count).map(ShardId::new)
    }

    /// Connections per shard after connects accepted by the shards named, in this order.
    #[track_caller]
    fn check(doors: &[u16], accepted_by: &[u16], expected: &[usize]) {
        check_beside(&[], doors, accepted_by, expected);
    }

    /// The same, where some shards give connections away.
    #[track_caller]
    fn check_beside(giving: &[u16], doors: &[u16], accepted_by: &[u16], expected: &[usize]) {
        let admission = Admission::default();
        let _doors: Vec<Door> = doors
            .iter()
            .map(|shard| admission.door(ShardId::new(*shard)))
            .collect();
        let settled: Vec<Admitted> = accepted_by
            .iter()
            .map(|shard| {
                let mut admitted = admission.enter(1000, ShardId::new(*shard)).expect("room");
                admitted.settle(shards(expected.len() as u16), |shard| {
                    giving.contains(&shard.number())
                });
                admitted
            })
            .collect();
        let counts = |admission: &Admission| -> Vec<usize> {
            let counted = admission.0.shards.iter().take(expected.len());
            counted
                .map(|counted| counted.connections.load(Ordering::Relaxed))
                .collect()
        };
        assert_eq!(counts(&admission), expected);
        assert_eq!(admission.open(), settled.len());
        drop(settled);
        assert_eq!(counts(&admission), vec![0; expected.len()]);
        assert_eq!(admission.open(), 0);
    }

    #[test]
    fn connections_settle_where_the_fewest_are() {
        check(&[0, 1], &[0; 10], &[5, 5]);
        check(&[0, 1], &[0; 11], &[6, 5]);
        check(&[0, 1, 2, 3], &[2; 8], &[2, 2, 2, 2]);
        check(&[0, 1], &[0, 1, 0, 1], &[2, 2]);
        // A shard that takes none (any more) gets none, and hands on what it still took.
        check(&[0, 1, 3], &[0; 9], &[3, 3, 0, 3]);
        check(&[1], &[0; 4], &[0, 4]);
        check(&[], &[0; 4], &[4, 0]);
    }

    #[test]
    fn a_shard_that_gives_connections_away_gets_none() {
        check_beside(&[0], &[0, 1], &[0; 30], &[0, 30]);
        check_beside(&[0], &[0, 1], &[0, 1, 0, 1], &[0, 4]);
        check_beside(&[1], &[0, 1, 2], &[0, 1, 2, 0, 1, 1], &[3, 0, 3]);
        // Where all do, or those that do not take none, none is worse than another.
        check_beside(&[0, 1], &[0, 1], &[0; 10], &[5, 5]);
        check_beside(&[1], &[1], &[0; 4], &[0, 4]);
    }

    #[test]
    fn the_limit_is_exact() {
        let admission = Admission::default();
        let shard = ShardId::new(0);
        let first = admission.enter(2, shard);
        let second = admission.enter(2, shard);
        assert!(first.is_some() && second.is_some());
        assert!(admission.enter(2, shard).is_none());
        assert_eq!(admission.open(), 2, "who was refused does not count");
        drop(first);
        assert!(admission.enter(2, shard).is_some());
    }
}
