//! The breaker: closed, open, half open.

use std::sync::Arc;

use super::marks::Marks;
use super::window::Window;
use super::{BreakerError, BreakerOptions, BreakerStats, Open, OpenReason, Permit};
use crate::supervision::nanos;

/// Lets calls through while they succeed.
///
/// - **Closed**: all calls, until too large a share of the latest ones fails.
/// - **Open**: none, for a time.
/// - **Half open**: a few probes. If all succeed it closes and begins anew; if one fails, or they have not
///   all returned within [`open_for`](BreakerOptions::open_for), it opens again.
///
/// Calls that end after the breaker has changed since they began are not judged: what was called an hour
/// ago says nothing of now.
///
/// One breaker serves one caller's thread; a permit may travel.
#[derive(Debug)]
pub struct Breaker {
    options: BreakerOptions,
    open_ns: u64,
    state: State,
    window: Window,
    marks: Arc<Marks>,
    stats: BreakerStats,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open {
        until_ns: u64,
    },
    HalfOpen {
        until_ns: u64,
        granted: u32,
        succeeded: u32,
    },
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// A few probes.
    HalfOpen,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// As it should; also an answer that refuses what was asked, if the callee is well.
    Success,
    /// As it does when the callee is not well: refused for overload, timed out, lost, panicked.
    Failure,
    /// For a reason that lies with the caller: it says nothing of the callee. A probe may take its place.
    Ignored,
}

impl Breaker {
    /// A closed one.
    ///
    /// # Errors
    /// If an option makes no sense, saying which and what to give.
    pub fn new(options: BreakerOptions) -> Result<Self, BreakerError> {
        options.check()?;
        Ok(Self {
            options,
            open_ns: nanos(options.open_for),
            state: State::Closed,
            window: Window::new(&options),
            marks: Arc::default(),
            stats: BreakerStats::default(),
        })
    }

    /// Asks to call. Keep the permit with the call and [`record`](Self::record) how it ended.
    ///
    /// # Errors
    /// [`Open`] if the call should not be made, with the time after which to ask again.
    pub fn allow(&mut self, now_ns: u64) -> Result<Permit, Open> {
        self.collect(now_ns);
        self.turn(now_ns);
        match &mut self.state {
            State::Closed => {}
            State::HalfOpen { granted, .. } if *granted < self.options.probes => *granted += 1,
            State::HalfOpen { until_ns, .. } => {
                let until_ns = *until_ns;
                self.stats.refused_probing += 1;
                return Err(refusal(until_ns, now_ns, OpenReason::Probing));
            }
            State::Open { until_ns } => {
                let until_ns = *until_ns;
                self.stats.refused_failing += 1;
                return Err(refusal(until_ns, now_ns, OpenReason::Failing));
            }
        }
        self.stats.allowed += 1;
        Ok(Permit::new(&self.marks))
    }

    /// A call has ended.
    pub fn record(&mut self, permit: Permit, outcome: Outcome, now_ns: u64) {
        self.collect(now_ns);
        match permit.redeem(&self.marks) {
            None => self.stats.foreign += 1,
            Some(generation) if generation != self.marks.generation() => self.stats.late += 1,
            Some(_) => self.judge(outcome, now_ns),
        }
    }

    /// What it lets through, as far as it knows: an open one turns half open when it is next asked.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// What it has counted; permits dropped since its last use are not in it yet.
    #[must_use]
    pub fn stats(&self) -> BreakerStats {
        self.stats
    }

    /// Judges the permits that were dropped since the last use.
    fn collect(&mut self, now_ns: u64) {
        let (dropped, late) = self.marks.take();
        self.stats.late += late;
        for done in 0..dropped {
            self.stats.dropped += 1;
            let generation = self.marks.generation();
            self.fail(now_ns);
            if self.marks.generation() != generation {
                // The rest were dropped too, and there is no more to be learnt from them.
                self.stats.dropped += dropped - done - 1;
                return;
            }
        }
    }

    fn judge(&mut self, outcome: Outcome, now_ns: u64) {
        match outcome {
            Outcome::Success => {
                self.stats.succeeded += 1;
                self.succeed(now_ns);
            }
            Outcome::Failure => {
                self.stats.failed += 1;
                self.fail(now_ns);
            }
            Outcome::Ignored => {
                self.stats.ignored += 1;
                if let State::HalfOpen { granted, .. } = &mut self.state {
                    *granted -= 1;
                }
            }
        }
    }

    fn succeed(&mut self, now_ns: u64) {
        match &mut self.state {
            State::Closed => self.remember(false, now_ns),
            State::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                if *succeeded == self.options.probes {
                    self.close();
                }
            }
            // Permits of an open breaker are of earlier generations, and never come here.
            State::Open { .. } => {}
        }
    }

    fn fail(&mut self, now_ns: u64) {
        match self.state {
            State::Closed => self.remember(true, now_ns),
            State::HalfOpen { .. } => self.open(now_ns),
            // Permits of an open breaker are of earlier generations, and never come here.
            State::Open { .. } => {}
        }
    }

    fn remember(&mut self, failed: bool, now_ns: u64) {
        self.window.push(failed, now_ns);
        let (calls, failures) = self.window.tally();
        let enough = calls >= self.options.minimum_calls as usize;
        if enough && failures * 100 >= calls * self.options.failure_percent as usize {
            self.open(now_ns);
        }
    }

    /// What time alone changes.
    fn turn(&mut self, now_ns: u64) {
        match self.state {
            State::Open { until_ns } if now_ns >= until_ns => {
                self.state = State::HalfOpen {
                    until_ns: now_ns.saturating_add(self.open_ns),
                    granted: 0,
                    succeeded: 0,
                };
            }
            // Probes that do not return, and leave no mark, must not keep it half open for ever.
            State::HalfOpen {
                until_ns, granted, ..
            } if now_ns >= until_ns && granted == self.options.probes => self.open(now_ns),
            _ => {}
        }
    }

    fn open(&mut self, now_ns: u64) {
        let until_ns = now_ns.saturating_add(self.open_ns);
        self.state = State::Open { until_ns };
        self.stats.opened += 1;
        self.begin_anew();
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.stats.closed += 1;
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        self.window.clear();
        self.marks.advance();
    }
}

fn refusal(until_ns: u64, now_ns: u64, reason: OpenReason) -> Open {
    Open {
        retry_after_ns: until_ns.saturating_sub(now_ns).max(1),
        reason,
    }
}
