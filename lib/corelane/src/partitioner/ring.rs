//! Consistent hashing: members own arcs of a circle of hashes, many small ones each.
//!
//! Karger et al., "Consistent Hashing and Random Trees" (STOC 1997), with the virtual nodes of Dynamo
//! (DeCandia et al., SOSP 2007).

use super::member::{self, check_members};
use super::{Member, PartitionError, Partitioner};
use crate::map::hash_v1;

/// Points on the circle per member and weight, unless told otherwise: shares then differ from what is due
/// by about 8% (one standard deviation, 1/√160).
pub const VIRTUAL_NODES: u32 = 160;

/// The most points of a ring: 12 MiB of them.
pub const MAX_POINTS: u64 = 1 << 20;

/// A ring of hashes: a key belongs to the member whose point is the next at or after its hash. Version 1.
///
/// A member that joins takes keys from all others and a member that leaves gives its keys to all others,
/// in proportion to their weights; nothing else moves. A placement is a binary search, whatever the
/// weights are; shares are less even than those of [`Rendezvous`](super::Rendezvous), which costs a step
/// per member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    members: Box<[Member]>,
    virtual_nodes: u32,
    /// Ascending, and beside each point the index of the member it belongs to.
    points: Box<[u64]>,
    owners: Box<[u32]>,
}

impl Ring {
    /// For `targets` equal targets, with [`VIRTUAL_NODES`] points each.
    ///
    /// # Errors
    /// If there are none, or more than [`MAX_MEMBERS`](super::MAX_MEMBERS).
    pub fn new(targets: usize) -> Result<Self, PartitionError> {
        Self::of(&Member::numbered(targets), VIRTUAL_NODES)
    }

    /// For `members`, each with `virtual_nodes` points for each unit of its weight.
    ///
    /// # Errors
    /// If there is no member, or an id is there twice, or a weight is 0 or too large; if there are no
    /// points, or more than [`MAX_POINTS`].
    pub fn of(members: &[Member], virtual_nodes: u32) -> Result<Self, PartitionError> {
        check_members(members)?;
        check_points(members, virtual_nodes)?;
        // Where two points fall together, the lower id has it, in whichever order members were given.
        let mut points: Vec<(u64, u64, u32)> = Vec::new();
        for (index, member) in (0u32..).zip(members) {
            let replicas = 0..virtual_nodes * member.weight;
            points.extend(replicas.map(|replica| (member.seed(replica), member.id, index)));
        }
        points.sort_unstable();
        points.dedup_by_key(|(point, ..)| *point);
        Ok(Self {
            members: members.into(),
            virtual_nodes,
            points: points.iter().map(|(point, ..)| *point).collect(),
            owners: points.iter().map(|(.., owner)| *owner).collect(),
        })
    }

    /// The members, in the order of the targets.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}

fn check_points(members: &[Member], virtual_nodes: u32) -> Result<(), PartitionError> {
    let weights: u64 = members.iter().map(|member| u64::from(member.weight)).sum();
    match weights * u64::from(virtual_nodes) {
        0 => Err(PartitionError::NoVirtualNodes),
        1..=MAX_POINTS => Ok(()),
        points => Err(PartitionError::TooManyPoints { points }),
    }
}

impl Partitioner for Ring {
    fn place(&self, key: &[u8]) -> usize {
        let hash = hash_v1(key);
        let next = self.points.partition_point(|point| *point < hash);
        // Above the last point the circle begins anew.
        self.owners[if next < self.owners.len() { next } else { 0 }] as usize
    }

    fn targets(&self) -> usize {
        self.members.len()
    }

    fn resized(&self, targets: usize) -> Result<Box<dyn Partitioner>, PartitionError> {
        let members = member::resized(&self.members, targets);
        Ok(Box::new(Self::of(&members, self.virtual_nodes)?))
    }

    fn name(&self) -> &'static str {
        "ring-v1"
    }
}
