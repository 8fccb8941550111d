//! One end of a simulated connection, as a stream holds it.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::net::{Addr, Peer};
use crate::sim::core::SimCore;

pub(crate) struct SimStream {
    pub(super) world: Rc<SimCore>,
    pub(super) conn: u64,
    pub(super) side: usize,
    pub(super) local: Addr,
    pub(super) peer: Peer,
    abort: bool,
    /// The connection lives on as a value.
    pub(super) detached: bool,
}

impl SimStream {
    pub(crate) fn new(
        world: &Rc<SimCore>,
        conn: u64,
        side: usize,
        local: Addr,
        peer: Peer,
    ) -> Self {
        SimStream {
            world: world.clone(),
            conn,
            side,
            local,
            peer,
            abort: false,
            detached: false,
        }
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
        self.world.poll_recv(self.conn, self.side, cx)
    }

    pub(crate) fn start_send(&mut self, buffer: Vec<u8>) {
        self.world.start_send(self.conn, self.side, buffer);
    }

    pub(crate) fn send_in_flight(&self) -> bool {
        self.world.send_in_flight(self.conn, self.side)
    }

    pub(crate) fn poll_sent(
        &mut self,
        cx: Option<&mut Context<'_>>,
    ) -> Option<io::Result<Vec<u8>>> {
        self.world.poll_sent(self.conn, self.side, cx)
    }

    pub(crate) fn shutdown_write(&self) {
        self.world.shutdown_write(self.conn, self.side);
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) fn local_addr(&self) -> Addr {
        self.local.clone()
    }

    /// Dropping it from now on resets the connection.
    pub(crate) fn abort(&mut self) {
        self.abort = true;
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        if !self.detached {
            self.world.close_end(self.conn, self.side, self.abort);
        }
    }
}
