//! A segment: up to 64 buckets in one piece of memory.
//!
//! An entry belongs in the bucket that its fragment points to; if that is full, in the next with
//! room. Because the fragment orders the entries and scales to any number of buckets, the number is
//! not bound to powers of two: a segment grows by a fifth or so at a time and stays well filled.

use crate::entry::{FRAGMENT_BITS, Word, class_bytes, prefetch_line};
use crate::keyspace::Counts;

use super::Hash;
use super::bucket::{Bucket, LANES};

/// Buckets of a segment that is split rather than grown.
pub(super) const MAX_BUCKETS: usize = 64;

/// Numbers of buckets on the way there: all size classes of the allocator, for no waste.
const STEPS: [usize; 18] = [
    1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48,
];

/// Most entries for a number of buckets: fifteen in sixteen lanes. In a segment that full, five entries in
/// six are still where they belong. Seven in eight would take a byte more per key and save 2 ns of a
/// lookup.
const fn capacity(buckets: usize) -> usize {
    buckets * LANES - buckets * LANES / 16
}

/// Entries of a full segment: what one insert may have to move.
#[cfg(test)]
pub(super) const MAX_ENTRIES: usize = capacity(MAX_BUCKETS);

/// Up to [`MAX_BUCKETS`] buckets.
#[derive(Debug, Default)]
pub(super) struct Segment {
    buckets: Box<[Bucket]>,
    len: u32,
    /// Bits of its directory's index that all its keys share.
    pub(super) depth: u8,
}

/// The place of an entry in its segment; good until the segment changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    bucket: u32,
    lane: u32,
}

impl Segment {
    pub(super) fn with_room_for(entries: usize, depth: u8) -> Self {
        Self {
            buckets: empty_buckets(buckets_for(entries)),
            len: 0,
            depth,
        }
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Number of buckets.
    pub(super) fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// Bytes of memory it takes, entries not included.
    pub(super) fn bytes(&self) -> u64 {
        bytes_of(self.buckets.len())
    }

    /// Finds the entry of a key.
    #[inline]
    pub(super) fn find(&self, hash: Hash, name: &[u8]) -> Option<At> {
        let (tag, fragment) = (hash.tag(), hash.fragment());
        let mut bucket = self.home(fragment);
        for _ in 0..self.buckets.len() {
            let here = &self.buckets[bucket];
            for lane in here.lanes_with(tag) {
                let word = here.word(lane);
                if !word.is_empty() && word.fragment() == fragment && word.entry().key() == name {
                    return Some(At {
                        bucket: bucket as u32,
                        lane: lane as u32,
                    });
                }
            }
            if !here.was_passed() {
                return None;
            }
            bucket = self.after(bucket);
        }
        None
    }

    #[inline(always)]
    pub(super) fn word(&self, at: At) -> &Word {
        self.buckets[at.bucket as usize].word(at.lane as usize)
    }

    #[inline(always)]
    pub(super) fn word_mut(&mut self, at: At) -> &mut Word {
        self.buckets[at.bucket as usize].word_mut(at.lane as usize)
    }

    /// Whether one more entry fits without growing.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        (self.len as usize) < capacity(self.buckets.len())
    }

    /// Whether it may grow as it is rather than be split.
    pub(super) fn may_grow(&self) -> bool {
        self.buckets.len() < MAX_BUCKETS
    }

    /// Moves the words to the next number of buckets; beyond [`MAX_BUCKETS`] to twice as many.
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self, counts: &mut Counts) {
        self.rebuild(buckets_for(self.len as usize + 1), counts);
    }

    /// Gives memory back when three lanes in four are empty.
    #[inline]
    pub(super) fn shrink(&mut self, counts: &mut Counts) {
        if (self.len as usize) * 4 < self.buckets.len() * LANES && self.buckets.len() > 1
            || self.len == 0
        {
            self.rebuild(
                buckets_for(self.len as usize + self.len as usize / 4),
                counts,
            );
        }
    }

    fn rebuild(&mut self, buckets: usize, counts: &mut Counts) {
        counts.table_bytes -= self.bytes();
        let old = std::mem::replace(&mut self.buckets, empty_buckets(buckets));
        self.len = 0;
        for mut bucket in old {
            for lane in bucket.occupied() {
                let (tag, word) = bucket.take(lane);
                self.place(tag, word);
            }
        }
        counts.table_bytes += self.bytes();
    }

    /// Adds an entry; there is room for it.
    #[inline]
    pub(super) fn insert(&mut self, hash: Hash, word: Word) -> &mut Word {
        let at = self.place(hash.tag(), word);
        self.word_mut(at)
    }

    #[inline]
    pub(super) fn place(&mut self, tag: u8, word: Word) -> At {
        let mut bucket = self.home(word.fragment());
        loop {
            let here = &mut self.buckets[bucket];
            if let Some(lane) = here.empty_lane() {
                here.fill(lane, tag, word);
                self.len += 1;
                return At {
                    bucket: bucket as u32,
                    lane: lane as u32,
                };
            }
            here.pass();
            bucket = self.after(bucket);
        }
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, at: At) -> Word {
        let (_, word) = self.buckets[at.bucket as usize].take(at.lane as usize);
        let mut passed = self.home(word.fragment());
        while passed != at.bucket as usize {
            self.buckets[passed].unpass();
            passed = self.after(passed);
        }
        self.len -= 1;
        word
    }

    /// Empties the segment: every entry with its tag.
    pub(super) fn drain(&mut self, mut each: impl FnMut(u8, Word)) {
        for bucket in &mut self.buckets {
            for lane in bucket.occupied() {
                let (tag, word) = bucket.take(lane);
                each(tag, word);
            }
        }
        self.buckets = Box::default();
        self.len = 0;
    }

    /// The entries of a bucket.
    pub(super) fn words_of(&self, bucket: usize) -> impl Iterator<Item = &Word> {
        let bucket = &self.buckets[bucket];
        bucket.occupied().map(|lane| bucket.word(lane))
    }

    /// Visits the entries that belong in the bucket of `fragment`, from `fragment` on. Returns where the
    /// next bucket's fragments begin, `None` at the end.
    pub(super) fn visit<'a>(
        &'a self,
        fragment: u16,
        visit: &mut impl FnMut(&'a Word),
    ) -> Option<u16> {
        if self.buckets.is_empty() {
            return None;
        }
        let home = self.home(fragment);
        let mut bucket = home;
        for _ in 0..self.buckets.len() {
            let here = &self.buckets[bucket];
            for word in here.occupied().map(|lane| here.word(lane)) {
                if word.fragment() >= fragment && self.home(word.fragment()) == home {
                    visit(word);
                }
            }
            if !here.was_passed() {
                break;
            }
            bucket = self.after(bucket);
        }
        self.next_fragment(home)
    }

    /// Takes out the entries that `due` accepts among those in the bucket of `fragment`, wherever they
    /// belong. Returns where the next bucket's fragments begin, `None` at the end.
    pub(super) fn extract(
        &mut self,
        fragment: u16,
        mut due: impl FnMut(&Word) -> bool,
        mut each: impl FnMut(Word),
    ) -> Option<u16> {
        if self.buckets.is_empty() {
            return None;
        }
        let bucket = self.home(fragment);
        for lane in self.buckets[bucket].occupied() {
            if due(self.buckets[bucket].word(lane)) {
                each(self.remove(At {
                    bucket: bucket as u32,
                    lane: lane as u32,
                }));
            }
        }
        self.next_fragment(bucket)
    }

    /// The entry at a random place among `buckets` buckets, if there is one.
    pub(super) fn try_random(&self, buckets: usize, rng: &mut fastrand::Rng) -> Option<&Word> {
        let bucket = self.buckets.get(rng.usize(..buckets))?;
        Some(bucket.word(rng.usize(..LANES))).filter(|word| !word.is_empty())
    }

    #[inline]
    pub(super) fn prefetch_bucket(&self, hash: Hash) {
        if let Some(bucket) = self.buckets.get(self.home(hash.fragment())) {
            prefetch_line(bucket);
        }
    }

    #[inline]
    pub(super) fn prefetch_entry(&self, hash: Hash) {
        if let Some(bucket) = self.buckets.get(self.home(hash.fragment())) {
            for lane in bucket.lanes_with(hash.tag()) {
                bucket.word(lane).prefetch();
            }
        }
    }

    /// Brings all entries of a bucket closer, if there is such a bucket.
    pub(super) fn prefetch_words(&self, bucket: usize) {
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket
                .occupied()
                .for_each(|lane| bucket.word(lane).prefetch());
        }
    }

    /// The bucket in which an entry belongs.
    #[inline(always)]
    fn home(&self, fragment: u16) -> usize {
        (fragment as usize * self.buckets.len()) >> FRAGMENT_BITS
    }

    #[inline(always)]
    fn after(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() {
            0
        } else {
            bucket + 1
        }
    }

    /// The first fragment that belongs in the bucket after `bucket`.
    fn next_fragment(&self, bucket: usize) -> Option<u16> {
        let next = bucket + 1;
        if next == self.buckets.len() {
            return None;
        }
        Some((next << FRAGMENT_BITS).div_ceil(self.buckets.len()) as u16)
    }
}

/// The number of buckets for so many entries.
fn buckets_for(entries: usize) -> usize {
    if entries == 0 {
        return 0;
    }
    let step = STEPS
        .into_iter()
        .find(|buckets| capacity(*buckets) >= entries);
    step.unwrap_or_else(|| {
        let mut buckets = MAX_BUCKETS;
        while capacity(buckets) < entries {
            buckets *= 2;
        }
        buckets
    })
}

fn empty_buckets(buckets: usize) -> Box<[Bucket]> {
    std::iter::repeat_with(Bucket::default)
        .take(buckets)
        .collect()
}

fn bytes_of(buckets: usize) -> u64 {
    class_bytes(buckets * size_of::<Bucket>()) as u64
}
