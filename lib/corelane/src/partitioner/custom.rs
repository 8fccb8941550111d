//! A placement of the service's own.

use std::fmt;
use std::sync::Arc;

use super::place::check_targets;
use super::{PartitionError, Partitioner};

/// Places by a closure of `(key, targets)`, which names a target below `targets`.
///
/// ```
/// use corelane::partitioner::{Custom, Partitioner};
///
/// // One worker per tenant, whose number is the key's first byte.
/// let tenants = Custom::new(8, |key, targets| key.first().map_or(0, |t| usize::from(*t) % targets))?;
/// assert_eq!(tenants.try_place(b"\x03order")?, 3);
///
/// // What a closure gets wrong is an error, not a panic of whoever sends.
/// let wrong = Custom::new(2, |_, targets| targets)?;
/// assert!(wrong.try_place(b"k").unwrap_err().to_string().contains("named target 2 of 2"));
/// # Ok::<(), corelane::partitioner::PartitionError>(())
/// ```
pub struct Custom<F> {
    targets: usize,
    place: Arc<F>,
}

impl<F: Fn(&[u8], usize) -> usize + Send + Sync + 'static> Custom<F> {
    /// For `targets` targets, placed on by `place`. It must answer the same for the same arguments,
    /// if messages of one key are to stay in order.
    ///
    /// # Errors
    /// If there are none, or more than [`MAX_TARGETS`](super::MAX_TARGETS).
    pub fn new(targets: usize, place: F) -> Result<Self, PartitionError> {
        let targets = check_targets(targets)?;
        let place = Arc::new(place);
        Ok(Self { targets, place })
    }
}

impl<F: Fn(&[u8], usize) -> usize + Send + Sync + 'static> Partitioner for Custom<F> {
    fn place(&self, key: &[u8]) -> usize {
        (self.place)(key, self.targets)
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        let targets = check_targets(targets)?;
        let place = self.place.clone();
        Ok(Box::new(Self { targets, place }))
    }

    fn name(&self) -> &'static str {
        "custom"
    }
}

impl<F> fmt::Debug for Custom<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
