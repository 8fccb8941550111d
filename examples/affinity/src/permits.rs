//! How many connections may be open at once, over all shards: the one count that they share. It changes when a
//! connection opens or closes, never per request; counted per shard it would have to follow connections that move.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Permits for connections.
#[derive(Clone, Debug)]
pub(crate) struct Permits {
    open: Arc<AtomicUsize>,
    max: usize,
}

/// Allows one connection, wherever it goes, until dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicUsize>);

impl Permits {
    pub(crate) fn new(max: usize) -> Self {
        Permits {
            open: Arc::default(),
            max,
        }
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// A permit, unless as many as there are are taken.
    pub(crate) fn take(&self) -> Option<Permit> {
        let more = |open| (open < self.max).then_some(open + 1);
        let taken = self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Permit(self.open.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Permits;

    #[test]
    fn there_are_as_many_as_there_are() {
        let permits = Permits::new(2);
        let one = permits.take().expect("the first");
        let _two = permits.take().expect("the second");
        assert!(permits.take().is_none());
        drop(one);
        assert!(permits.take().is_some());
    }
}
