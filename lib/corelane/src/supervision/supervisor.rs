//! The supervisor: failures in, verdicts out.

use std::ops::Range;
use std::time::Duration;

use super::{Backoff, RestartBudget, Strategy, SupervisionError};

/// The most children of one supervisor.
pub const MAX_CHILDREN: usize = 1 << 16;

/// How a supervisor judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    /// Which children fall with the one that failed.
    pub strategy: Strategy,
    /// How many failures within [`window`](Self::window) are answered with a restart, all children
    /// together; the next one escalates. 0 escalates at once.
    pub max_restarts: u32,
    /// The span over which failures add up.
    pub window: Duration,
    /// How long a child that failed again and again waits for its restart.
    pub backoff: Backoff,
}

impl Default for Supervision {
    /// One for one; ten restarts within a minute, the first after a millisecond at most.
    fn default() -> Self {
        Self {
            strategy: Strategy::OneForOne,
            max_restarts: 10,
            window: Duration::from_secs(60),
            backoff: Backoff::default(),
        }
    }
}

/// Judges the failures of its children, which are numbered from 0 in the order of their start.
///
/// Whoever runs the children reports [`on_failure`](Self::on_failure),
/// [`on_start`](Self::on_start) and [`on_success`](Self::on_success), and does what the
/// [`Verdict`] says. A failure while a child is being started is a failure like any other.
#[derive(Debug)]
pub struct Supervisor {
    options: Supervision,
    budget: RestartBudget,
    children: Vec<Child>,
    escalated: Option<Escalation>,
    stats: SupervisorStats,
}

/// What the supervisor knows of a child.
#[derive(Debug, Clone, Copy, Default)]
struct Child {
    /// A restart was ordered and has not begun.
    waiting: bool,
    /// Since its last success.
    failures: u32,
}

/// What to do about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Stop those of `who` that still run, last to first; wait; start all of them, first to last.
    Restart {
        /// The children concerned, the failed one among them.
        who: Range<usize>,
        /// How long to wait before they start, in nanoseconds.
        after_ns: u64,
    },
    /// Nothing: the child waits for a restart that was ordered already, because another one failed.
    Waiting,
    /// Stop all children, and let whoever owns the supervisor know. It restarts nothing any more.
    Escalate {
        /// What to tell them.
        reason: Escalation,
    },
}

/// Why a supervisor gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Escalation {
    /// Failures within the window were more than it restarts.
    #[error(
        "child {child} failed, and the {max_restarts} restarts within {window:?} are used up: look for \
         what its last failures have in common, or allow more restarts"
    )]
    BudgetSpent {
        /// The child that failed last.
        child: usize,
        /// The restarts allowed.
        max_restarts: u32,
        /// The window they were allowed in.
        window: Duration,
    },
    /// A child failed that the supervisor does not have.
    #[error(
        "child {child} failed, of which the supervisor knows nothing; it has {children}: call \
         `set_children` when children come and go"
    )]
    UnknownChild {
        /// The child that failed.
        child: usize,
        /// How many the supervisor has.
        children: usize,
    },
}

/// What a supervisor has judged so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SupervisorStats {
    /// Failures reported, of whatever verdict.
    pub failures: u64,
    /// Failures answered with a restart.
    pub restarts: u64,
    /// Children that had to restart, those that had not failed among them.
    pub children_restarted: u64,
    /// Failures of children that waited for their restart already.
    pub waiting: u64,
    /// Failures answered with an escalation.
    pub escalations: u64,
}

impl Supervisor {
    /// For `children` children that all run.
    ///
    /// # Errors
    /// If the window has no length, or there are more restarts or children than can be remembered.
    pub fn new(options: Supervision, children: usize) -> Result<Self, SupervisionError> {
        let mut supervisor = Self {
            options,
            budget: RestartBudget::new(options.max_restarts, options.window)?,
            children: Vec::new(),
            escalated: None,
            stats: SupervisorStats::default(),
        };
        supervisor.set_children(children)?;
        Ok(supervisor)
    }

    /// A child failed: judges. `random` is any number of 64 bits, all of them alike.
    pub fn on_failure(&mut self, child: usize, now_ns: u64, random: u64) -> Verdict {
        self.stats.failures += 1;
        if let Some(reason) = self.escalated.clone() {
            return self.escalate(reason);
        }
        let children = self.children.len();
        let Some(failed) = self.children.get_mut(child) else {
            return self.escalate(Escalation::UnknownChild { child, children });
        };
        if failed.waiting {
            self.stats.waiting += 1;
            return Verdict::Waiting;
        }
        if self.budget.spend(now_ns).is_err() {
            return self.escalate(Escalation::BudgetSpent {
                child,
                max_restarts: self.options.max_restarts,
                window: self.options.window,
            });
        }
        let attempt = failed.failures;
        failed.failures = attempt.saturating_add(1);
        self.restart(child, self.options.backoff.after_ns(attempt, random))
    }

    /// A child is being started, as ordered: from now on its failure is a new one.
    pub fn on_start(&mut self, child: usize) {
        if let Some(child) = self.children.get_mut(child) {
            child.waiting = false;
        }
    }

    /// A child has shown that it works: its next failure will be treated as its first. The budget does
    /// not hear of it; it forgets with time alone.
    ///
    /// Report it for what a broken child cannot do. If one message in a hundred kills it, handling a message
    /// is no success, and having run for a minute is.
    pub fn on_success(&mut self, child: usize) {
        if let Some(child) = self.children.get_mut(child) {
            child.failures = 0;
        }
    }

    /// Children came, which run, or went, the last first.
    ///
    /// # Errors
    /// If there are more than [`MAX_CHILDREN`].
    pub fn set_children(&mut self, children: usize) -> Result<(), SupervisionError> {
        if children > MAX_CHILDREN {
            return Err(SupervisionError::TooManyChildren { children });
        }
        self.children.resize(children, Child::default());
        Ok(())
    }

    /// How many children there are.
    #[must_use]
    pub fn children(&self) -> usize {
        self.children.len()
    }

    /// Why it gave up, if it did.
    #[must_use]
    pub fn escalated(&self) -> Option<&Escalation> {
        self.escalated.as_ref()
    }

    /// How many restarts are left before it gives up.
    #[must_use]
    pub fn restarts_left(&mut self, now_ns: u64) -> u32 {
        self.budget.left(now_ns)
    }

    /// What it has judged so far.
    #[must_use]
    pub fn stats(&self) -> SupervisorStats {
        self.stats
    }

    fn restart(&mut self, failed: usize, after_ns: u64) -> Verdict {
        let who = self.options.strategy.affected(failed, self.children.len());
        for child in &mut self.children[who.clone()] {
            child.waiting = true;
        }
        self.stats.restarts += 1;
        self.stats.children_restarted += who.len() as u64;
        Verdict::Restart { who, after_ns }
    }

    fn escalate(&mut self, reason: Escalation) -> Verdict {
        self.stats.escalations += 1;
        self.escalated.get_or_insert_with(|| reason.clone());
        Verdict::Escalate { reason }
    }
}
