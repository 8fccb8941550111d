//! Rendezvous hashing: every member draws a number for the key, and the best one has it.
//!
//! Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998); weights as in
//! Schindelhauer and Schomaker, "Weighted Distributed Hash Tables" (2005): the key goes to the least
//! −ln(u)/weight. The logarithm is computed in integers, because that of `f64` may differ in its last
//! bit between machines, and a placement may not.

use std::cmp::{Ordering, Reverse};

use super::member::{self, check_members};
use super::{Member, PartitionError, Partitioner};
use crate::map::{hash_v1, mix};

/// Highest random weight. Version 1.
///
/// A member that joins or leaves moves the keys that it gets or had, and no others; so does a weight
/// that changes. Shares are as even as chance allows. A placement looks at every member, in a few
/// nanoseconds each and in a hundred where weights differ: for tens of members, not for thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendezvous {
    members: Box<[Member]>,
    seeds: Box<[u64]>,
    equal: bool,
}

impl Rendezvous {
    /// For `targets` equal targets.
    ///
    /// # Errors
    /// If there are none, or more than [`MAX_MEMBERS`](super::MAX_MEMBERS).
    pub fn new(targets: usize) -> Result<Self, PartitionError> {
        Self::of(&Member::numbered(targets))
    }

    /// For `members`.
    ///
    /// # Errors
    /// If there is no member, or an id is there twice, or a weight is 0 or too large.
    pub fn of(members: &[Member]) -> Result<Self, PartitionError> {
        check_members(members)?;
        Ok(Self {
            members: members.into(),
            seeds: members.iter().map(|member| member.seed(0)).collect(),
            equal: members.windows(2).all(|two| two[0].weight == two[1].weight),
        })
    }

    /// The members, in the order of the targets.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The one that comes out highest by `order`, among what the members draw for `hash`.
    #[inline]
    fn best<T: Ord>(&self, hash: u64, order: impl Fn(u64, Member) -> T) -> usize {
        let draw = |index: usize| order(mix(hash ^ self.seeds[index]), self.members[index]);
        let (mut best, mut highest) = (0, draw(0));
        for index in 1..self.seeds.len() {
            let drawn = draw(index);
            if drawn > highest {
                (best, highest) = (index, drawn);
            }
        }
        best
    }
}

impl Partitioner for Rendezvous {
    fn place(&self, key: &[u8]) -> usize {
        let hash = hash_v1(key);
        // With equal weights the logarithm changes no order, and is left out. Ids decide among equals.
        if self.equal {
            self.best(hash, |drawn, member| (drawn, Reverse(member.id)))
        } else {
            self.best(hash, |drawn, member| {
                (Share::new(drawn, member.weight), drawn, Reverse(member.id))
            })
        }
    }

    fn targets(&self) -> usize {
        self.members.len()
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        Ok(Box::new(Self::of(&member::resized(
            &self.members,
            targets,
        ))?))
    }

    fn name(&self) -> &'static str {
        "rendezvous-v1"
    }
}

/// −log(u)/weight, of which the lower is the higher share; compared crosswise, as integers.
#[derive(Clone, Copy)]
struct Share {
    minus_log: u64,
    weight: u32,
}

impl Share {
    fn new(drawn: u64, weight: u32) -> Self {
        let minus_log = minus_log2(drawn);
        Self { minus_log, weight }
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        let mine = u128::from(self.minus_log) * u128::from(other.weight);
        let theirs = u128::from(other.minus_log) * u128::from(self.weight);
        theirs.cmp(&mine)
    }
}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Share {}

/// −log₂ of `drawn`/2⁶⁴ with 32 bits behind the point, never 0, and never rising as `drawn` does.
///
/// The bits behind the point come one by one, by squaring (Turner, "A Fast Binary Logarithm Algorithm",
/// IEEE Signal Processing Magazine, 2010).
fn minus_log2(drawn: u64) -> u64 {
    const FRACTION_BITS: u32 = 32;
    let drawn = drawn.max(1);
    let whole = 63 - drawn.leading_zeros();
    // From 1 up to 2, with 63 bits behind the point.
    let mut mantissa = drawn << drawn.leading_zeros();
    let mut log = u64::from(whole);
    for _ in 0..FRACTION_BITS {
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        let above_two = (square >> 64) as u64;
        mantissa = (square >> above_two) as u64;
        log = log << 1 | above_two;
    }
    (64 << FRACTION_BITS) - log
}

#[cfg(test)]
mod tests {
    use super::minus_log2;

    #[test]
    fn the_integer_logarithm_is_a_logarithm() {
        let rows = [
            0,
            1,
            2,
            3,
            1000,
            1 << 32,
            (1 << 63) - 1,
            1 << 63,
            3 << 62,
            u64::MAX,
        ];
        for drawn in rows {
            let exact = 64.0 - (drawn.max(1) as f64).log2();
            let ours = minus_log2(drawn) as f64 / 2f64.powi(32);
            assert!((exact - ours).abs() < 1e-8, "{drawn}: {ours} for {exact}");
            assert!(minus_log2(drawn) > 0);
        }
    }

    proptest::proptest! {
        #[test]
        fn it_never_rises(drawn: u64, step in 0u64..1000) {
            assert!(minus_log2(drawn) >= minus_log2(drawn.saturating_add(step)));
        }
    }
}
