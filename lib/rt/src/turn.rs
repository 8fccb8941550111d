//! One turn of the loop: ready tasks, pollers, timers, the driver; and how it decides to spin or to sleep.

use std::cell::Cell;
use std::time::Duration;

use crate::context::{Core, Driver};
use crate::exec::{Meta, QUANTUM_NS};
use crate::options::RuntimeOptions;
use crate::stall;
use crate::stats::{bump, bump_by};

/// Task polls in one turn, which ends early after [`QUANTUM_NS`], so that pollers, timers and the driver never wait
/// long.
const TASKS_PER_TURN: u32 = 256;

/// In a simulated world no time passes while a task runs: there, one in so many questions whether it should yield is
/// answered with yes.
const SIM_PREEMPT_ONE_IN: u32 = 8;

/// A loop that is busy without submitting anything (shards talking to each other) still enters the kernel
/// this often, so that its sockets are heard.
const ENTER_EVERY_NS: u64 = 5_000;

/// Stalls are all counted, and logged at most this often.
const STALL_LOG_EVERY_NS: u64 = 1_000_000_000;

/// Rounds of a spin between two looks at the clock.
const SPIN_ROUNDS: u32 = 8;

/// Looks at the driver at the end of a runtime: one submits the cancellations, the next finds what they ended.
const LAST_ROUNDS: u32 = 2;

/// The shortest spin that is still tried after spins without luck.
const SPIN_MIN_NS: u64 = 1_000;

/// How a loop divides its time.
pub(crate) struct Pace {
    /// A task poll this long is a stall.
    stall_ns: u64,
    /// When a stall was last logged.
    stall_logged_ns: Cell<u64>,
    /// The longest spin, and the one that is allowed now.
    spin_max_ns: u64,
    spin_ns: Cell<u64>,
    /// When the kernel was last entered.
    driven_ns: Cell<u64>,
    /// When the running task should let others run.
    preempt_ns: Cell<u64>,
}

impl Pace {
    pub(crate) fn new(options: &RuntimeOptions) -> Self {
        let spin_max_ns = u64::from(options.spin_us) * 1000;
        Pace {
            stall_ns: options
                .stall_ms
                .map_or(u64::MAX, |ms| ms.saturating_mul(1_000_000)),
            stall_logged_ns: Cell::new(0),
            spin_max_ns,
            spin_ns: Cell::new(spin_max_ns),
            driven_ns: Cell::new(0),
            preempt_ns: Cell::new(0),
        }
    }

    /// For a world in which computing takes no time.
    pub(crate) fn simulated() -> Self {
        Pace {
            stall_ns: u64::MAX,
            stall_logged_ns: Cell::new(0),
            spin_max_ns: 0,
            spin_ns: Cell::new(0),
            driven_ns: Cell::new(0),
            preempt_ns: Cell::new(0),
        }
    }
}

impl Core {
    /// One turn. It may sleep when there is nothing to do, unless `urgent` says that its caller has work.
    pub(crate) fn turn(&self, urgent: impl Fn() -> bool) {
        self.turn_with(urgent, u64::MAX);
    }

    /// One turn that does not sleep beyond `deadline_ns`.
    pub(crate) fn turn_until(&self, deadline_ns: u64) {
        self.turn_with(|| false, deadline_ns);
    }

    fn turn_with(&self, urgent: impl Fn() -> bool, deadline_ns: u64) {
        bump(&self.counters.turns);
        self.pulse.beat();
        self.take_foreign();
        self.run_ready();
        let worked = self.poll_pollers();
        let fired = self.timers.fire(self.clock.now_ns());
        let ready = || self.exec.has_ready() || urgent();
        if worked || fired > 0 || ready() {
            return self.drive_if_due();
        }
        if self.spin(&ready) {
            return self.drive_if_due();
        }
        self.sleep(&ready, deadline_ns);
    }

    /// Submits what was pushed, without waiting.
    pub(crate) fn submit(&self) {
        match &self.driver {
            Driver::Real(driver) if driver.has_unsubmitted() => driver.flush(),
            Driver::Real(_) | Driver::Sim(_) => {}
        }
    }

    /// Has the kernel end what was just cancelled. Left to the end of the ring, sockets would stay open until the
    /// kernel comes to it in the background: seconds, on a busy machine, in which their peers see no end.
    pub(crate) fn let_go(&self) {
        match &self.driver {
            Driver::Real(driver) if driver.has_unsubmitted() && !std::thread::panicking() => {
                (0..LAST_ROUNDS).for_each(|_| driver.poll(Some(Duration::ZERO)));
            }
            Driver::Real(_) | Driver::Sim(_) => self.submit(),
        }
    }

    fn take_foreign(&self) {
        if self.exec.bell.take_rung() {
            let count = self.exec.take_injected() as u64;
            bump_by(&self.counters.foreign_wakes, count);
        }
    }

    fn run_ready(&self) {
        let began = self.clock.refresh();
        for _ in 0..TASKS_PER_TURN {
            if self.run_one().is_none() || self.clock.now_ns() - began > QUANTUM_NS {
                break;
            }
        }
        self.pulse.rests();
    }

    /// Runs the next ready task, from the time that the clock shows; which one it was.
    pub(crate) fn run_one(&self) -> Option<Meta> {
        let before = self.clock.now_ns();
        let (task, budget_ns) = self.exec.next(before)?;
        let meta = *task.metadata();
        self.pace.preempt_ns.set(before + budget_ns);
        self.pulse.runs(meta.what);
        task.run();
        bump(&self.counters.tasks_run);
        let now = self.clock.refresh();
        let elapsed_ns = now - before;
        self.exec.charge(meta.group, elapsed_ns, now);
        if elapsed_ns >= self.pace.stall_ns {
            self.stalled((meta.what)(), meta.id, elapsed_ns);
        }
        Some(meta)
    }

    /// Whether the running task has run for long enough.
    pub(crate) fn need_preempt(&self) -> bool {
        match &self.driver {
            Driver::Real(_) => self.clock.read() >= self.pace.preempt_ns.get(),
            Driver::Sim(_) => self.random.borrow_mut().u32(..SIM_PREEMPT_ONE_IN) == 0,
        }
    }

    /// What runs now is not a task: it has a whole quantum.
    pub(crate) fn begin_quantum(&self) {
        self.pace.preempt_ns.set(self.clock.now_ns() + QUANTUM_NS);
    }

    pub(crate) fn poll_pollers(&self) -> bool {
        self.begin_quantum();
        let mut worked = false;
        for poller in self.pollers.borrow_mut().iter_mut() {
            self.pulse.runs(poller.what());
            if !poller.poll() {
                continue;
            }
            worked = true;
            let before = self.clock.now_ns();
            let elapsed_ns = self.clock.refresh() - before;
            if elapsed_ns >= self.pace.stall_ns {
                self.stalled(poller.name(), 0, elapsed_ns);
            }
        }
        self.pulse.rests();
        worked
    }

    #[cold]
    fn stalled(&self, name: &'static str, id: u64, elapsed_ns: u64) {
        bump(&self.counters.stalls);
        let now = self.clock.now_ns();
        if now - self.pace.stall_logged_ns.get() < STALL_LOG_EVERY_NS {
            return;
        }
        self.pace.stall_logged_ns.set(now);
        let elapsed_ms = elapsed_ns / 1_000_000;
        tracing::warn!(runtime = %self.name, name, id, elapsed_ms, "held its thread for too long (or the system took the CPU away)");
    }

    /// Enters the kernel, without waiting, if something is to be submitted or it was not heard for a while.
    fn drive_if_due(&self) {
        match &self.driver {
            Driver::Real(driver) => {
                let now = self.clock.now_ns();
                if driver.has_unsubmitted() || now - self.pace.driven_ns.get() >= ENTER_EVERY_NS {
                    self.pace.driven_ns.set(now);
                    driver.poll(Some(Duration::ZERO));
                }
            }
            Driver::Sim(_) => {}
        }
    }

    /// Spins while a poller says that answers are on their way. True: there is work. The time allowed
    /// halves with each spin in vain and doubles with each that paid.
    fn spin(&self, ready: &impl Fn() -> bool) -> bool {
        if self.pace.spin_max_ns == 0 || !self.pollers.borrow().iter().any(|poller| poller.busy()) {
            return false;
        }
        bump(&self.counters.spins);
        let began_ns = self.clock.refresh();
        let end = began_ns + self.pace.spin_ns.get();
        loop {
            for _ in 0..SPIN_ROUNDS {
                if self.poll_pollers() || ready() || self.exec.bell.is_rung() {
                    bump(&self.counters.spin_hits);
                    self.pace
                        .spin_ns
                        .set((self.pace.spin_ns.get() * 2).min(self.pace.spin_max_ns));
                    return true;
                }
                std::hint::spin_loop();
            }
            self.pulse.beat();
            let now_ns = self.clock.refresh();
            if now_ns >= end {
                bump_by(&self.counters.idle_ns, now_ns - began_ns);
                let least = SPIN_MIN_NS.min(self.pace.spin_max_ns);
                self.pace
                    .spin_ns
                    .set((self.pace.spin_ns.get() / 2).max(least));
                return false;
            }
            self.drive_if_due();
        }
    }

    /// Waits for an event, a timer or a ring.
    fn sleep(&self, ready: &impl Fn() -> bool, deadline_ns: u64) {
        let began_ns = self.clock.now_ns();
        let quiet = self.announce_sleep() && !ready();
        match &self.driver {
            Driver::Real(driver) => {
                let timeout = if quiet {
                    self.sleep_time(deadline_ns)
                } else {
                    Some(Duration::ZERO)
                };
                if timeout != Some(Duration::ZERO) {
                    bump(&self.counters.sleeps);
                }
                driver.poll(timeout);
                stall::wake();
            }
            Driver::Sim(_) => {}
        }
        self.end_sleep();
        let now_ns = self.clock.refresh();
        bump_by(&self.counters.idle_ns, now_ns - began_ns);
        self.pace.driven_ns.set(now_ns);
        // So short a sleep was mostly its own wake-up: a full spin would have met what ended it.
        if now_ns - began_ns <= 2 * self.pace.spin_max_ns {
            self.pace.spin_ns.set(self.pace.spin_max_ns);
        }
    }

    /// Tells everybody that this runtime is about to sleep, and checks once more whether it may.
    /// [`Core::end_sleep`] must follow.
    pub(crate) fn announce_sleep(&self) -> bool {
        self.pollers
            .borrow_mut()
            .iter_mut()
            .all(|poller| poller.prepare_sleep())
            && self.exec.bell.announce_sleep()
            && !self.exec.has_ready()
    }

    pub(crate) fn end_sleep(&self) {
        self.exec.bell.awake();
        for poller in self.pollers.borrow_mut().iter_mut() {
            poller.awake();
        }
    }

    /// How long it may sleep; `None` is for ever.
    fn sleep_time(&self, deadline_ns: u64) -> Option<Duration> {
        let next_ns = self.timers.next_ns().min(deadline_ns);
        (next_ns != u64::MAX)
            .then(|| Duration::from_nanos(next_ns.saturating_sub(self.clock.refresh())))
    }
}
