//! A block: the memory of one key and its value, and the only place that knows its layout.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::class_bytes;

/// How a value lies in its block. The number is stored; later types join behind these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A canonical integer: 8 bytes, native order.
    Int = 0,
    /// A string as it was set.
    Inline = 1,
    /// A string that was changed in place since it was set.
    Raw = 2,
    /// A string in a buffer of its own: the value is a pointer to it, owned by the block.
    Large = 3,
}

/// A string on its way into or out of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    /// A canonical integer.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What stands at a block's beginning. The optional expiry, the key and the value follow it,
/// none of them aligned.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Header {
    meta: u32,
    key_len: u32,
    val_len: u32,
}

const HEADER_BYTES: usize = size_of::<Header>();
const EXPIRE_BYTES: usize = size_of::<u64>();
const KIND_MASK: u32 = 0x0f;
const EXPIRE_FLAG: u32 = 0x10;
const CLOCK_SHIFT: u32 = 8;
const BLOCK_ALIGN: usize = 8;

/// Bytes of a [`Kind::Int`] or [`Kind::Large`] value.
pub(super) const FIXED_BYTES: usize = 8;

const _: () = assert!(size_of::<*mut Vec<u8>>() == FIXED_BYTES, "64-bit pointers");
const _: () = assert!(HEADER_BYTES == 12 && align_of::<Header>() <= BLOCK_ALIGN);

/// The place of a living block: neither owned nor borrowed here, that is [`super::Word`]'s and
/// [`Entry`]'s business.
///
/// Invariant of every `Block` value: it points to an allocation of `self.class()` bytes, aligned to
/// [`BLOCK_ALIGN`], with exposed provenance, whose header and key are initialised and whose value
/// is, too, except between [`Block::reshape`] (or `allocate`) and the write that follows it inside
/// this module's caller, [`super::word`].
#[derive(Clone, Copy)]
pub(super) struct Block(NonNull<u8>);

impl Block {
    /// A new block that holds `key`, a clock of 0 and room for a value of `val_len` bytes, which the
    /// caller writes next, as well as the expiry, if it is to have one.
    pub(super) fn allocate(key: &[u8], val_len: usize, expires: bool) -> Self {
        let key_len = u32::try_from(key.len()).expect("a key is shorter than 4 GiB");
        let val_len = u32::try_from(val_len).expect("a value in a block is short");
        let meta = if expires { EXPIRE_FLAG } else { 0 };
        let block = Self::memory_for(Header {
            meta,
            key_len,
            val_len,
        });
        // SAFETY: `memory_for` allocated room for `key_len` bytes from `key_at` on; a fresh
        // allocation cannot overlap `key`.
        unsafe {
            block
                .key_at()
                .copy_from_nonoverlapping(NonNull::from(key).cast(), key.len())
        };
        block
    }

    /// Memory for a block of this shape, with the header written.
    fn memory_for(header: Header) -> Self {
        let layout = layout_of(header);
        // SAFETY: the layout is not empty: a block is at least its header.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else {
            handle_alloc_error(layout)
        };
        // SAFETY: fresh memory of at least HEADER_BYTES, aligned to BLOCK_ALIGN ≥ align of Header.
        unsafe { memory.cast::<Header>().write(header) };
        Self(memory)
    }

    /// Frees the block's memory, not what a [`Kind::Large`] value points to.
    ///
    /// # Safety
    /// The caller owns the block and neither it nor anyone else uses it afterwards.
    pub(super) unsafe fn free(self) {
        let layout = layout_of(self.header());
        // SAFETY: by the invariant the block was allocated with this layout, and the caller owns it.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }

    /// Gives the block another shape: `val_len` bytes of value, with or without an expiry. The key, the
    /// first `kept` bytes of the value and an expiry that it had and still has stay; an expiry newly
    /// made room for is to be written by the caller, as is the rest of the value. Returns the block,
    /// which may have moved.
    ///
    /// # Safety
    /// The caller owns the block, uses only the returned one afterwards, holds no borrow of it, and
    /// `kept` is no more than the old and the new `val_len`.
    pub(super) unsafe fn reshape(self, val_len: usize, expires: bool, kept: usize) -> Self {
        let old = self.header();
        debug_assert!(kept <= old.val_len as usize && kept <= val_len);
        let meta = if expires {
            old.meta | EXPIRE_FLAG
        } else {
            old.meta & !EXPIRE_FLAG
        };
        let val_len = u32::try_from(val_len).expect("a value in a block is short");
        let new = Header {
            meta,
            val_len,
            ..old
        };
        let moved = old.key_len as usize + kept;
        let source = self.key_at();
        if layout_of(new) != layout_of(old) {
            let block = Self::memory_for(new);
            // SAFETY: `moved` bytes from the key on are inside both blocks, which are distinct
            // allocations.
            unsafe { block.key_at().copy_from_nonoverlapping(source, moved) };
            if let (true, Some(at_ms)) = (expires, self.expire_at_ms()) {
                block.set_expire_at_ms(at_ms);
            }
            // SAFETY: the caller owns the block and does not use it any more.
            unsafe { self.free() };
            return block;
        }
        self.set_header(new);
        if offset_of_key(new.meta) != offset_of_key(old.meta) {
            // SAFETY: the new shape fits into the same allocation, and so do `moved` bytes at the
            // key's old and new place; `copy` allows them to overlap.
            unsafe { self.key_at().copy_from(source, moved) };
        }
        self
    }

    #[inline(always)]
    fn header(self) -> Header {
        // SAFETY: by the invariant an initialised, aligned header stands at the beginning.
        unsafe { self.0.cast::<Header>().read() }
    }

    #[inline(always)]
    fn set_header(self, header: Header) {
        // SAFETY: by the invariant there is room for an aligned header at the beginning.
        unsafe { self.0.cast::<Header>().write(header) };
    }

    #[inline(always)]
    fn key_at(self) -> NonNull<u8> {
        // SAFETY: the key starts inside the allocation, or at its end if key and value are empty.
        unsafe { self.0.add(offset_of_key(self.header().meta)) }
    }

    /// Where the value starts.
    #[inline(always)]
    pub(super) fn value_at(self) -> NonNull<u8> {
        let header = self.header();
        // SAFETY: the value starts inside the allocation, or at its end if it is empty.
        unsafe {
            self.0
                .add(offset_of_key(header.meta) + header.key_len as usize)
        }
    }

    #[inline(always)]
    pub(super) fn val_len(self) -> usize {
        self.header().val_len as usize
    }

    #[inline(always)]
    pub(super) fn kind(self) -> Kind {
        match self.header().meta & KIND_MASK {
            0 => Kind::Int,
            1 => Kind::Inline,
            2 => Kind::Raw,
            _ => Kind::Large,
        }
    }

    pub(super) fn set_kind(self, kind: Kind) {
        let header = self.header();
        self.set_header(Header {
            meta: header.meta & !KIND_MASK | kind as u32,
            ..header
        });
    }

    #[inline(always)]
    pub(super) fn clock(self) -> u32 {
        self.header().meta >> CLOCK_SHIFT
    }

    #[inline(always)]
    pub(super) fn set_clock(self, clock: u32) {
        let header = self.header();
        let rest = header.meta & ((1 << CLOCK_SHIFT) - 1);
        self.set_header(Header {
            meta: clock << CLOCK_SHIFT | rest,
            ..header
        });
    }

    /// The expiry, if the block has one.
    #[inline(always)]
    pub(super) fn expire_at_ms(self) -> Option<u64> {
        if self.header().meta & EXPIRE_FLAG == 0 {
            return None;
        }
        // SAFETY: the flag says that an initialised expiry stands behind the header.
        Some(unsafe { self.0.add(HEADER_BYTES).cast::<u64>().read_unaligned() })
    }

    /// Writes the expiry of a block that has room for one.
    pub(super) fn set_expire_at_ms(self, at_ms: u64) {
        assert!(self.header().meta & EXPIRE_FLAG != 0);
        // SAFETY: the flag says that there is room for an expiry behind the header.
        unsafe {
            self.0
                .add(HEADER_BYTES)
                .cast::<u64>()
                .write_unaligned(at_ms)
        };
    }

    /// Address for a [`super::Word`], with its provenance exposed.
    #[inline(always)]
    pub(super) fn expose(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// The block at an address that [`expose`](Self::expose) gave.
    ///
    /// # Safety
    /// The block has not been freed or reshaped since.
    #[inline(always)]
    pub(super) unsafe fn at(address: u64) -> Self {
        let place = std::ptr::with_exposed_provenance_mut::<u8>(address as usize);
        // SAFETY: the address came from a `NonNull`.
        Self(unsafe { NonNull::new_unchecked(place) })
    }

    /// The string buffer of a [`Kind::Large`] block.
    #[inline]
    pub(super) fn large(self) -> *mut Vec<u8> {
        assert_eq!(self.kind(), Kind::Large);
        // SAFETY: a Large value is an initialised pointer of FIXED_BYTES.
        unsafe { self.value_at().cast::<*mut Vec<u8>>().read_unaligned() }
    }
}

#[inline(always)]
const fn offset_of_key(meta: u32) -> usize {
    HEADER_BYTES
        + if meta & EXPIRE_FLAG != 0 {
            EXPIRE_BYTES
        } else {
            0
        }
}

#[inline]
fn layout_of(header: Header) -> Layout {
    let bytes = offset_of_key(header.meta) + header.key_len as usize + header.val_len as usize;
    Layout::from_size_align(class_bytes(bytes), BLOCK_ALIGN).expect("under 9 GiB")
}

/// A living entry, borrowed from its [`super::Word`].
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    block: Block,
    word: PhantomData<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// # Safety
    /// For `'a` the block lives and nobody writes to it.
    #[inline(always)]
    pub(super) unsafe fn new(block: Block) -> Self {
        Self {
            block,
            word: PhantomData,
        }
    }

    /// The key.
    #[inline(always)]
    pub(crate) fn key(self) -> &'a [u8] {
        let key_len = self.block.header().key_len as usize;
        // SAFETY: by the block's invariant `key_len` initialised bytes stand there, and they live
        // unchanged for 'a by the contract of `new`.
        unsafe { NonNull::slice_from_raw_parts(self.block.key_at(), key_len).as_ref() }
    }

    /// The string.
    #[inline]
    pub(crate) fn payload(self) -> Payload<'a> {
        match self.kind() {
            Kind::Int => {
                // SAFETY: an Int value is FIXED_BYTES initialised bytes.
                Payload::Int(unsafe { self.block.value_at().cast::<i64>().read_unaligned() })
            }
            Kind::Inline | Kind::Raw => {
                let place = self.block.value_at();
                // SAFETY: `val_len` initialised bytes stand there and live unchanged for 'a.
                Payload::Bytes(unsafe {
                    NonNull::slice_from_raw_parts(place, self.block.val_len()).as_ref()
                })
            }
            // SAFETY: the block owns the buffer, so it lives unchanged for 'a as the block does.
            Kind::Large => Payload::Bytes(unsafe { (*self.block.large()).as_slice() }),
        }
    }

    /// How the value is kept.
    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        self.block.kind()
    }

    /// When the key expires, unix time in ms.
    #[inline(always)]
    pub(crate) fn expire_at_ms(self) -> Option<u64> {
        self.block.expire_at_ms()
    }

    /// The access clock: 24 bits whose meaning is the keyspace's.
    #[inline(always)]
    pub(crate) fn clock(self) -> u32 {
        self.block.clock()
    }

    /// Bytes of memory the entry takes, a large string's buffer included.
    pub(crate) fn bytes(self) -> usize {
        let large = match self.kind() {
            Kind::Large => {
                // SAFETY: as in `payload`.
                let buffer = unsafe { &*self.block.large() };
                class_bytes(size_of::<Vec<u8>>()) + class_bytes(buffer.capacity())
            }
            _ => 0,
        };
        layout_of(self.block.header()).size() + large
    }
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &String::from_utf8_lossy(self.key()))
            .field("payload", &self.payload())
            .field("expire_at_ms", &self.expire_at_ms())
            .finish()
    }
}
