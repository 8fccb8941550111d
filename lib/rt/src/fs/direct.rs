//! Direct access (O_DIRECT): memory, offsets and lengths that are aligned as the device wants them, and what is said
//! where they are not.

use std::io;
use std::ops::{Deref, DerefMut};

use compio_buf::{IoBuf, IoBufMut, SetLen};

/// What direct access to a file demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// A buffer's address must be a multiple of this.
    pub memory_bytes: usize,
    /// Offsets in the file, and lengths, must be multiples of this.
    pub offset_bytes: usize,
}

impl Alignment {
    /// What satisfies nearly every device, for kernels that do not tell (before Linux 6.1) and file systems that do
    /// not know.
    pub const UNKNOWN: Alignment = Alignment {
        memory_bytes: 4096,
        offset_bytes: 4096,
    };

    /// Says what is wrong with an access, and what to change.
    pub(super) fn check(&self, buffer: &AlignedBuf, len: usize, offset: u64) -> io::Result<()> {
        let bytes = self.offset_bytes;
        let wrong = if !buffer.aligned.is_multiple_of(self.memory_bytes) {
            let want = self.memory_bytes;
            format!(
                "the buffer is aligned to {} bytes, this file needs {want}: make it with File::aligned_buf",
                buffer.aligned
            )
        } else if !offset.is_multiple_of(bytes as u64) {
            format!(
                "offset {offset} is not a multiple of {bytes}, which direct access to this file needs: begin at {} and skip",
                offset / bytes as u64 * bytes as u64
            )
        } else if !len.is_multiple_of(bytes) {
            format!(
                "length {len} is not a multiple of {bytes}, which direct access to this file needs: use {}, and File::set_len for a file's odd end",
                len.next_multiple_of(bytes)
            )
        } else {
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, wrong))
    }
}

/// Memory for direct access: zeroed, of a fixed capacity, at an aligned address. It derefs to the bytes that are in
/// it: those of the last read, or those to be written.
pub struct AlignedBuf {
    memory: Vec<u8>,
    start: usize,
    capacity: usize,
    len: usize,
    /// What its address is a multiple of.
    aligned: usize,
}

impl AlignedBuf {
    /// An empty buffer of `capacity` bytes at a multiple of `align`.
    ///
    /// # Panics
    ///
    /// If `align` is not a power of two.
    pub fn new(capacity: usize, align: usize) -> Self {
        assert!(
            align.is_power_of_two(),
            "an alignment of {align} bytes: it must be a power of two"
        );
        let memory = vec![0; capacity + align - 1];
        // Vec keeps its memory where it is: this one is never grown.
        let start = memory.as_ptr().align_offset(align);
        AlignedBuf {
            memory,
            start,
            capacity,
            len: 0,
            aligned: align,
        }
    }

    /// How many bytes it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes it hold `len` bytes: what was there before, or zeros.
    ///
    /// # Panics
    ///
    /// Beyond the capacity.
    pub fn set_len(&mut self, len: usize) {
        assert!(
            len <= self.capacity,
            "{len} bytes in a buffer of {}",
            self.capacity
        );
        self.len = len;
    }

    /// Puts `bytes` in, in place of what was there.
    ///
    /// # Panics
    ///
    /// Beyond the capacity.
    pub fn fill_from(&mut self, bytes: &[u8]) {
        self.set_len(bytes.len());
        self.copy_from_slice(bytes);
    }
}

impl Deref for AlignedBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for AlignedBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

impl IoBuf for AlignedBuf {
    fn as_init(&self) -> &[u8] {
        self
    }
}

impl IoBufMut for AlignedBuf {
    fn as_uninit(&mut self) -> &mut [std::mem::MaybeUninit<u8>] {
        let whole = &mut self.memory[self.start..self.start + self.capacity];
        let len = whole.len();
        // SAFETY: the same memory under a type of the same layout. It must never be made uninitialised through it,
        // which no user of this trait (a read into the buffer) does.
        unsafe { std::slice::from_raw_parts_mut(whole.as_mut_ptr().cast(), len) }
    }
}

impl SetLen for AlignedBuf {
    unsafe fn set_len(&mut self, len: usize) {
        AlignedBuf::set_len(self, len);
    }
}

impl std::fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "AlignedBuf({} of {} bytes, aligned to {})",
            self.len, self.capacity, self.aligned
        )
    }
}
