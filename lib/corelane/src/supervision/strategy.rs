//! Which children fall with the one that failed.

use std::ops::Range;

/// Whom the failure of one child concerns. Children are numbered in the order of their start, so that a
/// child can rely on those before it.
///
/// Those concerned are stopped from the last to the first and started from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// The failed child alone: for children that know nothing of each other, such as a pool's workers.
    #[default]
    OneForOne,
    /// All of them: for children that share what a failure may have spoilt.
    OneForAll,
    /// The failed child and those that were started after it, which may rely on it.
    RestForOne,
}

impl Strategy {
    /// The children to restart when `failed` of `children` has failed.
    ///
    /// Empty if `failed` is not below `children`.
    #[must_use]
    pub fn affected(self, failed: usize, children: usize) -> Range<usize> {
        if failed >= children {
            return 0..0;
        }
        match self {
            Self::OneForOne => failed..failed + 1,
            Self::OneForAll => 0..children,
            Self::RestForOne => failed..children,
        }
    }
}
