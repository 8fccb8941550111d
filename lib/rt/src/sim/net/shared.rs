//! A simulated listening socket as a value: many shards accept on it.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::listen::SimListener;
use super::moving::{Orphan, Orphans};
use crate::net::{Addr, ListenOptions};
use crate::sim::core::SimCore;

/// It is `Send` and cannot hold the socket itself, which lies in the world under a number.
#[derive(Clone)]
pub(crate) struct SimShared(Arc<Held>);

struct Held {
    id: u64,
    addr: Addr,
    orphans: Orphans,
}

impl SimShared {
    pub(crate) fn bind(
        world: &Rc<SimCore>,
        addr: &Addr,
        options: &ListenOptions,
    ) -> io::Result<Self> {
        let listening = world.listen(addr, options, true)?;
        let mut net = world.net.borrow_mut();
        let id = net.next_shared;
        net.next_shared += 1;
        let addr = listening.addr.clone();
        net.shared.insert(id, listening);
        Ok(SimShared(Arc::new(Held {
            id,
            addr,
            orphans: world.orphans.clone(),
        })))
    }

    pub(crate) fn local_addr(&self) -> &Addr {
        &self.0.addr
    }

    pub(crate) fn listener(&self, world: &Rc<SimCore>) -> io::Result<SimListener> {
        if !self.0.orphans.is_of(world) {
            let text = "the listening socket belongs to another simulated world";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        world.close_orphans();
        let listening = world.net.borrow().shared.get(&self.0.id).cloned();
        listening
            .map(|listening| SimListener::of(world, listening))
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the socket was closed"))
    }

    /// The world does it before anything else happens in it.
    pub(crate) fn close(&self) {
        self.0.orphans.add(Orphan::Listening { id: self.0.id });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.orphans.add(Orphan::Listening { id: self.id });
    }
}

impl SimCore {
    /// Lets go of a held socket; again does nothing.
    pub(super) fn let_go(&self, id: u64) {
        let held = self.net.borrow_mut().shared.remove(&id);
        if let Some(listening) = held {
            listening.held.set(false);
            self.close_if_unused(&listening);
        }
    }
}
