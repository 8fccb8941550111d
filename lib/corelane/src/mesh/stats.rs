//! What one shard's side of the mesh counts. Only the shard writes and reads them; sums over
//! shards are made by asking each.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A shard's counters, all since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeshStats {
    /// Calls accepted for other shards, those waiting in line included. One that is held because its partition moves
    /// counts when it goes on, here or under `local_calls`.
    pub calls: u64,
    /// Calls accepted for the own shard.
    pub local_calls: u64,
    /// Requests of other shards handled.
    pub handled: u64,
    /// Batches of requests or replies published; divide messages by it.
    pub batches: u64,
    /// Doorbells rung: targets that slept when a batch for them was published.
    pub wakes: u64,
    /// Calls that had to wait in line because the pair was at its bound.
    pub waited: u64,
    /// Calls dropped while they waited, in line or held, and so never handled.
    pub cancelled: u64,
    /// Replies that came after their call was dropped.
    pub late_replies: u64,
    /// Calls held back because their partition was moving.
    pub held: u64,
    /// Requests that took their time ([`Outcome::Later`](crate::Outcome::Later)) and tasks sent by other shards.
    pub later: u64,
    /// Of these, dropped because their caller had given up, or because the shard went to sleep or left.
    pub cancelled_later: u64,
    /// Of these, dropped because their deadline passed.
    pub expired_later: u64,
    /// Requests of threads outside the node handled.
    pub outside: u64,
    /// Calls refused because the pair was at its bound (and, for `call`, the line was full too).
    pub refused_full: u64,
    /// Requests that came back because this shard had no service.
    pub refused_down: u64,
    /// Calls of tasks that were left behind on this shard when it went to sleep, refused.
    pub refused_asleep: u64,
    /// Requests that the service refused in words.
    pub rejected: u64,
    /// Requests not handled because their deadline had passed.
    pub expired: u64,
    /// Requests for a partition that another shard owns, sent back.
    pub misdirected: u64,
    /// Panics of the service and of what answers later.
    pub panics: u64,
    /// Calls that were open when the node ended, and so have no answer.
    pub lost: u64,
    /// Calls and control messages refused because the node is leaving.
    pub refused_closing: u64,
    /// Control messages sent to other shards.
    pub control_sent: u64,
    /// Control messages taken from other shards.
    pub control_handled: u64,
    /// Control messages refused because the control lane was full.
    pub control_refused: u64,
}

impl MeshStats {
    /// Every counter with its name, for whoever shows them all.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let mut copy = *self;
        copy.fields()
            .map(|(name, count)| (name, *count))
            .into_iter()
    }

    /// Adds another shard's counters.
    pub fn add(&mut self, other: &Self) {
        let mut other = *other;
        for ((_, mine), (_, theirs)) in self.fields().into_iter().zip(other.fields()) {
            *mine += *theirs;
        }
    }

    fn fields(&mut self) -> [(&'static str, &mut u64); 25] {
        [
            ("calls", &mut self.calls),
            ("local_calls", &mut self.local_calls),
            ("handled", &mut self.handled),
            ("batches", &mut self.batches),
            ("wakes", &mut self.wakes),
            ("waited", &mut self.waited),
            ("cancelled", &mut self.cancelled),
            ("late_replies", &mut self.late_replies),
            ("held", &mut self.held),
            ("later", &mut self.later),
            ("cancelled_later", &mut self.cancelled_later),
            ("expired_later", &mut self.expired_later),
            ("outside", &mut self.outside),
            ("refused_full", &mut self.refused_full),
            ("refused_down", &mut self.refused_down),
            ("refused_asleep", &mut self.refused_asleep),
            ("rejected", &mut self.rejected),
            ("expired", &mut self.expired),
            ("misdirected", &mut self.misdirected),
            ("panics", &mut self.panics),
            ("lost", &mut self.lost),
            ("refused_closing", &mut self.refused_closing),
            ("control_sent", &mut self.control_sent),
            ("control_handled", &mut self.control_handled),
            ("control_refused", &mut self.control_refused),
        ]
    }
}

/// Where a shard's code counts.
#[derive(Default)]
pub(crate) struct Tally(RefCell<MeshStats>);

impl Tally {
    /// Counts: `tally.count(|stats| stats.calls += 1)`.
    pub(crate) fn count(&self, change: impl FnOnce(&mut MeshStats)) {
        change(&mut self.0.borrow_mut());
    }

    pub(crate) fn read(&self) -> MeshStats {
        *self.0.borrow()
    }
}

/// Reads the counters of one shard's side of the mesh, on that shard.
#[derive(Clone)]
pub struct MeshGauge(pub(crate) Rc<Tally>);

impl MeshGauge {
    /// What has been counted so far.
    pub fn read(&self) -> MeshStats {
        self.0.read()
    }
}

impl fmt::Debug for MeshGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}
