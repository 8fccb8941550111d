//! Spans that follow a call across shards: `corelane.call` on the side that asks, from the call to its reply, and
//! `corelane.handle` where it is handled, both with the same trace id.
//!
//! There are spans only while a `tracing` subscriber takes the target `corelane::calls` at level TRACE. Otherwise a
//! call pays for a look at a static level, and all the rest of this file lies aside.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Level, Span};

use super::ask::Target;
use super::replies::ReplyKey;
use super::wiring::Tag;
use crate::cx::{Origin, TraceId};
use crate::metrics::service_name;
use crate::{CallOptions, ShardId};

/// What a subscriber's filter names: `corelane::calls=trace`.
const TARGET: &str = "corelane::calls";

/// Whether anybody wants to see calls.
#[inline]
pub(crate) fn is_watched() -> bool {
    tracing::enabled!(target: TARGET, Level::TRACE)
}

/// The trace ids that one shard, or all threads outside the node together, give to calls that have none. They carry
/// their origin in their top bits and count on from there: no random numbers, so that a simulated run is the same
/// whether it is watched or not.
pub(crate) struct Traces {
    first: u64,
    given: AtomicU64,
}

impl Traces {
    fn of(shard: ShardId) -> Self {
        Self::beginning_with(u64::from(shard.number()) + 1)
    }

    pub(crate) fn of_outside() -> Self {
        Self::beginning_with(0xffff)
    }

    fn beginning_with(top: u64) -> Self {
        Self {
            first: top << 48,
            given: AtomicU64::new(0),
        }
    }

    /// The span of a call; a call without a trace gets one.
    #[cold]
    pub(crate) fn call_span<S>(
        &self,
        from: Origin,
        target: Target,
        options: &mut CallOptions,
    ) -> Span {
        if !options.trace().is_some() {
            let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
            *options = options.traced(TraceId(self.first | number));
        }
        let (to, partition) = match target {
            Target::Shard(shard) => (Some(shard.number()), None),
            Target::Partition(partition) => (None, Some(partition)),
        };
        tracing::trace_span!(
            target: TARGET,
            "corelane.call",
            trace = %options.trace(),
            service = service_name::<S>(),
            %from,
            to,
            partition,
        )
    }
}

/// The spans of one shard's calls that have no reply yet.
pub(crate) struct OpenSpans {
    pub(crate) traces: Traces,
    spans: RefCell<Spans>,
    /// How many there are: nearly always none, and then one look at this says so.
    count: Cell<usize>,
}

#[derive(Default)]
struct Spans {
    /// Of calls that are being made: one may be made while another is handled in place.
    begun: Vec<Span>,
    /// Of calls under way.
    underway: BTreeMap<ReplyKey, Span>,
}

impl OpenSpans {
    pub(crate) fn of(shard: ShardId) -> Self {
        Self {
            traces: Traces::of(shard),
            spans: RefCell::default(),
            count: Cell::new(0),
        }
    }

    /// A call is being made.
    pub(crate) fn begin(&self, span: Span) {
        self.change(|spans| {
            spans.begun.push(span);
            None
        });
    }

    /// The call that was begun last is under way, or was answered or refused at once.
    #[inline]
    pub(crate) fn end(&self, key: Option<ReplyKey>) {
        if self.count.get() > 0 {
            self.end_begun(key);
        }
    }

    #[cold]
    fn end_begun(&self, key: Option<ReplyKey>) {
        self.change(|spans| match (key, spans.begun.pop()) {
            (Some(key), Some(span)) => spans.underway.insert(key, span),
            (_, span) => span,
        });
    }

    /// A call has its reply, or nobody waits for it any more.
    #[inline]
    pub(crate) fn close(&self, key: ReplyKey) {
        if self.count.get() > 0 {
            self.close_open(key);
        }
    }

    #[cold]
    fn close_open(&self, key: ReplyKey) {
        self.change(|spans| spans.underway.remove(&key));
    }

    /// Changes what is kept, and drops what is over where nothing is borrowed: a subscriber is foreign code.
    fn change(&self, change: impl FnOnce(&mut Spans) -> Option<Span>) {
        let mut spans = self.spans.borrow_mut();
        let over = change(&mut spans);
        self.count.set(spans.begun.len() + spans.underway.len());
        drop(spans);
        drop(over);
    }
}

/// The span of handling a request that has a trace; none where nobody wants to see it.
#[cold]
pub(crate) fn handle_span<S>(me: ShardId, from: Origin, tag: Tag, options: &CallOptions) -> Span {
    tracing::trace_span!(
        target: TARGET,
        "corelane.handle",
        trace = %options.trace(),
        service = service_name::<S>(),
        %from,
        to = me.number(),
        partition = tag.partition(),
    )
}
