//! What travels with a call beside its request: who asks, until when, and under which trace.

use std::fmt;
use std::time::Duration;

use corelane_rt::time;

use crate::mesh::Tag;
use crate::{Mesh, Service, ShardId};

/// Names one piece of work across all shards that it touches. 0 is no trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub u64);

impl TraceId {
    /// A new one, of the runtime's random numbers (and so of the seed, in the simulator).
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn random() -> Self {
        Self(corelane_rt::random::next_u64().max(1))
    }

    /// Whether there is a trace.
    #[must_use]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// How a call is made. The default has no deadline and no trace.
///
/// [`Cx::options`] gives those of the request being handled, to be passed on to the calls that it needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// On the clock of [`time::now_ns`]; 0 is never. A request that is handled later than this is not handled,
    /// a [`Later`](crate::Outcome::Later) that takes longer is dropped.
    pub(crate) deadline_ns: u64,
    pub(crate) trace: TraceId,
}

impl CallOptions {
    /// Neither deadline nor trace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The answer is wanted within `limit` from now; an earlier deadline stays.
    ///
    /// # Panics
    /// Outside a runtime: deadlines are on its clock.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self.until_ns(time::now_ns().saturating_add(limit_ns))
    }

    /// The answer is wanted before this point on the clock of [`time::now_ns`]; an earlier deadline stays.
    #[must_use]
    pub fn until_ns(mut self, deadline_ns: u64) -> Self {
        self.deadline_ns = match self.deadline_ns {
            0 => deadline_ns,
            earlier => earlier.min(deadline_ns),
        };
        self
    }

    /// Belongs to this trace.
    #[must_use]
    pub fn traced(mut self, trace: TraceId) -> Self {
        self.trace = trace;
        self
    }

    /// When the answer is no longer wanted, on the clock of [`time::now_ns`].
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        (self.deadline_ns != 0).then_some(self.deadline_ns)
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.deadline_ns != 0 && time::now_ns() > self.deadline_ns
    }
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A shard's of this node; the own one for a local call.
    Shard(ShardId),
    /// A thread's that is no shard of this node, through a [`Handle`](crate::Handle).
    Outside,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(shard) => write!(f, "shard {shard}"),
            Self::Outside => f.write_str("a thread outside the node"),
        }
    }
}

/// What a handler knows of the request beside itself.
pub struct Cx<'a, S: Service> {
    pub(crate) mesh: &'a Mesh<S>,
    pub(crate) origin: Origin,
    pub(crate) options: CallOptions,
    pub(crate) tag: Tag,
}

impl<'a, S: Service> Cx<'a, S> {
    /// The mesh of this shard: to call others, and, cloned, to re-enter the state later. The state itself is
    /// in use while the handler runs, so [`Mesh::with`] would panic here, and a call to the own shard is
    /// handled after this one.
    #[must_use]
    pub fn mesh(&self) -> &'a Mesh<S> {
        self.mesh
    }

    /// Whose request it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The partition that the request was addressed to; `None` if it was addressed to the shard.
    #[must_use]
    pub fn partition(&self) -> Option<usize> {
        self.tag.partition()
    }

    /// Deadline and trace, for the calls that this one needs ([`Mesh::call_with`]).
    #[must_use]
    pub fn options(&self) -> CallOptions {
        self.options
    }

    /// When the answer is no longer wanted, on the clock of [`time::now_ns`].
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        self.options.deadline_ns()
    }

    /// The trace that the request belongs to.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.options.trace
    }
}

impl<S: Service> fmt::Debug for Cx<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("origin", &self.origin)
            .field("partition", &self.partition())
            .field("options", &self.options)
            .finish()
    }
}
