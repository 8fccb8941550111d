//! What one shard's side of the mesh counts, as one list: names, meaning, and the copies that are shown.
//!
//! Only the shard writes them, on cache lines of its own; any thread may read them (see
//! [`metrics`](crate::metrics)).

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use corelane_rt::time;

use crate::ShardId;
use crate::metrics::{Block, Owner, Registry, Writer, service_name};

crate::metrics! {
    /// What one shard's side of a service's mesh counts.
    pub(crate) struct MeshMetrics => MeshStats;

    /// Calls accepted for other shards, those waiting in line included. One that is held because its partition moves
    /// counts when it goes on, here or as a local one.
    counter calls = "corelane_calls_total";
    /// Calls accepted for the own shard.
    counter local_calls = "corelane_local_calls_total";
    /// Requests of other shards handled.
    counter handled = "corelane_handled_total";
    /// Batches of requests or replies published; divide messages by it.
    counter batches = "corelane_batches_total";
    /// Doorbells rung: targets that slept when a batch for them was published.
    counter wakes = "corelane_wakes_total";
    /// Calls that had to wait in line because the pair was at its bound.
    counter waited = "corelane_waited_total";
    /// Calls dropped while they waited, in line or held, and so never handled.
    counter cancelled = "corelane_cancelled_total";
    /// Replies that came after their call was dropped.
    counter late_replies = "corelane_late_replies_total";
    /// Calls held back because their partition was moving.
    counter held = "corelane_held_total";
    /// Requests that took their time (`Outcome::Later`) and tasks sent by other shards.
    counter later = "corelane_later_total";
    /// Of these, dropped because their caller had given up, or because the shard went to sleep or left.
    counter cancelled_later = "corelane_later_cancelled_total";
    /// Of these, dropped because their deadline passed.
    counter expired_later = "corelane_later_expired_total";
    /// Requests of threads outside the node handled.
    counter outside = "corelane_outside_total";
    /// Calls refused because the pair was at its bound (and, for `call`, the line was full too).
    counter refused_full = "corelane_refused_total" { reason = "full" };
    /// Requests that came back because this shard had no service.
    counter refused_down = "corelane_refused_total" { reason = "down" };
    /// Calls of tasks that were left behind on this shard when it went to sleep, refused.
    counter refused_asleep = "corelane_refused_total" { reason = "asleep" };
    /// Requests that the service refused in words.
    counter rejected = "corelane_refused_total" { reason = "rejected" };
    /// Requests not handled because their deadline had passed.
    counter expired = "corelane_refused_total" { reason = "expired" };
    /// Requests for a partition that another shard owns, sent back.
    counter misdirected = "corelane_refused_total" { reason = "misdirected" };
    /// Panics of the service and of what answers later.
    counter panics = "corelane_panics_total";
    /// States that took the place of one that had panicked, or of one that fell with it.
    counter restarts = "corelane_restarts_total";
    /// Calls that were open when the node ended, and so have no answer.
    counter lost = "corelane_lost_total";
    /// Calls and control messages refused because the node is leaving.
    counter refused_closing = "corelane_refused_total" { reason = "closing" };
    /// Control messages sent to other shards.
    counter control_sent = "corelane_control_sent_total";
    /// Control messages taken from other shards.
    counter control_handled = "corelane_control_handled_total";
    /// Control messages refused because the control lane was full.
    counter control_refused = "corelane_refused_total" { reason = "control_full" };
}

crate::metrics! {
    /// How one shard's service is doing: how much waits, and how long it takes.
    pub(crate) struct ServiceMetrics;

    /// Requests to other shards that are sent, being handled, or being answered.
    gauge outstanding = "corelane_queue_depth" { queue = "outstanding" };
    /// Requests to other shards that wait in line because their pair is at its bound.
    gauge waiting = "corelane_queue_depth" { queue = "waiting" };
    /// Requests of this shard to itself that wait for its next turn.
    gauge local = "corelane_queue_depth" { queue = "local" };
    /// Requests that are answered later and are not answered yet.
    gauge answering = "corelane_queue_depth" { queue = "answering" };
    /// Lives of the shard's service that began: 1, and one more for each restart and each return from sleep.
    counter lives = "corelane_lives_total";
    /// How long the handler held the shard for a request. Of a busy shard one request in 31 is measured and
    /// stands for 31, so the count is an estimate there.
    histogram handling = "corelane_handle_seconds";
    /// How long requests took that were answered later, from handler to answer.
    histogram answering_later = "corelane_later_seconds";
}

/// A shard that handled no more than this in its last turn measures every request in the next: what it costs
/// disappears beside the turn itself.
const QUIET_TURN: u64 = 4;

/// On a busier shard one request in this many is measured, and stands for all of them. A prime, so that it does
/// not fall into step with batches.
const STRIDE: u64 = 31;

/// Where a shard's code counts.
pub(crate) struct Tally {
    counts: Writer<MeshMetrics>,
    pub(crate) service: Writer<ServiceMetrics>,
    /// So many requests are handled unmeasured before the next one is.
    unmeasured: Cell<u64>,
    /// One request in so many is measured.
    stride: Cell<u64>,
    /// Requests measured in this turn.
    measured: Cell<u64>,
    /// Requests handled until the end of the last turn.
    handled_before: Cell<u64>,
}

impl Tally {
    /// The counters of `S` on `shard`, in `registry`.
    pub(crate) fn new<S>(registry: &Registry, shard: ShardId) -> Self {
        Self {
            counts: register(registry, Owner::service(shard, service_name::<S>())),
            service: register(registry, Owner::service(shard, service_name::<S>())),
            unmeasured: Cell::new(u64::MAX),
            stride: Cell::new(1),
            measured: Cell::new(0),
            handled_before: Cell::new(0),
        }
    }

    /// From now on there is a clock, and requests are measured.
    pub(crate) fn start_measuring(&self) {
        self.unmeasured.set(0);
    }

    /// A turn of the shard's loop ends: chooses how many requests of the next are measured.
    pub(crate) fn end_turn(&self) {
        if self.unmeasured.get() > STRIDE {
            // There is no clock.
            return;
        }
        let handled = self.handled.get() + self.local_calls.get() + self.outside.get();
        let in_turn = handled - self.handled_before.replace(handled);
        self.measured.set(0);
        if in_turn > QUIET_TURN {
            self.stride.set(STRIDE);
        } else if in_turn > 0 && self.stride.replace(1) > 1 {
            self.unmeasured.set(0);
        }
    }

    /// Runs a handler, and measures it if it is this request's turn.
    #[inline]
    pub(crate) fn handling<R>(&self, handle: impl FnOnce() -> R) -> R {
        let measure = match self.unmeasured.get() {
            0 => Some(self.begin()),
            left => {
                self.unmeasured.set(left - 1);
                None
            }
        };
        let result = handle();
        if let Some(measure) = measure {
            self.end(measure);
        }
        result
    }

    #[cold]
    fn begin(&self) -> Measure {
        // Many may come in one turn after a quiet one.
        let measured = self.measured.replace(self.measured.get() + 1);
        let many = measured >= QUIET_TURN;
        let stands_for = if many { STRIDE } else { self.stride.get() };
        self.unmeasured.set(stands_for - 1);
        Measure {
            began_ns: time::read_ns(),
            stands_for,
        }
    }

    #[cold]
    fn end(&self, measure: Measure) {
        let took_ns = time::read_ns() - measure.began_ns;
        let times = &self.service.handling;
        times.record_n(took_ns, measure.stands_for);
    }

    pub(crate) fn read(&self) -> MeshStats {
        self.counts.copied()
    }
}

/// A request that is being measured.
struct Measure {
    began_ns: u64,
    /// For how many requests.
    stands_for: u64,
}

/// `tally.calls.inc()` counts.
impl Deref for Tally {
    type Target = MeshMetrics;

    fn deref(&self) -> &MeshMetrics {
        &self.counts
    }
}

/// A block of the registry, or one that nobody sees where the registry has no room: a shard is not to fail for
/// that.
fn register<B: Block + Default>(registry: &Registry, owner: Owner) -> Writer<B> {
    registry.register(owner.clone()).unwrap_or_else(|error| {
        tracing::warn!(?owner, %error, "a shard's metrics will not be seen");
        Writer::unregistered()
    })
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

#[cfg(test)]
mod tests {
    use super::{STRIDE, Tally};
    use crate::ShardId;
    use crate::metrics::Registry;
    use corelane_rt::{Runtime, RuntimeOptions};

    struct Quiet;

    /// Handles `requests` in one turn; how many were recorded.
    fn turn(tally: &Tally, requests: u64) -> u64 {
        let before = tally.service.handling.read().count();
        for _ in 0..requests {
            tally.handling(|| ());
        }
        tally.handled.add(requests);
        tally.end_turn();
        tally.service.handling.read().count() - before
    }

    #[test]
    fn a_busy_shard_measures_a_few_that_stand_for_all() {
        let tally = Tally::new::<Quiet>(&Registry::new(), ShardId::new(0));
        assert_eq!(turn(&tally, 3), 0, "without a clock");
        let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
        runtime.block_on(async {
            tally.start_measuring();
            assert_eq!(turn(&tally, 3), 3, "each");
            let recorded: u64 = (0..100).map(|_| turn(&tally, 1000)).sum();
            assert!(recorded.abs_diff(100_000) <= STRIDE, "{recorded}");
            turn(&tally, 1);
            assert_eq!(turn(&tally, 2), 2, "each again");
        });
    }
}
