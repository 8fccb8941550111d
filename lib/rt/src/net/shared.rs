//! One listening socket that many runtimes accept on.

use std::io;

use super::addr::Addr;
use super::listener::{ListenOptions, Listener};
use crate::context::{self, Driver};
use crate::real::RealShared;
use crate::sim::{SimShared, World};

/// A listening socket as a value: bound once, before or while runtimes run, and listened on by as many of them as
/// care to, each with a [`Listener`] of its own. Connections wait in one queue, from which whoever is free takes
/// the next; so no connection waits for a runtime that is busy, asleep or gone.
///
/// A listener that is dropped takes no connection with it. One that its accept had already taken from the queue is
/// handed to the others, or kept for the next listener. (Drop it while its runtime goes on: a runtime that ends
/// with the listener may end that one connection.)
///
/// The address stays taken until the last clone, or [`SharedListener::close`], and the last listener are gone. So it
/// is with a Unix socket's file.
#[derive(Clone)]
pub struct SharedListener(Kind);

#[derive(Clone)]
enum Kind {
    Real(RealShared),
    Sim(SimShared),
}

impl SharedListener {
    /// Listens on `addr`: from here on connections come in, and wait for a listener. Outside a runtime, and inside a
    /// real one, the socket is real; inside a simulated one it is of its world, as with [`SharedListener::bind_in`].
    /// A Unix socket file left behind by a dead process is replaced.
    ///
    /// # Errors
    ///
    /// What the system answers: the address is taken, not of this machine, or not permitted.
    pub fn bind(addr: &Addr, options: &ListenOptions) -> io::Result<Self> {
        let world = context::try_with(|core| match &core.driver {
            Driver::Real(_) => None,
            Driver::Sim(port) => Some(port.world.clone()),
        });
        match world.flatten() {
            Some(world) => SimShared::bind(&world, addr, options).map(Kind::Sim),
            None => RealShared::bind(addr, options).map(Kind::Real),
        }
        .map(SharedListener)
    }

    /// As [`SharedListener::bind`], in a simulated world, before any of its shards runs.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub fn bind_in(world: &World, addr: &Addr, options: &ListenOptions) -> io::Result<Self> {
        SimShared::bind(world.core(), addr, options)
            .map(Kind::Sim)
            .map(SharedListener)
    }

    /// Where it listens, with the port that was picked.
    pub fn local_addr(&self) -> &Addr {
        match &self.0 {
            Kind::Real(shared) => shared.local_addr(),
            Kind::Sim(shared) => shared.local_addr(),
        }
    }

    /// A listener on this thread's runtime.
    ///
    /// # Errors
    ///
    /// It is closed; there are no descriptors left; a real socket meets a simulated runtime, or the other way round;
    /// or the runtimes that listen do not all run on the same backend (a socket either waits in the kernel, or does
    /// not).
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn listener(&self) -> io::Result<Listener> {
        context::with(|core| match (&core.driver, &self.0) {
            (Driver::Real(driver), Kind::Real(shared)) => {
                shared.listener(driver).map(Listener::real)
            }
            (Driver::Sim(port), Kind::Sim(shared)) => {
                shared.listener(&port.world).map(Listener::sim)
            }
            (Driver::Real(_), Kind::Sim(_)) | (Driver::Sim(_), Kind::Real(_)) => {
                let text = "the listening socket is not of this kind of runtime";
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        })
    }

    /// Lets go of the socket, for all clones: no further listener can be made, and once those that were made are
    /// gone nobody listens any more. Connections that wait then are refused.
    pub fn close(&self) {
        match &self.0 {
            Kind::Real(shared) => shared.close(),
            Kind::Sim(shared) => shared.close(),
        }
    }
}

impl std::fmt::Debug for SharedListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedListener")
            .field("addr", self.local_addr())
            .finish()
    }
}
