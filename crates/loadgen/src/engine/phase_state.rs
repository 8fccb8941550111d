//! One phase on one thread: what all its connections draw from and add to.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use corelane::time;

use crate::affinity::Caller;
use crate::plan::{Limit, Plan, Stage, share};
use crate::recorder::Recorder;
use crate::schedule::Schedule;
use crate::workload::{Request, Workload};

/// Counters of one thread that the progress display reads while the thread runs.
#[derive(Debug, Default)]
pub(super) struct Board {
    replies: AtomicU64,
    errors: AtomicU64,
}

impl Board {
    pub(super) fn replies(&self) -> u64 {
        self.replies.load(Ordering::Relaxed)
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}

/// The state of a phase that is going on.
#[derive(Debug)]
pub(super) struct PhaseState {
    workload: RefCell<Workload>,
    pub(super) recorder: RefCell<Recorder>,
    pub(super) pipeline: usize,
    pub(super) verify: bool,
    rate: Option<u64>,
    /// Connections over all threads.
    lanes: u64,
    start_ns: u64,
    deadline_ns: u64,
    /// Requests that may still be sent.
    left: Cell<u64>,
    outstanding: Cell<u64>,
    replies: Cell<u64>,
    last_reply_ns: Cell<u64>,
    board: Arc<Board>,
}

/// What a thread brings back from a phase.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) recorder: Recorder,
    pub(super) start_ns: u64,
    /// When the last reply came.
    pub(super) end_ns: u64,
    /// Connections still open.
    pub(super) connections: usize,
}

impl PhaseState {
    /// Begins `stage` now.
    pub(super) fn new(plan: &Plan, stage: &Stage, thread: u16, board: Arc<Board>) -> Self {
        let start_ns = time::refresh_ns();
        let (left, deadline_ns) = match stage.limit {
            Limit::Requests(requests) => (share(requests, thread, plan.threads), u64::MAX),
            Limit::Time(time) => (u64::MAX, start_ns.saturating_add(time.as_nanos() as u64)),
        };
        let (thread, threads) = (u64::from(thread), u64::from(plan.threads));
        let workload = Workload::new(
            stage.mix.clone(),
            stage.distribution,
            stage.affinity,
            thread,
            threads,
            plan.seed,
        );
        board.replies.store(0, Ordering::Relaxed);
        board.errors.store(0, Ordering::Relaxed);
        Self {
            recorder: RefCell::new(Recorder::new(stage.mix.names().count())),
            workload: RefCell::new(workload),
            pipeline: stage.pipeline as usize,
            verify: plan.verify,
            rate: stage.rate,
            lanes: plan.connections.into(),
            start_ns,
            deadline_ns,
            left: Cell::new(left),
            outstanding: Cell::new(0),
            replies: Cell::new(0),
            last_reply_ns: Cell::new(start_ns),
            board,
        }
    }

    /// Where the send times of connection `lane` come from, if they come from a clock.
    pub(super) fn schedule(&self, lane: u64) -> Option<Schedule> {
        self.rate
            .map(|rate| Schedule::new(self.start_ns, lane, self.lanes, rate))
    }

    /// Whether no more requests are to be sent.
    pub(super) fn over(&self, now_ns: u64) -> bool {
        self.left.get() == 0 || now_ns >= self.deadline_ns
    }

    /// Appends a request of `caller` to `out`, if there is one left to send.
    pub(super) fn push(&self, caller: Caller, out: &mut Vec<u8>) -> Option<Request> {
        let left = self.left.get().checked_sub(1)?;
        self.left.set(left);
        self.outstanding.set(self.outstanding.get() + 1);
        Some(self.workload.borrow_mut().push(caller, out))
    }

    /// Requests that fell due before the deadline and will never be sent.
    pub(super) fn unsent(&self, schedule: &mut Schedule) -> u64 {
        let last_ns = self.deadline_ns.saturating_sub(1);
        let bound = self.left.get();
        if self.deadline_ns == u64::MAX {
            return 0;
        }
        (0..bound)
            .take_while(|_| schedule.take_due(last_ns).is_some())
            .count() as u64
    }

    /// Checks a value that came back for `request`.
    pub(super) fn check(&self, request: Request, value: &[u8], scratch: &mut Vec<u8>) {
        let result = self
            .workload
            .borrow()
            .mix()
            .check(request.key, value, scratch);
        self.recorder.borrow_mut().verified(request.kind, result);
    }

    /// Counts `replies` more, all received at `now_ns`.
    pub(super) fn count(&self, replies: u64, errors: u64, now_ns: u64) {
        self.outstanding.set(self.outstanding.get() - replies);
        self.replies.set(self.replies.get() + replies);
        self.last_reply_ns.set(now_ns);
        // Only this thread writes: no read-modify-write on the shared line is needed.
        self.board
            .replies
            .store(self.replies.get(), Ordering::Relaxed);
        if errors > 0 {
            self.board
                .errors
                .store(self.board.errors() + errors, Ordering::Relaxed);
        }
    }

    /// A connection ended with `unanswered` requests on it.
    pub(super) fn lost(&self, unanswered: usize, why: &str) {
        let mut recorder = self.recorder.borrow_mut();
        recorder.totals.lost_connections += 1;
        recorder.totals.unanswered += unanswered as u64;
        recorder.errors.count(why.as_bytes(), 1);
        self.outstanding
            .set(self.outstanding.get() - unanswered as u64);
    }

    /// Requests sent whose replies have not come yet.
    pub(super) fn outstanding(&self) -> u64 {
        self.outstanding.get()
    }

    /// Replies received so far.
    pub(super) fn replies(&self) -> u64 {
        self.replies.get()
    }

    /// Ends the phase; requests still outstanding count as never answered.
    pub(super) fn end(&self, connections: usize) -> Outcome {
        let mut recorder = self.recorder.replace(Recorder::new(0));
        recorder.totals.unanswered += self.outstanding.get();
        let end_ns = self.last_reply_ns.get();
        Outcome {
            recorder,
            start_ns: self.start_ns,
            end_ns,
            connections,
        }
    }
}
