//! Knowing when every shard listens: only then does the server say that it is ready.

use std::sync::mpsc::{Receiver, Sender, channel};

/// A shard's way to say that it listens.
#[derive(Debug, Clone)]
pub struct Ready(Sender<()>);

/// The other end.
#[derive(Debug)]
pub(crate) struct AllReady {
    said: Receiver<()>,
    shards: usize,
}

impl Ready {
    /// A pair of ends.
    pub(crate) fn new(shards: usize) -> (Self, AllReady) {
        let (say, said) = channel();
        (Self(say), AllReady { said, shards })
    }

    /// For a node whose readiness nobody waits for.
    pub fn unheard() -> Self {
        Self(channel().0)
    }

    pub(crate) fn say(&self) {
        // Nobody listens in a simulation, or after a failed start.
        let _ = self.0.send(());
    }
}

impl AllReady {
    /// Waits for all shards; false if the node ended first.
    pub(crate) fn wait(self) -> bool {
        (0..self.shards).all(|_| self.said.recv().is_ok())
    }
}
