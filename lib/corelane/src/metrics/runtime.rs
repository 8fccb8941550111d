//! The runtime's own counters among the others. Their list is the runtime's.

use corelane_rt::{Stats, StatsReader};

use super::block::{Block, Value};
use super::describe::{Kind, Metric};

/// What the runtime of one shard has counted, read where it lies.
#[derive(Debug)]
pub struct RuntimeMetrics(StatsReader);

impl RuntimeMetrics {
    /// Name, kind and help of everything in the block, in its order.
    pub const METRICS: &'static [Metric] = &metrics();

    /// The counters of the runtime that the caller runs on.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn here() -> Self {
        Self(corelane_rt::stats_reader())
    }
}

const fn metrics() -> [Metric; Stats::HELP.len()] {
    let mut metrics = [Metric {
        name: "",
        label: None,
        kind: Kind::Counter,
        help: "",
    }; Stats::HELP.len()];
    let mut at = 0;
    while at < metrics.len() {
        metrics[at].name = Stats::METRIC_NAMES[at];
        metrics[at].help = Stats::HELP[at];
        metrics[at] = metrics[at].check();
        at += 1;
    }
    metrics
}

impl Block for RuntimeMetrics {
    fn metrics(&self) -> &'static [Metric] {
        Self::METRICS
    }

    fn value(&self, index: usize) -> Value {
        let counted = self.0.read();
        let (_, count) = counted.named().nth(index).expect("an index of the list");
        Value::Count(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use corelane_rt::{Runtime, RuntimeOptions, task};

    use super::RuntimeMetrics;
    use crate::ShardId;
    use crate::metrics::{Owner, Registry};

    #[test]
    fn a_runtime_is_watched_from_another_thread() {
        let registry = Registry::new();
        let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
        runtime.block_on(async {
            let owner = Owner::shard(ShardId::new(0));
            let here = Arc::new(RuntimeMetrics::here());
            registry.attach(owner, here).expect("room");
            for _ in 0..10 {
                task::spawn(async {}).await.expect("no panic");
            }
            let elsewhere = registry.clone();
            let seen = std::thread::spawn(move || {
                elsewhere.snapshot().total("corelane_runtime_spawned_total")
            });
            assert!(seen.join().expect("no panic") >= 10);
        });
    }
}
