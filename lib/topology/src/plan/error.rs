//! What cannot be planned, said with what is there and what would work instead.

use crate::cpu_set::CpuSet;
use crate::plan::placement::MAX_SHARDS;

/// Why there is no plan for a request on a machine. Nothing is ever silently replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// More shards than CPUs, and overprovisioning is not allowed.
    #[error(
        "cpu_allocation asks for {asked} shards, but this process may use {count} ({allowed}); \
         write `all` or a number up to {}, or allow overprovisioning",
        allowed.len(), count = crate::text::counted(allowed.len(), "CPU")
    )]
    TooManyShards {
        /// How many were asked for.
        asked: usize,
        /// The CPUs there are.
        allowed: CpuSet,
    },
    /// More shards than a node can have.
    #[error("cpu_allocation asks for {asked} shards, but a node has at most {MAX_SHARDS}")]
    AboveMaximum {
        /// How many were asked for.
        asked: usize,
    },
    /// A range with CPUs that cannot be had; the texts are complete clauses.
    #[error("cpu_allocation names CPUs that cannot be had: {faults}; {remedy}")]
    CpusNotUsable {
        /// Which of them, and why.
        faults: String,
        /// A range that would work.
        remedy: String,
    },
    /// NUMA nodes that are not there, or have no CPU for us.
    #[error(
        "cpu_allocation names NUMA nodes without a CPU for this process: {nodes}; \
         nodes with such CPUs are {usable}"
    )]
    NodesNotUsable {
        /// The nodes asked for in vain.
        nodes: CpuSet,
        /// The nodes that could be named.
        usable: CpuSet,
    },
    /// More cores of one node than it has.
    #[error(
        "cpu_allocation asks for {asked} cores of every node, but NUMA node {node} has {available} {kind} \
         for this process; write cores={available} or fewer{hint}"
    )]
    TooFewCores {
        /// How many were asked for.
        asked: usize,
        /// The node that has fewer.
        node: usize,
        /// How many it has.
        available: usize,
        /// What is counted.
        kind: &'static str,
        /// What else would help; empty or a clause.
        hint: &'static str,
    },
    /// io_uring was demanded and cannot be used.
    #[error("io = uring, but io_uring cannot be used: {reason}; `io = auto` falls back to polling")]
    NoIoUring {
        /// Why not.
        reason: String,
    },
    /// A layout that leaves some shards nothing to do, or none for the data.
    #[error(
        "layout = split:{io_shards} needs a shard for connections and one for data at least, but {count} \
         planned ({reason}); {remedy}",
        count = if *.shards == 1 { "1 shard is".to_owned() } else { format!("{shards} shards are") }
    )]
    NotSplittable {
        /// How many shards were to be for connections.
        io_shards: usize,
        /// How many shards there are.
        shards: usize,
        /// Why so many.
        reason: String,
        /// What would work.
        remedy: String,
    },
}
