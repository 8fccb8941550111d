//! A bucket: seven words and their tags in one cache line.

use crate::entry::Word;

/// Words in a bucket.
pub(super) const LANES: usize = 7;

/// One cache line: `meta` holds a tag byte per lane (0: empty) and, in its top byte, how many
/// entries found this bucket full and went on to the next (F14's way: a search stops at the first
/// bucket that none passed, and removing an entry leaves no tombstone).
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Bucket {
    meta: u64,
    words: [Word; LANES],
}

const _: () = assert!(size_of::<Bucket>() == 64);

const OVERFLOW_SHIFT: u32 = 56;
const OVERFLOW_ONE: u64 = 1 << OVERFLOW_SHIFT;
/// The count stays here once it got here: it has lost track.
const OVERFLOW_STUCK: u64 = 0xff;
const LOW_BITS: u64 = 0x0001_0101_0101_0101;
const HIGH_BITS: u64 = 0x0080_8080_8080_8080;

/// A set of lanes, one bit in each lane's byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes(u64);

impl Bucket {
    /// The lanes whose tag may be `tag`: all that are, and seldom one that is not.
    #[inline(always)]
    pub(super) fn lanes_with(&self, tag: u8) -> Lanes {
        let differing = self.meta ^ (LOW_BITS * u64::from(tag));
        Lanes(differing.wrapping_sub(LOW_BITS) & !differing & HIGH_BITS)
    }

    /// The lanes that hold an entry.
    #[inline(always)]
    pub(super) fn occupied(&self) -> Lanes {
        // A byte plus 0x7f carries into its own top bit unless it was 0, and never further.
        let low_seven = self.meta & !(HIGH_BITS | 0xff << OVERFLOW_SHIFT);
        let any_low = low_seven + 0x007f_7f7f_7f7f_7f7f;
        Lanes((any_low | self.meta) & HIGH_BITS)
    }

    /// A lane without an entry.
    #[inline(always)]
    pub(super) fn empty_lane(&self) -> Option<usize> {
        Lanes(!self.occupied().0 & HIGH_BITS).next()
    }

    /// The entry in a lane.
    #[inline(always)]
    pub(super) fn word(&self, lane: usize) -> &Word {
        &self.words[lane]
    }

    /// The entry in a lane.
    #[inline(always)]
    pub(super) fn word_mut(&mut self, lane: usize) -> &mut Word {
        &mut self.words[lane]
    }

    /// Puts an entry into an empty lane.
    #[inline(always)]
    pub(super) fn fill(&mut self, lane: usize, tag: u8, word: Word) {
        debug_assert!(self.words[lane].is_empty() && tag != 0);
        self.meta |= u64::from(tag) << (8 * lane);
        self.words[lane] = word;
    }

    /// Takes the entry and its tag out of a lane.
    #[inline(always)]
    pub(super) fn take(&mut self, lane: usize) -> (u8, Word) {
        let tag = (self.meta >> (8 * lane)) as u8;
        self.meta &= !(0xff << (8 * lane));
        (tag, std::mem::take(&mut self.words[lane]))
    }

    /// Whether an entry that belongs here, or further to the front, may stand further to the back.
    #[inline(always)]
    pub(super) fn was_passed(&self) -> bool {
        self.meta >> OVERFLOW_SHIFT != 0
    }

    /// An entry goes on to the next bucket.
    #[inline]
    pub(super) fn pass(&mut self) {
        if self.meta >> OVERFLOW_SHIFT != OVERFLOW_STUCK {
            self.meta += OVERFLOW_ONE;
        }
    }

    /// An entry that had passed here is removed.
    #[inline]
    pub(super) fn unpass(&mut self) {
        if self.meta >> OVERFLOW_SHIFT != OVERFLOW_STUCK {
            self.meta -= OVERFLOW_ONE;
        }
    }
}

impl Iterator for Lanes {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let lane = self.0.trailing_zeros() as usize / 8;
        self.0 &= self.0 - 1;
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Payload;

    #[test]
    fn lanes_are_found_by_tag() {
        let mut bucket = Bucket::default();
        let tags = [1, 0x80, 0xff, 0x7f, 1, 2, 0x81];
        for (lane, tag) in tags.into_iter().enumerate() {
            assert_eq!(bucket.empty_lane(), Some(lane));
            bucket.fill(lane, tag, Word::new(0, &[tag], Payload::Int(0), None));
            bucket.pass();
        }
        assert_eq!(bucket.empty_lane(), None);
        for tag in 1..=255u8 {
            let expected: Vec<usize> = (0..LANES).filter(|lane| tags[*lane] == tag).collect();
            let found: Vec<usize> = bucket.lanes_with(tag).collect();
            assert!(
                expected.iter().all(|lane| found.contains(lane)),
                "tag {tag}"
            );
            assert_eq!(
                found.first().copied().filter(|l| tags[*l] == tag),
                expected.first().copied()
            );
        }
        for lane in [3, 0, 6] {
            assert_eq!(bucket.take(lane).0, tags[lane]);
        }
        assert_eq!(bucket.occupied().collect::<Vec<_>>(), [1, 2, 4, 5]);
        assert_eq!(bucket.empty_lane(), Some(0));
    }

    #[test]
    fn a_stuck_count_stays() {
        let mut bucket = Bucket::default();
        for _ in 0..300 {
            bucket.pass();
        }
        for _ in 0..300 {
            bucket.unpass();
        }
        assert!(bucket.was_passed());
        assert_eq!(bucket.empty_lane(), Some(0), "the count disturbs no tag");
    }
}
