//! The trait that all placements share, apart from them so that it names none of them.

use std::sync::Arc;

use super::PartitionError;

/// The most targets a partitioner places on: more than a node has shards, workers or slots, and few
/// enough that a mistaken number is refused before memory is taken for it.
pub const MAX_TARGETS: usize = 1 << 16;

/// Decides which target a key goes to.
///
/// It works through `&self` and is `Send + Sync`, so that one value serves every sender, also as
/// `Arc<dyn Partitioner>`. One that must change is replaced as a whole: by
/// [`resized`](Self::resized), or by a changed copy.
pub trait Partitioner: Send + Sync {
    /// The target of `key`, below [`targets`](Self::targets).
    ///
    /// Takes no lock and allocates nothing. Whoever indexes with it and does not trust the
    /// implementation asks [`try_place`](Self::try_place).
    fn place(&self, key: &[u8]) -> usize;

    /// How many targets it places on; never 0.
    fn targets(&self) -> usize;

    /// The same placement for another number of targets: targets below both numbers stay what they are.
    ///
    /// # Errors
    /// If it cannot place on that many.
    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError>;

    /// What to store beside data that was placed by it, to notice another placement: kind and version.
    fn name(&self) -> &'static str;

    /// Whether a key always goes to the same target. Only then do messages of one key stay in order.
    fn keyed(&self) -> bool {
        true
    }

    /// [`place`](Self::place), checked.
    ///
    /// # Errors
    /// [`PartitionError::Outside`] if the implementation named a target that is not there.
    fn try_place(&self, key: &[u8]) -> Result<usize, PartitionError> {
        let (target, targets) = (self.place(key), self.targets());
        if target < targets {
            Ok(target)
        } else {
            Err(PartitionError::Outside { target, targets })
        }
    }

    /// Whether it fits a pool of `workers`: a partitioner for more targets would place where nobody is,
    /// one for fewer would leave workers idle.
    ///
    /// # Errors
    /// [`PartitionError::Misfit`] if the numbers differ.
    fn check_fits(&self, workers: usize) -> Result<(), PartitionError> {
        if self.targets() == workers {
            Ok(())
        } else {
            let targets = self.targets();
            Err(PartitionError::Misfit { targets, workers })
        }
    }
}

/// `targets`, if there can be that many.
pub(super) fn check_targets(targets: usize) -> Result<usize, PartitionError> {
    match targets {
        0 => Err(PartitionError::NoTargets),
        1..=MAX_TARGETS => Ok(targets),
        _ => Err(PartitionError::TooManyTargets {
            targets,
            most: MAX_TARGETS,
        }),
    }
}

impl<P: Partitioner + ?Sized> Partitioner for Box<P> {
    fn place(&self, key: &[u8]) -> usize {
        (**self).place(key)
    }

    fn targets(&self) -> usize {
        (**self).targets()
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        (**self).resized(targets)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn keyed(&self) -> bool {
        (**self).keyed()
    }
}

impl<P: Partitioner + ?Sized> Partitioner for Arc<P> {
    fn place(&self, key: &[u8]) -> usize {
        (**self).place(key)
    }

    fn targets(&self) -> usize {
        (**self).targets()
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        (**self).resized(targets)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn keyed(&self) -> bool {
        (**self).keyed()
    }
}
