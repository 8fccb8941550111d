//! A simulated connection between two shards: what a stream becomes when it is detached.

use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::stream::SimStream;
use crate::net::{Addr, Peer};
use crate::sim::core::SimCore;

/// Sockets that nobody holds any more, for their world to close: what moves between shards is `Send` and cannot hold
/// the world itself.
#[derive(Clone, Default)]
pub(crate) struct Orphans(Arc<Mutex<Vec<Orphan>>>);

pub(super) enum Orphan {
    /// One end of a connection.
    End { conn: u64, side: usize },
    /// A listening socket that was held as a value.
    Listening { id: u64 },
}

pub(crate) struct SimConnection {
    conn: u64,
    side: usize,
    local: Addr,
    peer: Peer,
    /// None once it is attached.
    orphans: Option<Orphans>,
}

impl Orphans {
    pub(super) fn add(&self, orphan: Orphan) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(orphan);
    }

    /// Whether it is the same world's.
    pub(super) fn is_of(&self, world: &SimCore) -> bool {
        Arc::ptr_eq(&self.0, &world.orphans.0)
    }

    fn take(&self) -> Vec<Orphan> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SimConnection {
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) fn local_addr(&self) -> Addr {
        self.local.clone()
    }
}

impl Drop for SimConnection {
    fn drop(&mut self) {
        if let Some(orphans) = &self.orphans {
            orphans.add(Orphan::End {
                conn: self.conn,
                side: self.side,
            });
        }
    }
}

impl SimStream {
    /// As long as it takes to stop a receive; some of what has come by then is kept, as with a real one.
    pub(crate) async fn quiet(&mut self, kept: &mut Vec<u8>) {
        let world = self.world.clone();
        world.take_time(&world.options.completion_ns).await;
        kept.extend(world.take_some(self.conn, self.side));
        world.forget_wakers(self.conn, self.side);
    }

    pub(crate) fn detach(mut self) -> SimConnection {
        self.detached = true;
        SimConnection {
            conn: self.conn,
            side: self.side,
            local: self.local.clone(),
            peer: self.peer.clone(),
            orphans: Some(self.world.orphans.clone()),
        }
    }

    pub(crate) fn attach(world: &Rc<SimCore>, mut connection: SimConnection) -> io::Result<Self> {
        let at_home = connection
            .orphans
            .as_ref()
            .is_some_and(|orphans| orphans.is_of(world));
        if !at_home {
            let text = "the connection belongs to another simulated world";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        connection.orphans = None;
        let (local, peer) = (connection.local.clone(), connection.peer.clone());
        Ok(SimStream::new(
            world,
            connection.conn,
            connection.side,
            local,
            peer,
        ))
    }
}

impl SimCore {
    /// Closes sockets whose values were dropped between shards.
    pub(crate) fn close_orphans(&self) {
        for orphan in self.orphans.take() {
            match orphan {
                Orphan::End { conn, side } => self.close_end(conn, side, false),
                Orphan::Listening { id } => self.let_go(id),
            }
        }
    }
}
