//! A shard's part in the node's metrics: where its code finds the registry, and what is read where it lies.

use std::rc::Rc;
use std::sync::{Arc, Weak};

use corelane_rt::local;

use super::block::{Block, Value};
use super::describe::{Kind, Metric};
use super::registry::{Owner, Registry};
use super::runtime::RuntimeMetrics;
use super::service_name;
use crate::outside::Outside;
use crate::{Service, ShardId};

/// The registry of the node whose shard the caller runs on; `None` elsewhere. It is there from a shard's `init` on.
#[must_use]
pub fn registry() -> Option<Registry> {
    local::get::<Registry>().map(|registry| (*registry).clone())
}

/// Lets [`registry`] find it on the current shard.
pub(crate) fn install(registry: &Registry) {
    local::insert(Rc::new(registry.clone()));
}

/// Has the runtime's counters and the inbox of a shard read whenever somebody looks. To be called on the shard.
pub(crate) fn watch_shard<S: Service>(outside: &Arc<Outside<S>>, shard: ShardId) {
    let registry = outside.node().metrics();
    let inbox = InboxMetrics {
        outside: Arc::downgrade(outside),
        shard,
    };
    let runtime = registry.attach(Owner::shard(shard), Arc::new(RuntimeMetrics::here()));
    let owner = Owner::service(shard, service_name::<S>());
    if let Err(error) = runtime.and_then(|()| registry.attach(owner, Arc::new(inbox))) {
        tracing::warn!(shard = shard.number(), %error, "a shard's metrics will not be seen");
    }
}

/// What threads outside the node have sent to one shard.
struct InboxMetrics<S: Service> {
    /// Weak: the registry is the node's, and the node is this one's.
    outside: Weak<Outside<S>>,
    shard: ShardId,
}

/// What every inbox shows, in the order of its values.
pub(super) const INBOX: &[Metric] = &[
    Metric {
        name: "corelane_queue_depth",
        label: Some(("queue", "inbox")),
        kind: Kind::Gauge,
        help: "Requests of threads outside the node that wait for the shard.",
    }
    .check(),
    Metric {
        name: "corelane_inbox_waited_total",
        label: None,
        kind: Kind::Counter,
        help: "Requests of threads outside the node that stood in line because the inbox was full.",
    }
    .check(),
    Metric {
        name: "corelane_refused_total",
        label: Some(("reason", "inbox_full")),
        kind: Kind::Counter,
        help: "Requests of threads outside the node refused because the inbox and its line were full.",
    }
    .check(),
];

impl<S: Service> Block for InboxMetrics<S> {
    fn metrics(&self) -> &'static [Metric] {
        INBOX
    }

    fn value(&self, index: usize) -> Value {
        let outside = self.outside.upgrade();
        let stats = outside.map_or_else(Default::default, |outside| {
            outside.inbox(self.shard).stats()
        });
        match index {
            0 => Value::Level(stats.depth as u64),
            1 => Value::Count(stats.waited),
            2 => Value::Count(stats.refused),
            _ => panic!("an inbox has three metrics"),
        }
    }
}
