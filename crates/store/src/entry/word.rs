//! The word: an owned entry, or none, in 64 bits.

use super::block::{Block, Entry, FIXED_BYTES, Kind, Payload};
use super::{LARGE_BYTES, prefetch_line};

/// An owned entry with the facts about it that a table needs without touching its block; or nothing.
///
/// Invariant: zero, or the exposed address of a living [`Block`] that this word alone owns.
pub(crate) struct Word(u64);

const ADDRESS_SHIFT: u32 = 16;
const FRAGMENT_SHIFT: u32 = 1;
const VOLATILE: u64 = 1;

/// Bits of hash in a word.
pub(crate) const FRAGMENT_BITS: u32 = 15;
const FRAGMENT_MASK: u64 = (1 << FRAGMENT_BITS) - 1;

const _: () = assert!(FRAGMENT_BITS + FRAGMENT_SHIFT == ADDRESS_SHIFT);

impl Word {
    /// No entry.
    pub(crate) const EMPTY: Self = Self(0);

    /// A new entry. `fragment` is the part of its hash that the word carries.
    pub(crate) fn new(
        fragment: u16,
        key: &[u8],
        value: Payload<'_>,
        expire_at_ms: Option<u64>,
    ) -> Self {
        let (kind, val_len) = shape_of(value);
        let block = Block::allocate(key, val_len, expire_at_ms.is_some());
        fill(block, kind, value);
        if let Some(at_ms) = expire_at_ms {
            block.set_expire_at_ms(at_ms);
        }
        Self::owning(block, fragment)
    }

    /// A copy of an entry, with a block of its own.
    pub(crate) fn copy_of(entry: Entry<'_>) -> Self {
        let mut copy = Self::new(0, entry.key(), entry.payload(), entry.expire_at_ms());
        if entry.kind() == Kind::Raw {
            copy.block().set_kind(Kind::Raw);
        }
        copy.set_clock(entry.clock());
        copy
    }

    /// Whether there is no entry.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// The part of the key's hash that the word carries.
    #[inline(always)]
    pub(crate) fn fragment(&self) -> u16 {
        ((self.0 >> FRAGMENT_SHIFT) & FRAGMENT_MASK) as u16
    }

    /// Whether the entry has an expiry.
    #[inline(always)]
    pub(crate) fn is_volatile(&self) -> bool {
        self.0 & VOLATILE != 0
    }

    /// Whether the entry's time has come at `now_ms`.
    #[inline]
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        self.is_volatile()
            && self
                .entry()
                .expire_at_ms()
                .is_some_and(|at_ms| at_ms <= now_ms)
    }

    /// The entry.
    ///
    /// # Panics
    /// If the word is empty.
    #[inline(always)]
    pub(crate) fn entry(&self) -> Entry<'_> {
        // SAFETY: the word owns a living block, and while `self` is borrowed nobody writes to it:
        // every write goes through `&mut self`.
        unsafe { Entry::new(self.block()) }
    }

    /// Brings the entry's first two cache lines closer: most entries have no more.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        let address = (self.0 >> ADDRESS_SHIFT) as usize;
        prefetch_line(std::ptr::without_provenance::<u8>(address));
        prefetch_line(std::ptr::without_provenance::<u8>(address.wrapping_add(64)));
    }

    /// Sets the entry's access clock (24 bits), if it is not that already.
    #[inline(always)]
    pub(crate) fn set_clock(&mut self, clock: u32) {
        let block = self.block();
        if block.clock() != clock {
            block.set_clock(clock);
        }
    }

    /// Gives the entry another value and expiry.
    pub(crate) fn write(&mut self, value: Payload<'_>, expire_at_ms: Option<u64>) {
        let (kind, val_len) = shape_of(value);
        self.drop_large();
        self.reshape(val_len, expire_at_ms.is_some(), 0);
        fill(self.block(), kind, value);
        if let Some(at_ms) = expire_at_ms {
            self.block().set_expire_at_ms(at_ms);
        }
    }

    /// Sets or removes the entry's expiry.
    pub(crate) fn set_expire(&mut self, expire_at_ms: Option<u64>) {
        let val_len = self.block().val_len();
        self.reshape(val_len, expire_at_ms.is_some(), val_len);
        if let Some(at_ms) = expire_at_ms {
            self.block().set_expire_at_ms(at_ms);
        }
    }

    /// The string's bytes, to be changed in place; filled up with zeros if there are fewer than
    /// `min_bytes`. An integer becomes its digits.
    pub(crate) fn bytes_mut(&mut self, min_bytes: usize) -> &mut [u8] {
        let len = self.make_raw();
        if min_bytes > LARGE_BYTES {
            self.make_large();
        }
        let block = self.block();
        if block.kind() == Kind::Large {
            let buffer = self.large_mut();
            if buffer.len() < min_bytes {
                grow(buffer, min_bytes);
                buffer.resize(min_bytes, 0);
            }
            return buffer;
        }
        if len < min_bytes {
            self.reshape(min_bytes, self.is_volatile(), len);
            // SAFETY: `reshape` made room for `min_bytes`, of which `len` are initialised.
            unsafe {
                self.block()
                    .value_at()
                    .add(len)
                    .write_bytes(0, min_bytes - len)
            };
        }
        let block = self.block();
        // SAFETY: `val_len` initialised bytes stand there, owned by this word, which is borrowed
        // mutably for as long as the slice.
        unsafe {
            std::ptr::NonNull::slice_from_raw_parts(block.value_at(), block.val_len()).as_mut()
        }
    }

    /// Appends to the string. An integer becomes its digits first. Returns the new length in bytes.
    pub(crate) fn append(&mut self, tail: &[u8]) -> usize {
        let len = self.make_raw();
        if self.block().kind() != Kind::Large && len + tail.len() > LARGE_BYTES {
            self.make_large();
        }
        if self.block().kind() == Kind::Large {
            let buffer = self.large_mut();
            grow(buffer, buffer.len() + tail.len());
            buffer.extend_from_slice(tail);
            return buffer.len();
        }
        self.reshape(len + tail.len(), self.is_volatile(), len);
        // SAFETY: `reshape` made room for `tail` behind the first `len` bytes; `tail` lies outside
        // the block, which nobody else can have borrowed while `self` is borrowed mutably.
        unsafe {
            let place = self.block().value_at().add(len);
            place.copy_from_nonoverlapping(std::ptr::NonNull::from(tail).cast(), tail.len());
        }
        len + tail.len()
    }

    /// The same entry under another key.
    pub(crate) fn rekeyed(mut self, fragment: u16, key: &[u8]) -> Self {
        let old = self.block();
        if self.entry().key() == key {
            self.set(old, fragment);
            return self;
        }
        let val_len = old.val_len();
        let expire_at_ms = old.expire_at_ms();
        let new = Block::allocate(key, val_len, expire_at_ms.is_some());
        // SAFETY: both blocks have `val_len` bytes of value and are distinct allocations. What a
        // Large value points to moves with its pointer: the old block is freed without it.
        unsafe {
            new.value_at()
                .copy_from_nonoverlapping(old.value_at(), val_len);
        }
        new.set_kind(old.kind());
        new.set_clock(old.clock());
        if let Some(at_ms) = expire_at_ms {
            new.set_expire_at_ms(at_ms);
        }
        self.0 = 0;
        // SAFETY: this word owned the old block and has just forgotten it.
        unsafe { old.free() };
        self.set(new, fragment);
        self
    }

    /// Makes the value a [`Kind::Raw`] or [`Kind::Large`] string. Returns its length.
    fn make_raw(&mut self) -> usize {
        let block = self.block();
        match block.kind() {
            Kind::Int => {
                if let Payload::Int(int) = self.entry().payload() {
                    let mut digits = itoa::Buffer::new();
                    let digits = digits.format(int).as_bytes();
                    self.reshape(digits.len(), self.is_volatile(), 0);
                    fill(self.block(), Kind::Raw, Payload::Bytes(digits));
                }
            }
            Kind::Inline => block.set_kind(Kind::Raw),
            Kind::Raw | Kind::Large => {}
        }
        match self.entry().payload() {
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Int(_) => unreachable!("made raw above"),
        }
    }

    /// Moves a [`Kind::Raw`] string into a buffer of its own.
    fn make_large(&mut self) {
        if self.block().kind() == Kind::Large {
            return;
        }
        if let Payload::Bytes(bytes) = self.entry().payload() {
            let buffer = bytes.to_vec();
            self.reshape(FIXED_BYTES, self.is_volatile(), 0);
            put_large(self.block(), buffer);
        }
    }

    fn large_mut(&mut self) -> &mut Vec<u8> {
        // SAFETY: the block owns the buffer and `self`, which owns the block, is borrowed mutably.
        unsafe { &mut *self.block().large() }
    }

    /// Frees the buffer of a large string; the value is to be written anew.
    fn drop_large(&mut self) {
        let block = self.block();
        if block.kind() == Kind::Large {
            // SAFETY: the pointer came from `Box::into_raw` and is forgotten: the value becomes an
            // integer's bytes, initialised as any 8 bytes are.
            drop(unsafe { Box::from_raw(block.large()) });
            block.set_kind(Kind::Int);
        }
    }

    fn reshape(&mut self, val_len: usize, expires: bool, kept: usize) {
        let fragment = self.fragment();
        // SAFETY: `self` owns the block, is borrowed mutably, and takes the returned block instead.
        // Callers pass a `kept` within both lengths.
        let block = unsafe { self.block().reshape(val_len, expires, kept) };
        let volatile = if expires { VOLATILE } else { 0 };
        self.0 = packed(block, fragment) | volatile;
    }

    fn owning(block: Block, fragment: u16) -> Self {
        let mut word = Self::EMPTY;
        word.set(block, fragment);
        word
    }

    fn set(&mut self, block: Block, fragment: u16) {
        let volatile = if block.expire_at_ms().is_some() {
            VOLATILE
        } else {
            0
        };
        self.0 = packed(block, fragment) | volatile;
    }

    #[inline(always)]
    fn block(&self) -> Block {
        assert!(!self.is_empty(), "an empty word has no entry");
        // SAFETY: by the invariant the word holds the exposed address of a living block.
        unsafe { Block::at(self.0 >> ADDRESS_SHIFT) }
    }
}

impl Default for Word {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Drop for Word {
    #[inline]
    fn drop(&mut self) {
        if !self.is_empty() {
            self.drop_large();
            // SAFETY: the word owns the block and is gone after this.
            unsafe { self.block().free() };
        }
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            f.write_str("Empty")
        } else {
            self.entry().fmt(f)
        }
    }
}

#[inline]
fn packed(block: Block, fragment: u16) -> u64 {
    let address = block.expose();
    assert!(
        address >> 48 == 0,
        "the allocator gave an address above 48 bits"
    );
    address << ADDRESS_SHIFT | u64::from(fragment) << FRAGMENT_SHIFT
}

/// How a string is kept, and how many bytes of its block it takes.
#[inline]
fn shape_of(value: Payload<'_>) -> (Kind, usize) {
    match value {
        Payload::Int(_) => (Kind::Int, FIXED_BYTES),
        Payload::Bytes(bytes) if bytes.len() > LARGE_BYTES => (Kind::Large, FIXED_BYTES),
        Payload::Bytes(bytes) => (Kind::Inline, bytes.len()),
    }
}

/// Writes a value into a block that has been given its shape.
fn fill(block: Block, kind: Kind, value: Payload<'_>) {
    match value {
        Payload::Int(int) => {
            assert_eq!(block.val_len(), FIXED_BYTES);
            // SAFETY: there is room for FIXED_BYTES.
            unsafe { block.value_at().cast::<i64>().write_unaligned(int) };
        }
        Payload::Bytes(bytes) if kind == Kind::Large => {
            return put_large(block, bytes.to_vec());
        }
        Payload::Bytes(bytes) => {
            assert_eq!(block.val_len(), bytes.len());
            // SAFETY: there is room for `bytes`, which lie outside the block: whoever borrowed them
            // from a block keeps that block's word from being changed.
            unsafe {
                let source = std::ptr::NonNull::from(bytes).cast();
                block
                    .value_at()
                    .copy_from_nonoverlapping(source, bytes.len());
            }
        }
    }
    block.set_kind(kind);
}

/// Makes the block the owner of `buffer`.
fn put_large(block: Block, buffer: Vec<u8>) {
    assert_eq!(block.val_len(), FIXED_BYTES);
    let owned = Box::into_raw(Box::new(buffer));
    // SAFETY: there is room for a pointer.
    unsafe {
        block
            .value_at()
            .cast::<*mut Vec<u8>>()
            .write_unaligned(owned)
    };
    block.set_kind(Kind::Large);
}

/// Above this length a growing string gets a quarter more room than it needs, below it twice as much.
const DOUBLING_BYTES: usize = 1024 * 1024;

/// Makes room for `len` bytes in all, with some to spare, so that growing costs what is added.
fn grow(buffer: &mut Vec<u8>, len: usize) {
    if len > buffer.capacity() {
        let spare = if len < DOUBLING_BYTES { len } else { len / 4 };
        buffer.reserve_exact(len + spare - buffer.len());
    }
}
