//! A value alone on its cache line, so that two threads writing two neighbours do not slow each
//! other down.

use std::ops::Deref;

/// Keeps `T` alone on 128 bytes.
///
/// 128 and not 64: x86 prefetches cache lines in pairs, and several ARM cores have lines of 128 bytes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CacheLine<T>(pub T);

impl<T> Deref for CacheLine<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::CacheLine;

    #[test]
    fn neighbours_never_share_a_line() {
        let pair = [CacheLine(1u8), CacheLine(2u8)];
        let apart = (&raw const pair[1]).addr() - (&raw const pair[0]).addr();
        assert_eq!(apart, 128);
        assert_eq!(*pair[0] + *pair[1], 3);
    }
}
