//! What a breaker and a retry budget have counted.

/// What a [`Breaker`](super::Breaker) has seen since it was made. Never reset.
///
/// Every permit ends in one of `succeeded`, `failed`, `dropped`, `ignored` and `late`, or is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BreakerStats {
    /// Calls let through, probes among them.
    pub allowed: u64,
    /// Calls refused while open.
    pub refused_failing: u64,
    /// Calls refused while probes were on their way.
    pub refused_probing: u64,
    /// Calls recorded as successes.
    pub succeeded: u64,
    /// Calls recorded as failures.
    pub failed: u64,
    /// Permits dropped without a record: failures too.
    pub dropped: u64,
    /// Calls recorded as saying nothing.
    pub ignored: u64,
    /// Calls that ended after the breaker had opened or closed since they began, and were not judged.
    pub late: u64,
    /// Permits of another breaker that were recorded here: a fault of the caller.
    pub foreign: u64,
    /// Times it opened, from closed or after a failed probe.
    pub opened: u64,
    /// Times it closed again.
    pub closed: u64,
}

/// What a [`RetryBudget`](super::RetryBudget) has seen since it was made. Never reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetryStats {
    /// Calls, first attempts alone.
    pub calls: u64,
    /// Retries let through.
    pub retries: u64,
    /// Retries refused.
    pub refused: u64,
}
