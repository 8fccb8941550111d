//! Directories: which segment holds which hashes, once one segment is not enough.
//!
//! A directory is extendible hashing of at most [`LEVEL_BITS`] bits: it doubles its index of
//! two-byte slots when a segment that has a slot of its own must split. A segment that must split in
//! a full-grown directory becomes a directory itself. So the largest piece that one insert can have
//! to copy is one index of 8 KB and one list of 4,096 children.

use crate::entry::{Word, class_bytes};
use crate::keyspace::Counts;

use super::segment::Segment;
use super::{Hash, PREFIX_BITS, Rehash};

/// Bits of hash that one directory can use. Two levels use up the prefix.
const LEVEL_BITS: u32 = 12;

const _: () = assert!(PREFIX_BITS == 2 * LEVEL_BITS);
const _: () = assert!(size_of::<Node>() == 24, "the child list is dense");

/// A segment, or a directory of them.
#[derive(Debug)]
pub(super) enum Node {
    Leaf(Segment),
    Inner(Box<Directory>),
}

/// An index from hash bits to children.
#[derive(Debug)]
pub(super) struct Directory {
    /// `1 << bits` indices into `children`; equal ones are neighbours.
    index: Vec<u16>,
    children: Vec<Node>,
    bits: u32,
}

impl Default for Node {
    fn default() -> Self {
        Node::Leaf(Segment::default())
    }
}

impl Node {
    /// The segment for a hash.
    #[inline(always)]
    pub(super) fn segment(&self, hash: Hash) -> &Segment {
        let mut node = self;
        let mut rest = hash.0;
        loop {
            match node {
                Node::Leaf(segment) => return segment,
                Node::Inner(directory) => {
                    node = &directory.children[directory.child(rest)];
                    rest <<= LEVEL_BITS;
                }
            }
        }
    }

    /// The segment for a hash.
    #[inline(always)]
    pub(super) fn segment_mut(&mut self, hash: Hash) -> &mut Segment {
        let mut node = self;
        let mut rest = hash.0;
        loop {
            match node {
                Node::Leaf(segment) => return segment,
                Node::Inner(directory) => {
                    let child = directory.child(rest);
                    node = &mut directory.children[child];
                    rest <<= LEVEL_BITS;
                }
            }
        }
    }

    /// The segment for a prefix, and the first prefix that is no longer its; `1 << PREFIX_BITS` for
    /// the last segment.
    pub(super) fn segment_at(&self, prefix: u32) -> (&Segment, u32) {
        let bits = self.bits_to(prefix);
        (self.segment(Hash::of_prefix(prefix)), end_of(prefix, bits))
    }

    /// The same, to change.
    pub(super) fn segment_at_mut(&mut self, prefix: u32) -> (&mut Segment, u32) {
        let bits = self.bits_to(prefix);
        (
            self.segment_mut(Hash::of_prefix(prefix)),
            end_of(prefix, bits),
        )
    }

    /// How many bits of `prefix` lead to its segment.
    fn bits_to(&self, prefix: u32) -> u32 {
        let mut node = self;
        let (mut rest, mut bits, mut level) = (Hash::of_prefix(prefix).0, 0, 0);
        while let Node::Inner(directory) = node {
            node = &directory.children[directory.child(rest)];
            if let Node::Leaf(segment) = node {
                bits = level * LEVEL_BITS + u32::from(segment.depth);
            }
            rest <<= LEVEL_BITS;
            level += 1;
        }
        bits
    }

    /// The segment, if there is but one.
    pub(super) fn only_segment(&self) -> Option<&Segment> {
        match self {
            Node::Leaf(segment) => Some(segment),
            Node::Inner(_) => None,
        }
    }

    /// A segment by chance.
    pub(super) fn random_segment(&self, rng: &mut fastrand::Rng) -> &Segment {
        let mut node = self;
        loop {
            match node {
                Node::Leaf(segment) => return segment,
                Node::Inner(directory) => {
                    node = &directory.children[rng.usize(..directory.children.len())];
                }
            }
        }
    }

    /// Takes a segment out of a node that is being given up and not used for anything else again;
    /// `None` when all are out.
    pub(super) fn pop_segment(&mut self) -> Option<Segment> {
        match self {
            Node::Leaf(segment) => Some(std::mem::take(segment)).filter(|s| s.len() > 0),
            Node::Inner(directory) => loop {
                match directory.children.last_mut()?.pop_segment() {
                    Some(segment) => return Some(segment),
                    None => drop(directory.children.pop()),
                }
            },
        }
    }

    /// Adds an entry, growing or splitting its segment if it must.
    pub(super) fn insert(
        &mut self,
        hash: Hash,
        word: Word,
        rehash: Rehash<'_>,
        counts: &mut Counts,
    ) -> &mut Word {
        // A split leaves both halves with room unless nearly all keys fell into one, so this seldom
        // turns twice; the prefix has PREFIX_BITS bits, so it never turns more often than that.
        while !self.segment(hash).has_room() {
            self.make_room(hash, 0, rehash, counts);
        }
        self.segment_mut(hash).insert(hash, word)
    }

    /// Bytes of memory of the whole node, entries not included.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Node::Leaf(segment) => segment.bytes(),
            Node::Inner(directory) => {
                directory.own_bytes() + directory.children.iter().map(Node::bytes).sum::<u64>()
            }
        }
    }

    /// Grows or splits the segment of `hash` once. `level` directories are above this node.
    #[cold]
    fn make_room(&mut self, hash: Hash, level: u32, rehash: Rehash<'_>, counts: &mut Counts) {
        if let Node::Leaf(segment) = self {
            if segment.may_grow() || level * LEVEL_BITS >= PREFIX_BITS {
                return segment.grow(counts);
            }
            let leaf = std::mem::take(self);
            *self = Node::Inner(Box::new(Directory::over(leaf)));
            if let Node::Inner(directory) = self {
                counts.table_bytes += directory.own_bytes();
            }
        }
        if let Node::Inner(directory) = self {
            directory.make_room(hash, level, rehash, counts);
        }
    }
}

impl Directory {
    /// A directory of one child.
    fn over(mut only: Node) -> Self {
        if let Node::Leaf(segment) = &mut only {
            segment.depth = 0;
        }
        Self {
            index: vec![0],
            children: vec![only],
            bits: 0,
        }
    }

    /// Which child `rest` leads to: its top bits are this directory's.
    #[inline(always)]
    fn child(&self, rest: u64) -> usize {
        self.index[self.slot(rest)] as usize
    }

    #[inline(always)]
    fn slot(&self, rest: u64) -> usize {
        // Two shifts, for no bits at all are allowed.
        (rest >> 1 >> (63 - self.bits)) as usize
    }

    fn make_room(&mut self, hash: Hash, level: u32, rehash: Rehash<'_>, counts: &mut Counts) {
        let rest = hash.0 << (level * LEVEL_BITS);
        let child = self.child(rest);
        match &mut self.children[child] {
            Node::Leaf(segment) if segment.may_grow() => segment.grow(counts),
            Node::Leaf(segment) if u32::from(segment.depth) < LEVEL_BITS => {
                counts.table_bytes -= self.own_bytes();
                self.split(self.slot(rest), level, rehash, counts);
                counts.table_bytes += self.own_bytes();
            }
            node => node.make_room(hash, level + 1, rehash, counts),
        }
    }

    /// Splits the segment that index `slot` leads to into two of one more bit of depth.
    fn split(&mut self, slot: usize, level: u32, rehash: Rehash<'_>, counts: &mut Counts) {
        let child = self.index[slot] as usize;
        let Node::Leaf(full) = &mut self.children[child] else {
            return;
        };
        let depth = u32::from(full.depth);
        let first = slot >> (self.bits - depth) << (self.bits - depth);
        counts.table_bytes -= full.bytes();
        let (low, high) = halves(full, level * LEVEL_BITS + depth, rehash);
        counts.table_bytes += low.bytes() + high.bytes();
        self.children[child] = Node::Leaf(low);
        self.children.push(Node::Leaf(high));
        let (mut first, mut width) = (first, 1 << (self.bits - depth));
        if depth == self.bits {
            self.double();
            (first, width) = (first * 2, 2);
        }
        let new = (self.children.len() - 1) as u16;
        self.index[first + width / 2..first + width].fill(new);
    }

    fn double(&mut self) {
        self.index = self
            .index
            .iter()
            .flat_map(|child| [*child, *child])
            .collect();
        self.bits += 1;
    }

    /// Bytes of memory of this directory without its children's.
    fn own_bytes(&self) -> u64 {
        let index = class_bytes(self.index.capacity() * size_of::<u16>());
        let children = class_bytes(self.children.capacity() * size_of::<Node>());
        (class_bytes(size_of::<Self>()) + index + children) as u64
    }
}

/// The first prefix after those whose first `bits` bits are those of `prefix`.
fn end_of(prefix: u32, bits: u32) -> u32 {
    ((prefix >> (PREFIX_BITS - bits)) + 1) << (PREFIX_BITS - bits)
}

/// Splits a segment's entries by bit `bit` of their hash, counted from the top.
fn halves(full: &mut Segment, bit: u32, rehash: Rehash<'_>) -> (Segment, Segment) {
    let mut goes_high = Vec::with_capacity(full.len());
    for bucket in 0..full.buckets() {
        full.prefetch_words(bucket + PREFETCHED_BUCKETS);
        for word in full.words_of(bucket) {
            goes_high.push(rehash(word.entry().key()).0 >> (63 - bit) & 1 == 1);
        }
    }
    let highs = goes_high.iter().filter(|high| **high).count();
    let depth = full.depth + 1;
    let mut low_half = Segment::with_room_for(full.len() - highs + 1, depth);
    let mut high_half = Segment::with_room_for(highs + 1, depth);
    let mut sides = goes_high.into_iter();
    full.drain(|tag, word| {
        let half = if sides.next() == Some(true) {
            &mut high_half
        } else {
            &mut low_half
        };
        half.place(tag, word);
    });
    (low_half, high_half)
}

/// How far ahead the keys of a segment are fetched while it is split: they lie all over memory.
const PREFETCHED_BUCKETS: usize = 2;
