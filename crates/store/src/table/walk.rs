//! Walks over a table in steps of one bucket: SCAN, active expiry, random keys, giving it up.

use crate::entry::{FRAGMENT_BITS, Word};
use crate::keyspace::Counts;

use super::bucket::LANES;
use super::segment::MAX_BUCKETS;
use super::{PREFIX_BITS, Table};

/// A place in a table that means the same however the table grows and shrinks: before it lie the
/// segments of smaller prefixes, and of its own segment the entries of smaller fragments.
///
/// Whatever is in the table throughout a walk from the first position to the end is met: a growing
/// or shrinking segment keeps its entries' order, and a segment that is split stands after the
/// position with at least those entries that it had after it before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) prefix: u32,
    pub(crate) fragment: u16,
}

/// Bits of a [`Position`] in one number.
pub(crate) const POSITION_BITS: u32 = PREFIX_BITS + FRAGMENT_BITS;

impl Position {
    /// The position as a number of [`POSITION_BITS`] bits that sorts as positions do.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.prefix) << FRAGMENT_BITS | u64::from(self.fragment)
    }

    /// The position of a number; bits above [`POSITION_BITS`] are ignored.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self {
            prefix: (bits >> FRAGMENT_BITS) as u32 & ((1 << PREFIX_BITS) - 1),
            fragment: bits as u16 & ((1 << FRAGMENT_BITS) - 1),
        }
    }

    /// The position after a step, in a segment that ends at prefix `end`.
    fn after(self, fragment: Option<u16>, end: u32) -> Option<Self> {
        match fragment {
            Some(fragment) => Some(Self {
                prefix: self.prefix,
                fragment,
            }),
            None if end < 1 << PREFIX_BITS => Some(Self {
                prefix: end,
                fragment: 0,
            }),
            None => None,
        }
    }
}

/// Tries at a random place before any key will do.
const RANDOM_TRIES: usize = 64;

impl Table {
    /// Visits the entries of one bucket, from `at` on. Returns the next position, `None` at the end.
    pub(crate) fn visit<'a>(
        &'a self,
        at: Position,
        visit: &mut impl FnMut(&'a Word),
    ) -> Option<Position> {
        let (segment, end) = self.root.segment_at(at.prefix);
        at.after(segment.visit(at.fragment, visit), end)
    }

    /// Removes the expired entries of one bucket and hands them to `each`. Adds the number of entries
    /// with an expiry to `examined`. Returns the next position, `None` at the end.
    pub(crate) fn expire(
        &mut self,
        at: Position,
        now_ms: u64,
        examined: &mut usize,
        counts: &mut Counts,
        mut each: impl FnMut(&Word),
    ) -> Option<Position> {
        let (segment, end) = self.root.segment_at_mut(at.prefix);
        let mut taken: [Word; LANES] = Default::default();
        let mut count = 0;
        let is_due = |word: &Word| {
            *examined += usize::from(word.is_volatile());
            word.is_expired(now_ms)
        };
        let fragment = segment.extract(at.fragment, is_due, |word| {
            taken[count] = word;
            count += 1;
        });
        segment.shrink(counts);
        for word in &taken[..count] {
            self.forget(word, counts);
            each(word);
        }
        at.after(fragment, end)
    }

    /// One entry by chance. In a table of one segment each is as likely as the other; with more,
    /// those in subtrees that split less often are a little likelier.
    pub(crate) fn random(&self, rng: &mut fastrand::Rng) -> Option<&Word> {
        if self.len() == 0 {
            return None;
        }
        let only = self.root.only_segment().map(|segment| segment.buckets());
        (0..RANDOM_TRIES)
            .find_map(|_| {
                let segment = self.root.random_segment(rng);
                segment.try_random(only.unwrap_or(MAX_BUCKETS), rng)
            })
            .or_else(|| self.first_from(rng.u32(..1 << PREFIX_BITS)))
            .or_else(|| self.first_from(0))
    }

    /// The first entry at or after `prefix`.
    fn first_from(&self, prefix: u32) -> Option<&Word> {
        let mut at = Some(Position {
            prefix,
            fragment: 0,
        });
        let mut found = None;
        while let Some(here) = at
            && found.is_none()
        {
            at = self.visit(here, &mut |word| found = Some(word));
        }
        found
    }

    /// Frees some entries of a table that is being given up: one segment's. Returns how many, and
    /// how many bytes of memory came free with them; `None` when nothing is left.
    pub(crate) fn dismantle(&mut self) -> Option<(usize, u64)> {
        let mut segment = self.root.pop_segment()?;
        let entries = segment.len();
        let mut bytes = segment.bytes();
        segment.drain(|_, word| bytes += word.entry().bytes() as u64);
        Some((entries, bytes))
    }
}
