//! Size classes: what the allocator really hands out for a request.
//!
//! Blocks are asked for in these sizes, so that the slack at a block's end is ours to grow into, and
//! so that counted memory is taken memory. The steps are mimalloc's: multiples of 16 up to 64 bytes,
//! then four classes per doubling.

/// Above this, sizes are whole pages.
const PAGED_BYTES: usize = 32 * 1024;
const PAGE_BYTES: usize = 4096;

/// Bytes of memory that a request for `bytes` takes.
#[inline]
pub(crate) const fn class_bytes(bytes: usize) -> usize {
    if bytes <= 64 {
        return (bytes + 15) & !15;
    }
    if bytes > PAGED_BYTES {
        return bytes.next_multiple_of(PAGE_BYTES);
    }
    let step = 1 << ((bytes - 1).ilog2() - 2);
    (bytes + step - 1) & !(step - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_to_classes() {
        #[track_caller]
        fn check(bytes: usize, expected: usize) {
            assert_eq!(class_bytes(bytes), expected, "{bytes}");
            assert_eq!(class_bytes(expected), expected, "a class is its own class");
        }
        check(0, 0);
        check(1, 16);
        check(64, 64);
        check(65, 80);
        check(92, 96);
        check(97, 112);
        check(129, 160);
        check(4096, 4096);
        check(4097, 5120);
        check(32 * 1024 + 1, 36 * 1024);
    }
}
