//! Placement in key order: neighbours stay together, and a scan visits few targets, in order.

use std::ops::Bound;

use super::place::check_targets;
use super::{PartitionError, Partitioner};

/// The most ranges.
pub const MAX_RANGES: usize = 1 << 16;

/// Ordered ranges of keys, each on a target. Keys are ordered as byte strings.
///
/// A range that grows too large is [`split`](Self::split), neighbours that shrank are
/// [`merge`](Self::merge)d, and a range moves by [`assign`](Self::assign); each of them moves the keys
/// it names and no others. They change this value: whoever shares it shares a changed copy.
///
/// ```
/// use corelane::partitioner::{Partitioner, Range};
///
/// let mut range = Range::new(&[b"h", b"p"])?; // up to "h", from "h" to "p", from "p" on
/// assert_eq!([range.place(b"apple"), range.place(b"hat"), range.place(b"zoo")], [0, 1, 2]);
///
/// range.split(b"k", 2)?; // "k" up to "p" goes to target 2
/// assert_eq!([range.place(b"jam"), range.place(b"kite")], [1, 2]);
///
/// range.merge(b"k")?; // and back to the range below it
/// assert_eq!(range.place(b"kite"), 1);
/// # Ok::<(), corelane::partitioner::PartitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    targets: usize,
    /// Where each range starts, ascending; the first one at the empty key.
    starts: Vec<Box<[u8]>>,
    owners: Vec<usize>,
}

/// One range: from `start` up to `end`, which is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRange<'a> {
    /// Its first key. Empty for the first range.
    pub start: &'a [u8],
    /// The first key of the next range. `None` for the last range.
    pub end: Option<&'a [u8]>,
    /// Where its keys go.
    pub target: usize,
}

impl Range {
    /// One target more than boundaries: the first has the keys below the first boundary, the next those
    /// from there on and below the second, and so on.
    ///
    /// # Errors
    /// If the boundaries do not ascend, or one is empty, or there are [`MAX_RANGES`] of them.
    pub fn new(boundaries: &[impl AsRef<[u8]>]) -> Result<Self, PartitionError> {
        if boundaries.len() >= MAX_RANGES {
            return Err(PartitionError::TooManyRanges);
        }
        let mut starts: Vec<Box<[u8]>> = vec![Box::default()];
        for (index, at) in boundaries.iter().enumerate() {
            let at = at.as_ref();
            if at.is_empty() {
                return Err(PartitionError::EmptyBoundary);
            }
            if at <= &starts[index][..] {
                let at = at.to_vec();
                return Err(PartitionError::Unordered { index, at });
            }
            starts.push(at.into());
        }
        let targets = starts.len();
        Ok(Self {
            targets,
            starts,
            owners: (0..targets).collect(),
        })
    }

    /// Cuts the range that holds `at`: from `at` on it goes to `upper`.
    ///
    /// # Errors
    /// If a range starts there already, if `upper` is not a target, or at [`MAX_RANGES`] ranges.
    pub fn split(&mut self, at: &[u8], upper: usize) -> Result<(), PartitionError> {
        self.check_target(upper)?;
        let Err(index) = self.find(at) else {
            let at = at.to_vec();
            return Err(PartitionError::AlreadySplit { at });
        };
        if self.starts.len() == MAX_RANGES {
            return Err(PartitionError::TooManyRanges);
        }
        self.starts.insert(index, at.into());
        self.owners.insert(index, upper);
        Ok(())
    }

    /// Joins the range that starts at `at` to the one below it, whose target gets its keys.
    ///
    /// # Errors
    /// If no range starts there, or it is the first.
    pub fn merge(&mut self, at: &[u8]) -> Result<(), PartitionError> {
        match self.starting(at)? {
            0 => Err(PartitionError::EmptyBoundary),
            index => {
                self.starts.remove(index);
                self.owners.remove(index);
                Ok(())
            }
        }
    }

    /// Moves the range that starts at `start` (the first one at the empty key) to `target`.
    ///
    /// # Errors
    /// If no range starts there, or `target` is not a target.
    pub fn assign(&mut self, start: &[u8], target: usize) -> Result<(), PartitionError> {
        self.check_target(target)?;
        let index = self.starting(start)?;
        self.owners[index] = target;
        Ok(())
    }

    /// All ranges, in key order.
    pub fn ranges(&self) -> impl Iterator<Item = KeyRange<'_>> {
        (0..self.starts.len()).map(|index| self.range(index))
    }

    /// The ranges in which keys from `from` up to `to` can lie, in key order: where a scan must ask.
    ///
    /// None if `to` is not above `from`.
    pub fn covering(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
    ) -> impl Iterator<Item = KeyRange<'_>> {
        let first = match from {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => self.holding(key),
        };
        let end = match to {
            Bound::Unbounded => self.starts.len(),
            Bound::Included(key) => self.holding(key) + 1,
            // The range that starts at an excluded end has none of the keys.
            Bound::Excluded(key) => self.starts.partition_point(|start| &start[..] < key),
        };
        let end = if is_empty(from, to) { first } else { end };
        (first..end).map(|index| self.range(index))
    }

    fn range(&self, index: usize) -> KeyRange<'_> {
        KeyRange {
            start: &self.starts[index],
            end: self.starts.get(index + 1).map(|start| &start[..]),
            target: self.owners[index],
        }
    }

    /// The index of the range that `key` lies in.
    fn holding(&self, key: &[u8]) -> usize {
        // The first range starts at the empty key, so one always does.
        self.starts.partition_point(|start| &start[..] <= key) - 1
    }

    /// The index of the range that starts at `at`, or of the one that would.
    fn find(&self, at: &[u8]) -> Result<usize, usize> {
        self.starts.binary_search_by(|start| start[..].cmp(at))
    }

    fn starting(&self, at: &[u8]) -> Result<usize, PartitionError> {
        let index = self.find(at);
        index.map_err(|_| PartitionError::NoBoundary { at: at.to_vec() })
    }

    fn check_target(&self, target: usize) -> Result<(), PartitionError> {
        let targets = self.targets;
        if target < targets {
            Ok(())
        } else {
            Err(PartitionError::NoSuchTarget { target, targets })
        }
    }
}

/// Whether no key can lie between the two.
fn is_empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Unbounded, Bound::Excluded(to)) => to.is_empty(),
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
    }
}

impl Partitioner for Range {
    fn place(&self, key: &[u8]) -> usize {
        self.owners[self.holding(key)]
    }

    fn targets(&self) -> usize {
        self.targets
    }

    /// The same ranges on the same targets: a new target is empty until a range is split or assigned to it,
    /// and one that is to go must be empty.
    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        let targets = check_targets(targets)?;
        if let Some(range) = self.ranges().find(|range| range.target >= targets) {
            return Err(PartitionError::StillInUse {
                target: range.target,
                from: range.start.to_vec(),
                targets,
            });
        }
        let resized = self.clone();
        Ok(Box::new(Self { targets, ..resized }))
    }

    fn name(&self) -> &'static str {
        "range"
    }
}
