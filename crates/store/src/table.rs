//! One slot's keys: a hash table that grows by segments.
//!
//! Most slots hold a few hundred keys at most, and some client's hash tag may put fifty million into
//! one. So a table is a [`segment::Segment`] of at most [`segment::MAX_BUCKETS`] cache lines as long
//! as that is enough, and from then on a directory of them (extendible hashing). An insert moves the
//! words of one segment at most; nothing here ever doubles as a whole.
//!
//! ```text
//! hash    24 bits prefix (which segment) | … | 8 bits tag | 15 bits fragment (where in the segment)
//! ```
//!
//! The fragment is kept in the entry's word and orders the entries of a segment, so a segment
//! changes its size without looking at a single key, and a place in it (`prefix`, `fragment`) means
//! the same before and after: that is what SCAN's cursor is made of ([`Position`]).
//!
//! Directories never shrink while a key is left: two segments that became one would break the
//! cursor's promise. An empty segment takes 24 bytes.

mod bucket;
mod directory;
mod segment;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use walk::{POSITION_BITS, Position};

use crate::entry::Word;
use crate::keyspace::Counts;

use directory::Node;

/// The hash of a key, cut into the parts a table uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash(pub(crate) u64);

/// Hashes a key again: only splitting a segment needs it.
pub(crate) type Rehash<'a> = &'a dyn Fn(&[u8]) -> Hash;

/// Bits of hash that choose a segment.
pub(crate) const PREFIX_BITS: u32 = 24;

impl Hash {
    /// Where in its segment the key stands.
    #[inline(always)]
    pub(crate) fn fragment(self) -> u16 {
        (self.0 & ((1 << crate::entry::FRAGMENT_BITS) - 1)) as u16
    }

    /// A hash that begins with `prefix`.
    fn of_prefix(prefix: u32) -> Self {
        Self(u64::from(prefix) << (64 - PREFIX_BITS))
    }

    /// One byte, never 0, that tells most keys of a bucket apart.
    #[inline(always)]
    fn tag(self) -> u8 {
        ((self.0 >> crate::entry::FRAGMENT_BITS) as u8).max(1)
    }
}

/// One slot's keys.
#[derive(Debug, Default)]
pub(crate) struct Table {
    root: Node,
    keys: u32,
    volatile: u32,
}

/// What a look at a key found.
#[derive(Debug)]
pub(crate) enum Look<'a> {
    /// No such key.
    Missing,
    /// Its time had come; it has been removed.
    Expired,
    /// The key.
    Live(&'a mut Word),
}

impl Table {
    /// Number of keys.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.keys
    }

    /// Number of keys that have an expiry.
    #[inline]
    pub(crate) fn volatile(&self) -> u32 {
        self.volatile
    }

    /// Looks for a key without changing anything; it may have expired.
    #[inline]
    pub(crate) fn peek(&self, hash: Hash, name: &[u8]) -> Option<&Word> {
        let segment = self.root.segment(hash);
        segment.find(hash, name).map(|at| segment.word(at))
    }

    /// Looks for a key, and removes it if its time has come.
    #[inline]
    pub(crate) fn look(
        &mut self,
        hash: Hash,
        name: &[u8],
        now_ms: u64,
        counts: &mut Counts,
    ) -> Look<'_> {
        let segment = self.root.segment_mut(hash);
        let Some(at) = segment.find(hash, name) else {
            return Look::Missing;
        };
        if segment.word(at).is_expired(now_ms) {
            self.remove(hash, name, counts);
            return Look::Expired;
        }
        Look::Live(self.root.segment_mut(hash).word_mut(at))
    }

    /// Changes a key's entry in place and counts what that changes.
    #[inline]
    pub(crate) fn update<R>(
        &mut self,
        hash: Hash,
        name: &[u8],
        counts: &mut Counts,
        change: impl FnOnce(&mut Word) -> R,
    ) -> Option<R> {
        let segment = self.root.segment_mut(hash);
        let at = segment.find(hash, name)?;
        let word = segment.word_mut(at);
        let (bytes, volatile) = (word.entry().bytes(), word.is_volatile());
        let result = change(word);
        counts.entry_bytes = counts.entry_bytes - bytes as u64 + word.entry().bytes() as u64;
        match (volatile, word.is_volatile()) {
            (false, true) => self.add_volatile(counts),
            (true, false) => self.sub_volatile(counts),
            _ => {}
        }
        Some(result)
    }

    /// Adds a key that is not there.
    pub(crate) fn insert(
        &mut self,
        hash: Hash,
        word: Word,
        rehash: Rehash<'_>,
        counts: &mut Counts,
    ) -> &mut Word {
        counts.entry_bytes += word.entry().bytes() as u64;
        if word.is_volatile() {
            self.add_volatile(counts);
        }
        self.keys += 1;
        counts.keys += 1;
        self.root.insert(hash, word, rehash, counts)
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, hash: Hash, name: &[u8], counts: &mut Counts) -> Option<Word> {
        let segment = self.root.segment_mut(hash);
        let at = segment.find(hash, name)?;
        let word = segment.remove(at);
        segment.shrink(counts);
        self.forget(&word, counts);
        Some(word)
    }

    /// Brings the cache lines that a look at `hash` reads first closer.
    #[inline]
    pub(crate) fn prefetch_bucket(&self, hash: Hash) {
        self.root.segment(hash).prefetch_bucket(hash);
    }

    /// Brings the entry of the key with `hash` closer; reads its bucket.
    #[inline]
    pub(crate) fn prefetch_entry(&self, hash: Hash) {
        self.root.segment(hash).prefetch_entry(hash);
    }

    /// A word that has been taken out is no longer counted; an empty table gives everything back.
    fn forget(&mut self, word: &Word, counts: &mut Counts) {
        counts.entry_bytes -= word.entry().bytes() as u64;
        if word.is_volatile() {
            self.sub_volatile(counts);
        }
        self.keys -= 1;
        counts.keys -= 1;
        if self.keys == 0 {
            counts.table_bytes -= self.root.bytes();
            self.root = Node::default();
        }
    }

    fn add_volatile(&mut self, counts: &mut Counts) {
        self.volatile += 1;
        counts.volatile += 1;
    }

    fn sub_volatile(&mut self, counts: &mut Counts) {
        self.volatile -= 1;
        counts.volatile -= 1;
    }
}
