//! What a partitioner refuses, and what to change.

use super::{MAX_MEMBERS, MAX_POINTS, MAX_RANGES, MAX_WEIGHT};

/// Why a partitioner was not built or changed, or did not place a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// A placement on nothing.
    #[error("a partitioner needs a target to place on, and 0 were given: give 1 or more")]
    NoTargets,
    /// More targets than this kind can place on.
    #[error("{targets} targets are more than this partitioner places on: give {most} or fewer")]
    TooManyTargets {
        /// How many were asked for.
        targets: usize,
        /// How many can be.
        most: usize,
    },
    /// The partitioner and the pool differ in size.
    #[error(
        "the partitioner places on {targets} targets and the pool has {workers} workers: build it \
         with {workers}, or pass `resized({workers})`"
    )]
    Misfit {
        /// The partitioner's targets.
        targets: usize,
        /// The pool's workers.
        workers: usize,
    },
    /// A placement that names a target which is not there.
    #[error(
        "the partitioner named target {target} of {targets}: it must name one below {targets}; see \
         what its closure returns"
    )]
    Outside {
        /// The target it named.
        target: usize,
        /// How many there are.
        targets: usize,
    },
    /// A range was to go to a target that is not there.
    #[error(
        "target {target} is not there, only those below {targets}: name one of them, or take `resized` first"
    )]
    NoSuchTarget {
        /// The target that was named.
        target: usize,
        /// How many there are.
        targets: usize,
    },
    /// A member that may get nothing.
    #[error(
        "member {id} has weight 0 and would get no key: leave it out, or give it a weight of 1 to \
         {MAX_WEIGHT}"
    )]
    NoWeight {
        /// Its id.
        id: u64,
    },
    /// A weight beyond the bound.
    #[error(
        "member {id} has weight {weight}: weights are relative, so scale all of them down to 1 to \
         {MAX_WEIGHT}"
    )]
    TooHeavy {
        /// Its id.
        id: u64,
        /// Its weight.
        weight: u32,
    },
    /// Two members under one id.
    #[error(
        "two members have the id {id}, and all keys of one would go to the other: ids must differ"
    )]
    DoubleMember {
        /// The id they share.
        id: u64,
    },
    /// More members than the bound.
    #[error("{members} members are more than the {MAX_MEMBERS} that are placed on")]
    TooManyMembers {
        /// How many were given.
        members: usize,
    },
    /// A ring without points.
    #[error("a ring needs virtual nodes, and 0 were given: give 1 or more per weight")]
    NoVirtualNodes,
    /// A ring with too many points.
    #[error(
        "virtual nodes times the sum of weights make {points} points, and a ring holds \
         {MAX_POINTS}: give fewer virtual nodes, or scale the weights down"
    )]
    TooManyPoints {
        /// How many it would have.
        points: u64,
    },
    /// Boundaries that do not ascend.
    #[error(
        "boundary {index} (\"{}\") is not above the one before it: sort the boundaries and leave \
         doubles out",
        at.escape_ascii()
    )]
    Unordered {
        /// Which boundary, counted from 0.
        index: usize,
        /// The boundary.
        at: Vec<u8>,
    },
    /// A boundary below which no key lies.
    #[error(
        "the empty key is where the first range starts, and cannot be a boundary: leave it out"
    )]
    EmptyBoundary,
    /// A split where two ranges already meet.
    #[error(
        "a range already starts at \"{}\": split at another key, or `assign` it",
        at.escape_ascii()
    )]
    AlreadySplit {
        /// Where.
        at: Vec<u8>,
    },
    /// A merge or an assignment where no range starts.
    #[error(
        "no range starts at \"{}\": name the first key of a range, as `ranges` lists them",
        at.escape_ascii()
    )]
    NoBoundary {
        /// Where.
        at: Vec<u8>,
    },
    /// More ranges than the bound.
    #[error("{MAX_RANGES} ranges are there, and no more can be: merge some first")]
    TooManyRanges,
    /// A target that still has keys is to go.
    #[error(
        "target {target} still has the range from \"{}\": `assign` or `merge` it before there are \
         only {targets} targets",
        from.escape_ascii()
    )]
    StillInUse {
        /// The target.
        target: usize,
        /// Where the range starts.
        from: Vec<u8>,
        /// How many targets there are to be.
        targets: usize,
    },
}
