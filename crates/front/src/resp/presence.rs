//! A client's place among the node's connections and in its shard's list.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use corelane_node::{ClientId, Node};

/// How many connections the whole node has: the one number that must be exact across shards at the
/// moment of an accept, because `maxclients` promises it. Touched once per connection.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    open: Arc<AtomicUsize>,
}

/// A place among the node's connections, given back on drop. It goes along to another shard.
#[derive(Debug)]
pub(crate) struct Admitted {
    open: Arc<AtomicUsize>,
}

impl Admission {
    pub(crate) fn enter(&self, limit: usize) -> Option<Admitted> {
        let admitted = Admitted {
            open: Arc::clone(&self.open),
        };
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        (before < limit).then_some(admitted)
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
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
