//! A node that runs on threads, in the hands of the thread that launched it: asking it to stop,
//! waiting for its end, and meanwhile watching that all its shards keep turning.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::join_set::JoinSet;
use crate::metrics::{Owner, Registry};
use crate::node::{Node, NodeFailure, Phase, Stopper};
use crate::outside::Outside;
use crate::{Handle, Service, ShardId};

/// How often the watch looks.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// How long a shard may take to leave once the node is over. It has nothing left to wait for.
const LEAVE_PATIENCE: Duration = Duration::from_secs(10);

/// A launched node. Dropping it asks the node to stop and does not wait.
#[must_use = "a node whose handle is dropped stops"]
pub struct Running<S: Service> {
    outside: Arc<Outside<S>>,
    node: Arc<Node>,
    threads: JoinSet,
    watch: Watch,
}

impl<S: Service> Running<S> {
    pub(super) fn new(outside: Arc<Outside<S>>, threads: JoinSet, wedged_after: Duration) -> Self {
        let node = outside.node().clone();
        Self {
            outside,
            watch: Watch::new(node.shards(), wedged_after, node.metrics()),
            node,
            threads,
        }
    }

    /// A handle to the service, for any thread.
    #[must_use]
    pub fn handle(&self) -> Handle<S> {
        Handle::new(self.outside.clone())
    }

    /// What the node counts, for whoever watches it; it can be read after the node's end, too.
    #[must_use]
    pub fn metrics(&self) -> Registry {
        self.node.metrics().clone()
    }

    /// Asks all shards to drain and leave; see [`Stopper::stop`].
    pub fn stop(&self) {
        self.node.stop("asked through its handle");
    }

    /// A handle that can ask for a stop while [`join`](Self::join) waits.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper::new(self.node.clone())
    }

    /// Waits until all shards have left. Meanwhile a shard whose loop does not turn is reported by a
    /// `tracing` error that names it and what it runs.
    ///
    /// # Errors
    /// The first [`NodeFailure`], if the node did not end by all mains returning `Ok`. A shard
    /// that does not leave within ten seconds after the end of the node counts as one; its
    /// thread is left behind.
    pub fn join(mut self) -> Result<(), NodeFailure> {
        while self.threads.anyone().is_some() {
            if self.node.phase().is_over() {
                self.wait_for_the_last();
                break;
            }
            if !self.threads.wait_one(WATCH_EVERY) {
                self.watch.look(&self.node, &self.threads);
            }
        }
        self.node.failure().map_or(Ok(()), Err)
    }

    fn wait_for_the_last(&mut self) {
        if let Err(shard) = self.threads.wait_all(LEAVE_PATIENCE) {
            let seconds = LEAVE_PATIENCE.as_secs();
            let reason = format!("it did not leave within {seconds} s after the end of the node");
            self.node.fail(shard, reason);
        }
    }
}

impl<S: Service> Drop for Running<S> {
    fn drop(&mut self) {
        if self.node.phase() == Phase::Running {
            self.node.stop("its handle was dropped");
        }
    }
}

impl<S: Service> fmt::Debug for Running<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("shards", &self.node.shards())
            .field("phase", &self.node.phase())
            .finish_non_exhaustive()
    }
}

/// Finds shards whose loop has stopped turning. Every loop turns at least ten times a second, for its
/// tick.
///
/// It counts looks and not time, so a process that was halted and goes on is not a wedged one.
struct Watch {
    shards: Vec<Seen>,
    wedged_after: u64,
    /// A block per shard, written here alone.
    shown: Vec<Arc<WatchMetrics>>,
}

crate::metrics! {
    /// What the watch has found of one shard.
    pub(crate) struct WatchMetrics;

    /// Times the shard's loop stopped turning for so long that it was reported as wedged.
    counter wedges = "corelane_wedges_total";
    /// 1 while the shard is wedged.
    gauge wedged = "corelane_wedged";
}

#[derive(Clone, Copy, Default)]
struct Seen {
    turns: u64,
    /// Looks since the shard last turned.
    unchanged: u64,
}

impl Watch {
    fn new(shards: usize, wedged_after: Duration, metrics: &Registry) -> Self {
        let shown = |shard| {
            let block = Arc::<WatchMetrics>::default();
            let attached = metrics.attach(Owner::shard(ShardId::at(shard)), block.clone());
            attached.expect("a new node's registry has room");
            block
        };
        Self {
            shown: (0..shards).map(shown).collect(),
            shards: vec![Seen::default(); shards],
            wedged_after: wedged_after
                .as_secs()
                .div_ceil(WATCH_EVERY.as_secs())
                .max(1),
        }
    }

    fn look(&mut self, node: &Node, threads: &JoinSet) {
        for shard in threads.present().filter(|&shard| node.serves(shard)) {
            self.look_at(shard, node.turns(shard));
        }
    }

    /// Reports each wedge once, and its end.
    fn look_at(&mut self, shard: ShardId, turns: u64) -> Finding {
        let seen = &mut self.shards[shard.index()];
        if seen.turns != turns {
            let was = std::mem::replace(
                seen,
                Seen {
                    turns,
                    unchanged: 0,
                },
            );
            if was.unchanged >= self.wedged_after {
                self.shown[shard.index()].wedged.set(0);
                let seconds = was.unchanged;
                tracing::warn!(
                    shard = shard.number(),
                    seconds,
                    "the wedged shard turns again"
                );
                return Finding::Recovered;
            }
            return Finding::Turning;
        }
        seen.unchanged += 1;
        if seen.unchanged == self.wedged_after {
            self.shown[shard.index()].wedges.inc();
            self.shown[shard.index()].wedged.set(1);
            let seconds = seen.unchanged;
            tracing::error!(
                shard = shard.number(),
                seconds,
                running = running_on(shard),
                "a shard is wedged: its loop does not turn and it serves nobody"
            );
            return Finding::Wedged;
        }
        Finding::Still
    }
}

/// What a wedged shard runs, as the stall watchdog saw it: the type of a task's future, or of the mesh that runs a
/// handler of its service.
fn running_on(shard: ShardId) -> &'static str {
    let stalls = corelane_rt::stall::recent();
    let latest = stalls.iter().rev().find(|s| s.shard == shard.number());
    latest.map_or("unknown: nobody looks for stalls (`stall_ms`)", |s| s.what)
}

/// What a look at one shard found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    Turning,
    /// Not turning, and either not for long yet or reported already.
    Still,
    Wedged,
    Recovered,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Finding, Watch};
    use crate::ShardId;
    use crate::metrics::Registry;

    #[test]
    fn a_wedge_is_reported_once_and_so_is_its_end() {
        use Finding::{Recovered, Still, Turning, Wedged};
        let metrics = Registry::new();
        let mut watch = Watch::new(1, Duration::from_secs(3), &metrics);
        let looks = [
            (1, Turning),
            (9, Turning),
            (9, Still),
            (9, Still),
            (9, Wedged),
            (9, Still),
            (10, Recovered),
            (10, Still),
            (11, Turning),
        ];
        for (n, (turns, finding)) in looks.into_iter().enumerate() {
            assert_eq!(watch.look_at(ShardId::new(0), turns), finding, "look {n}");
            let wedged = metrics.snapshot().total("corelane_wedged");
            assert_eq!(wedged, u64::from((4..6).contains(&n)), "look {n}");
        }
        assert_eq!(metrics.snapshot().total("corelane_wedges_total"), 1);
    }
}
