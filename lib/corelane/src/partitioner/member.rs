//! Who a ring or a rendezvous places on: an id that does not depend on the others, and a weight.

use std::collections::HashSet;

use super::PartitionError;
use crate::map::hash_v1;

/// The most members of a ring or rendezvous.
pub const MAX_MEMBERS: usize = 4096;

/// The largest weight: enough for shares of a thousandth.
pub const MAX_WEIGHT: u32 = 1000;

/// One target of a [`Ring`](super::Ring) or [`Rendezvous`](super::Rendezvous).
///
/// The id decides which keys it gets, its position in the list only what number
/// [`place`](super::Partitioner::place) answers with. So a member may leave from the middle of the list:
/// its keys go to the others and no other key moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Names the member, in every list that it is in.
    pub id: u64,
    /// Its share of keys, relative to the other members' weights: 1 to [`MAX_WEIGHT`].
    pub weight: u32,
}

impl Member {
    /// A member of weight 1.
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self { id, weight: 1 }
    }

    /// The same member with this weight.
    #[must_use]
    pub const fn weighing(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// The members of a pool of equal workers: their numbers are their ids.
    pub(super) fn numbered(count: usize) -> Vec<Self> {
        // One more than the bound is enough for `check_members` to refuse it.
        (0..count.min(MAX_MEMBERS + 1) as u64)
            .map(Self::new)
            .collect()
    }

    /// Where the hashes that belong to this member alone begin.
    pub(super) fn seed(self, replica: u32) -> u64 {
        let mut name = [0; 12];
        name[..8].copy_from_slice(&self.id.to_le_bytes());
        name[8..].copy_from_slice(&replica.to_le_bytes());
        hash_v1(&name)
    }
}

/// Refuses lists that could not be placed on as they say.
pub(super) fn check_members(members: &[Member]) -> Result<(), PartitionError> {
    match members.len() {
        0 => return Err(PartitionError::NoTargets),
        1..=MAX_MEMBERS => {}
        members => return Err(PartitionError::TooManyMembers { members }),
    }
    let mut seen = HashSet::new();
    for &Member { id, weight } in members {
        match weight {
            0 => return Err(PartitionError::NoWeight { id }),
            1..=MAX_WEIGHT => {}
            _ => return Err(PartitionError::TooHeavy { id, weight }),
        }
        if !seen.insert(id) {
            return Err(PartitionError::DoubleMember { id });
        }
    }
    Ok(())
}

/// `members` for another number of targets: the last leave, or new ones of weight 1 join under the
/// lowest ids that are free.
pub(super) fn resized(members: &[Member], targets: usize) -> Vec<Member> {
    let mut members = members.to_vec();
    members.truncate(targets);
    let taken: HashSet<u64> = members.iter().map(|member| member.id).collect();
    let missing = targets.min(MAX_MEMBERS + 1) - members.len().min(targets);
    let free = (0..).filter(|id| !taken.contains(id)).take(missing);
    members.extend(free.map(Member::new));
    members
}
