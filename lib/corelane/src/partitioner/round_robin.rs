//! Turn by turn, whatever the key: for work that belongs to nobody.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::place::check_targets;
use super::{PartitionError, Partitioner};

/// Each placement goes to the next target. Messages of one key do not stay together, nor in order.
///
/// All senders share one counter; on many cores its cache line travels with every placement.
#[derive(Debug)]
pub struct RoundRobin {
    targets: usize,
    next: AtomicUsize,
}

impl RoundRobin {
    /// For `targets` targets, beginning with the first.
    ///
    /// # Errors
    /// If there are none, or more than [`MAX_TARGETS`](super::MAX_TARGETS).
    pub fn new(targets: usize) -> Result<Self, PartitionError> {
        let targets = check_targets(targets)?;
        let next = AtomicUsize::new(0);
        Ok(Self { targets, next })
    }
}

impl Partitioner for RoundRobin {
    fn place(&self, _key: &[u8]) -> usize {
        // Nothing else hangs on the counter: each value is taken once, and that is all it must do.
        self.next.fetch_add(1, Ordering::Relaxed) % self.targets
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        Ok(Box::new(Self::new(targets)?))
    }

    fn name(&self) -> &'static str {
        "round-robin"
    }

    fn keyed(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Partitioner, RoundRobin};

    #[test]
    fn turns_are_fair_between_threads() {
        let (threads, turns) = (4, 999);
        let robin = RoundRobin::new(3).unwrap();
        let counts = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let mut count = [0; 3];
                        (0..turns).for_each(|_| count[robin.place(b"same")] += 1);
                        count
                    })
                })
                .collect();
            let counts = running.into_iter().map(|thread| thread.join().unwrap());
            counts.fold([0; 3], |sum, one| [0, 1, 2].map(|i| sum[i] + one[i]))
        });
        assert_eq!(counts, [threads * turns / 3; 3]);
        assert!(!robin.keyed());
    }
}
