//! How unkind a simulated world is.

use std::ops::Range;
use std::time::Duration;

/// The ranges from which a world draws its delays and sizes. The defaults are hostile to races and kind to
/// connections: much is delayed, cut and reordered, nothing is lost.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// How long bytes travel between two sockets; their order within a connection stays.
    pub latency_ns: Range<u64>,
    /// How long a doorbell, or a wake from another shard, takes to arrive.
    pub wake_ns: Range<u64>,
    /// How long the system takes to report that a send is done.
    pub completion_ns: Range<u64>,
    /// How long a disk operation, or one on the blocking pool, takes.
    pub disk_ns: Range<u64>,
    /// How far time goes on with each step of a shard.
    pub step_ns: Range<u64>,
    /// Bytes on their way or unread that one direction of a connection holds before its sender waits.
    pub socket_bytes: Range<usize>,
    /// Whether sends and receives are cut into pieces of random size.
    pub split: bool,
    /// How many of 10,000 deliveries reset their connection instead.
    pub resets_per_10k: u32,
    /// How many of 10,000 datagrams are lost.
    pub datagrams_lost_per_10k: u32,
    /// How many of 10,000 datagrams arrive twice.
    pub datagrams_doubled_per_10k: u32,
    /// Whether datagrams overtake each other.
    pub datagrams_reordered: bool,
    /// After how many of 10,000 steps the shard that ran is paused, as a thread is whose core runs another.
    pub pauses_per_10k: u32,
    /// How long such a pause takes.
    pub pause_ns: Range<u64>,
    /// Whether a shard picks any of its ready tasks and not the oldest.
    pub shuffle: bool,
    /// The most tasks that a shard runs before another may.
    pub tasks_per_step: u32,
    /// Whether a panic in any task ends the run.
    pub fail_on_panic: bool,
    /// The virtual time after which a run is given up.
    pub time_limit: Duration,
    /// The steps after which a run is given up.
    pub step_limit: u64,
}

impl Default for WorldOptions {
    fn default() -> Self {
        WorldOptions {
            latency_ns: 1_000..200_000,
            wake_ns: 100..50_000,
            completion_ns: 100..20_000,
            disk_ns: 1_000..2_000_000,
            step_ns: 1..2_000,
            socket_bytes: 64..65_536,
            split: true,
            resets_per_10k: 0,
            datagrams_lost_per_10k: 0,
            datagrams_doubled_per_10k: 0,
            datagrams_reordered: true,
            pauses_per_10k: 0,
            pause_ns: 10_000..5_000_000,
            shuffle: true,
            tasks_per_step: 8,
            fail_on_panic: true,
            time_limit: Duration::from_secs(3600),
            step_limit: 50_000_000,
        }
    }
}
