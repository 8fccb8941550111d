//! A ring of buffers that the kernel picks from when bytes arrive (provided buffers).
//!
//! Apart because the memory is shared with the kernel: this file alone deals with its addresses.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// Buffers in the ring; a power of two, as the kernel asks.
const COUNT: u16 = 512;

/// Bytes of one buffer.
const BYTES: usize = 16 * 1024;

/// The group that receive operations name.
pub(crate) const GROUP: u16 = 0;

/// Page size the ring of descriptors is aligned to.
const ALIGN: usize = 4096;

/// Buffers and the ring of descriptors that offers them. Must outlive the io_uring it is given to.
pub(crate) struct Buffers {
    ring: NonNull<BufRingEntry>,
    memory: NonNull<u8>,
    tail: u16,
}

impl Buffers {
    /// Allocates the buffers and offers all of them.
    ///
    /// # Errors
    /// If the kernel has no provided-buffer rings (before Linux 5.19).
    ///
    /// # Safety
    /// The result must not be dropped before the io_uring behind `submitter`.
    pub(crate) unsafe fn register(submitter: &Submitter<'_>) -> io::Result<Self> {
        let mut buffers = Self {
            ring: allocate(ring_layout()).cast(),
            memory: allocate(memory_layout()),
            tail: 0,
        };
        for id in 0..COUNT {
            buffers.offer(id);
        }
        let address = buffers.ring.as_ptr() as u64;
        // SAFETY: the address is page-aligned memory for COUNT entries, and by this function's own
        // contract it stays allocated for as long as the kernel knows it.
        unsafe { submitter.register_buf_ring_with_flags(address, COUNT, GROUP, 0)? };
        Ok(buffers)
    }

    /// The first `bytes` of buffer `id`, which the kernel has filled and handed over.
    pub(crate) fn filled(&self, id: u16, bytes: usize) -> &[u8] {
        assert!(id < COUNT && bytes <= BYTES);
        // SAFETY: in bounds by the assertion, initialised (zeroed at first), and not written by the
        // kernel until `offer` gives it back, which needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.address(id), bytes) }
    }

    /// Gives buffer `id` (back) to the kernel.
    pub(crate) fn offer(&mut self, id: u16) {
        let slot = usize::from(self.tail & (COUNT - 1));
        // SAFETY: `slot` is below COUNT, and the kernel reads entries only below the tail that is
        // published next.
        let entry = unsafe { self.ring.add(slot).as_mut() };
        entry.set_addr(self.address(id) as u64);
        entry.set_len(BYTES as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the tail lies in the first entry of the living ring, is aligned, and is only
        // written here; the kernel reads it, so it is published with release order.
        let tail =
            unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.ring.as_ptr()).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    fn address(&self, id: u16) -> *const u8 {
        // SAFETY: `id` is below COUNT for every caller, so the offset is inside the allocation.
        unsafe { self.memory.add(usize::from(id) * BYTES).as_ptr() }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: both were allocated with these layouts and are not used again: the io_uring, by
        // the contract of `register`, is gone.
        unsafe {
            dealloc(self.ring.as_ptr().cast(), ring_layout());
            dealloc(self.memory.as_ptr(), memory_layout());
        }
    }
}

fn ring_layout() -> Layout {
    let bytes = usize::from(COUNT) * size_of::<BufRingEntry>();
    Layout::from_size_align(bytes, ALIGN).expect("the sizes are constant and small")
}

fn memory_layout() -> Layout {
    let bytes = usize::from(COUNT) * BYTES;
    Layout::from_size_align(bytes, ALIGN).expect("the sizes are constant and small")
}

fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: neither layout has size zero.
    let memory = unsafe { alloc_zeroed(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}
