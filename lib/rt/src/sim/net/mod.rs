//! Simulated sockets: bytes travel as events, in order, in pieces, through bounded buffers.

mod conn;
mod listen;
mod moving;
mod shared;
mod stream;
mod udp;

use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use listen::{ConnectId, SimListener, connect};
pub(crate) use moving::{Orphans, SimConnection};
pub(crate) use shared::SimShared;
pub(crate) use stream::SimStream;
pub(crate) use udp::SimUdp;

use crate::net::Addr;

/// All sockets of a world.
pub(crate) struct Net {
    conns: BTreeMap<u64, conn::Conn>,
    next_conn: u64,
    listeners: BTreeMap<Addr, Vec<Rc<listen::Listening>>>,
    /// Listening sockets that are held as values, by number.
    shared: BTreeMap<u64, Rc<listen::Listening>>,
    next_shared: u64,
    attempts: BTreeMap<ConnectId, listen::Attempt>,
    next_attempt: u64,
    next_port: u16,
    datagrams: udp::Datagrams,
}

/// Where the ports that a world picks begin.
const FIRST_PORT: u16 = 20_000;

impl Default for Net {
    fn default() -> Self {
        Net {
            conns: BTreeMap::new(),
            next_conn: 0,
            listeners: BTreeMap::new(),
            shared: BTreeMap::new(),
            next_shared: 0,
            attempts: BTreeMap::new(),
            next_attempt: 0,
            next_port: FIRST_PORT,
            datagrams: udp::Datagrams::default(),
        }
    }
}

impl Net {
    fn pick_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = if port == u16::MAX {
            FIRST_PORT
        } else {
            port + 1
        };
        port
    }
}
