//! What a server has counted, refusals by reason.

use std::cell::Cell;

/// Counters of one [`Server`](super::Server), since its start unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections accepted, those refused included.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
    /// Connections told `503` because as many as allowed were open.
    pub refused_busy: u64,
    /// Accepts that failed (out of descriptors, mostly); tried again after a moment.
    pub accept_errors: u64,
    /// Requests given to the service.
    pub requests: u64,
    /// What hyper refused as no HTTP/1 request of a permitted size, with `400`, `414` or `431`.
    pub bad_requests: u64,
    /// Connections that the client broke off in the midst of a request or an answer.
    pub broken: u64,
    /// Answers whose body the service failed to produce; the connection is closed so that the client sees it.
    pub failed_answers: u64,
    /// Connections ended by [`Options::head_timeout`](super::Options::head_timeout).
    pub head_timeouts: u64,
    /// Connections ended by [`Options::idle_timeout`](super::Options::idle_timeout).
    pub idle_timeouts: u64,
    /// Connections ended by [`Options::answer_timeout`](super::Options::answer_timeout).
    pub answer_timeouts: u64,
    /// Connections ended by [`Options::stall_timeout`](super::Options::stall_timeout).
    pub stall_timeouts: u64,
    /// Connections cut off because the drain took longer than [`Options::drain_timeout`](super::Options::drain_timeout).
    pub drain_cuts: u64,
}

/// The counters of a server, shared by its connections.
#[derive(Default)]
pub(super) struct Counters(Cell<Stats>);

impl Counters {
    pub(super) fn read(&self) -> Stats {
        self.0.get()
    }

    /// Changes the counters by `change`.
    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.0.get();
        change(&mut stats);
        self.0.set(stats);
    }
}
