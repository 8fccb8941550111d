//! Random numbers: the system's seed in a real runtime, the world's seed in the simulator. Not for secrets.

use crate::context;

/// A random number.
///
/// # Panics
///
/// Outside a runtime.
pub fn next_u64() -> u64 {
    context::with(|core| core.random.borrow_mut().u64(..))
}

/// A random number below `bound`.
///
/// # Panics
///
/// Outside a runtime, and where `bound` is 0.
pub fn below(bound: u64) -> u64 {
    context::with(|core| core.random.borrow_mut().u64(..bound))
}

/// Fills `bytes`.
///
/// # Panics
///
/// Outside a runtime.
pub fn fill(bytes: &mut [u8]) {
    context::with(|core| core.random.borrow_mut().fill(bytes));
}
