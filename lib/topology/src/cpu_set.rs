//! A set of CPU (or NUMA node) numbers, in the kernel's own list notation: `0-3,8`.
//!
//! The notation is that of `Cpus_allowed_list` and of sysfs (`Documentation/core-api/kernel-api`,
//! "bitmap list"), without strides, which the kernel accepts on its command line but never prints.
//! Own parsing rather than a crate because these lists come from files: a range is refused by its
//! ends, before memory is taken for what lies between.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::host::quoted;

/// Numbers from here on are refused: the largest `CONFIG_NR_CPUS` that Linux can be built with.
pub const MAX_CPUS: usize = 8192;

/// A sorted set of CPU or node numbers, each below [`MAX_CPUS`].
///
/// Prints and serialises in list notation (`0-3,8`); the empty set is the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CpuSet(BTreeSet<usize>);

/// Why a text is not a list of CPU numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuSetError {
    /// A part between commas is neither a number nor `first-last`; the part, cut if long.
    #[error("`{0}` is neither a number nor a range such as 0-3")]
    NotANumber(String),
    /// A range whose end lies before its start.
    #[error("the range {0}-{1} ends before it starts")]
    Backwards(usize, usize),
    /// A number no kernel has.
    #[error("number {0} is above {max}, the highest a kernel can have", max = MAX_CPUS - 1)]
    TooHigh(usize),
}

impl CpuSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many numbers the set holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `id` is in the set.
    pub fn contains(&self, id: usize) -> bool {
        self.0.contains(&id)
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    /// The lowest number, if any.
    pub fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    /// What is in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// What is in this set and not in `other`.
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// The set's unbroken ranges, ascending, as (first, last).
    pub fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for id in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == id => *last = id,
                _ => runs.push((id, id)),
            }
        }
        runs
    }
}

impl FromIterator<usize> for CpuSet {
    /// Collects numbers; those that no kernel can have (see [`MAX_CPUS`]) are left out.
    fn from_iter<I: IntoIterator<Item = usize>>(ids: I) -> Self {
        Self(ids.into_iter().filter(|&id| id < MAX_CPUS).collect())
    }
}

impl FromStr for CpuSet {
    type Err = CpuSetError;

    /// Reads list notation. Blanks around numbers and empty parts are passed over.
    fn from_str(text: &str) -> Result<Self, CpuSetError> {
        let mut ids = BTreeSet::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first, part)?, number(last, part)?),
                None => (number(part, part)?, number(part, part)?),
            };
            if last < first {
                return Err(CpuSetError::Backwards(first, last));
            }
            if last >= MAX_CPUS {
                return Err(CpuSetError::TooHigh(last));
            }
            ids.extend(first..=last);
        }
        Ok(Self(ids))
    }
}

fn number(text: &str, part: &str) -> Result<usize, CpuSetError> {
    let text = text.trim();
    // `usize::from_str` takes a leading plus sign, which the kernel never writes.
    if text.starts_with('+') {
        return Err(CpuSetError::NotANumber(quoted(part)));
    }
    text.parse()
        .map_err(|_| CpuSetError::NotANumber(quoted(part)))
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (first, last)) in self.runs().into_iter().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for CpuSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let got = text.parse::<CpuSet>();
        let got = got
            .map(|set| set.to_string())
            .map_err(|error| error.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(got, expected, "for {text:?}");
    }

    #[test]
    fn lists_are_read_and_written() {
        check("", Ok(""));
        check("\n", Ok(""));
        check("0", Ok("0"));
        check("0-3", Ok("0-3"));
        check("0,2,4-6\n", Ok("0,2,4-6"));
        check("3,1,2", Ok("1-3"));
        check("0-1,1-2", Ok("0-2"));
        check(" 1 , 3 - 4 ,", Ok("1,3-4"));
        check("8191", Ok("8191"));
        check(
            "0-8192",
            Err("number 8192 is above 8191, the highest a kernel can have"),
        );
        check(
            "0-18446744073709551615",
            Err("number 18446744073709551615 is above 8191, the highest a kernel can have"),
        );
        check(
            "18446744073709551616",
            Err("`18446744073709551616` is neither a number nor a range such as 0-3"),
        );
        check("5-2", Err("the range 5-2 ends before it starts"));
        check("a", Err("`a` is neither a number nor a range such as 0-3"));
        check(
            "-1",
            Err("`-1` is neither a number nor a range such as 0-3"),
        );
        check(
            "1-",
            Err("`1-` is neither a number nor a range such as 0-3"),
        );
        check(
            "+1",
            Err("`+1` is neither a number nor a range such as 0-3"),
        );
        check(
            "0-31:2/4",
            Err("`0-31:2/4` is neither a number nor a range such as 0-3"),
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<CpuSet>();
        }

        #[test]
        fn what_is_written_is_read_back(ids in prop::collection::btree_set(0..MAX_CPUS, 0..60)) {
            let set: CpuSet = ids.iter().copied().collect();
            prop_assert_eq!(set.to_string().parse::<CpuSet>(), Ok(set.clone()));
            prop_assert_eq!(set.runs().iter().map(|(a, b)| b - a + 1).sum::<usize>(), ids.len());
        }
    }
}
