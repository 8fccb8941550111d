//! Asks the processor to fetch a line that will be needed soon.

/// Brings the cache line of `place` closer. A hint: it never faults and changes nothing.
#[inline(always)]
pub(crate) fn prefetch_line<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of every x86-64 processor, and a prefetch reads nothing a program
        // can see: any address is allowed, valid or not.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = place;
    }
}
