//! The one thread that looks at all runtimes of the process: when it looks, what it takes for a stall, and what becomes
//! of a report. It runs while there is a runtime to look at.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::pulse::Pulse;
use super::report::Stall;
use super::sample::{self, Sample};

/// Reports that are kept; of more, the oldest are dropped.
pub const STALLS_KEPT: usize = 16;

/// The watchdog looks as often as the strictest runtime's `stall_ms` says, but not more often than this.
const LOOK_MIN: Duration = Duration::from_millis(5);

/// After so long without a turn anywhere it sleeps until a runtime wakes.
const IDLE_AFTER: Duration = Duration::from_secs(1);

/// While it sleeps it looks this often, should the wake be lost (which is possible, as it costs the waking runtime
/// nothing but a load).
const IDLE_LOOK: Duration = Duration::from_secs(10);

/// A runtime that stalls again and again is reported this often.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// A stall that goes on is reported again when it has lasted this many times longer.
const REPORT_AGAIN: u32 = 10;

/// The latest stalls of this process, the oldest first.
pub fn recent() -> Vec<Stall> {
    lock().recent.iter().cloned().collect()
}

/// Has the watchdog look at the calling thread's runtime until the result is dropped.
pub(crate) fn watch(pulse: &Arc<Pulse>, name: &str, shard: u16, stall_ms: u64) -> Watched {
    sample::prepare();
    let mut state = lock();
    let id = state.next;
    state.next += 1;
    state.runtimes.push(Runtime {
        id,
        name: name.to_owned(),
        shard,
        tid: rustix::thread::gettid().as_raw_nonzero().get(),
        stall: Duration::from_millis(stall_ms),
        pulse: pulse.clone(),
        turns: 0,
        since: Instant::now(),
        report_at: None,
        reported: None,
    });
    if state.alive {
        CHANGED.notify_one();
    } else {
        let started = thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(run);
        match started {
            Ok(_) => state.alive = true,
            Err(error) => {
                tracing::warn!(%error, "no thread for the watchdog: stalls are reported only when they end")
            }
        }
    }
    Watched { id }
}

/// A runtime that is being looked at.
pub(crate) struct Watched {
    id: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = lock();
        state.runtimes.retain(|runtime| runtime.id != self.id);
        CHANGED.notify_one();
    }
}

/// A runtime has slept and works again. One load, unless the watchdog sleeps.
pub(crate) fn wake() {
    if PARKED.load(Ordering::Relaxed) && PARKED.swap(false, Ordering::Relaxed) {
        CHANGED.notify_one();
    }
}

static STATE: Mutex<State> = Mutex::new(State {
    next: 0,
    alive: false,
    runtimes: Vec::new(),
    recent: VecDeque::new(),
});
static CHANGED: Condvar = Condvar::new();
static PARKED: AtomicBool = AtomicBool::new(false);

struct State {
    next: u64,
    /// The watchdog's thread is there.
    alive: bool,
    runtimes: Vec<Runtime>,
    recent: VecDeque<Stall>,
}

/// A runtime as the watchdog sees it.
struct Runtime {
    id: u64,
    name: String,
    shard: u16,
    tid: i32,
    stall: Duration,
    pulse: Arc<Pulse>,
    /// What was seen at the last look, and since when it is so.
    turns: u64,
    since: Instant,
    /// How long this stall is to last before it is reported again.
    report_at: Option<Duration>,
    /// When this runtime was last reported.
    reported: Option<Instant>,
}

fn run() {
    // It may have been started by a pinned thread.
    crate::affinity::unpin();
    let mut moved = Instant::now();
    let mut state = lock();
    loop {
        if state.runtimes.is_empty() {
            state.alive = false;
            return;
        }
        let now = Instant::now();
        let mut stalled = Vec::new();
        for runtime in &mut state.runtimes {
            if runtime.look(now) {
                moved = now;
            }
            stalled.extend(runtime.stalled(now));
        }
        if !stalled.is_empty() {
            // Names take their time: without the lock, which a runtime needs to start and to end.
            drop(state);
            let stalls: Vec<_> = stalled.into_iter().map(Seen::named).collect();
            state = lock();
            state.keep(stalls);
            continue;
        }
        let (again, woken) = pause(state, now.duration_since(moved) > IDLE_AFTER);
        state = again;
        if woken {
            moved = Instant::now();
        }
    }
}

/// Waits for the next look. True: it slept, and a runtime has woken it.
fn pause(state: MutexGuard<'static, State>, idle: bool) -> (MutexGuard<'static, State>, bool) {
    let strictest = state.runtimes.iter().map(|runtime| runtime.stall).min();
    let look = strictest.map_or(LOOK_MIN, |strictest| strictest.max(LOOK_MIN));
    PARKED.store(idle, Ordering::Relaxed);
    let limit = if idle { IDLE_LOOK } else { look };
    let (state, _) = CHANGED
        .wait_timeout(state, limit)
        .unwrap_or_else(PoisonError::into_inner);
    let woken = idle && !PARKED.swap(false, Ordering::Relaxed);
    (state, woken)
}

/// A stall, and where the thread was, without names yet.
struct Seen {
    stall: Stall,
    sample: Option<Sample>,
}

impl Seen {
    /// The report, also to the log.
    fn named(self) -> Stall {
        let frames = self.sample.map(|sample| sample.frames());
        let stall = Stall {
            frames: frames.unwrap_or_default(),
            ..self.stall
        };
        tracing::warn!(shard = stall.shard, "{stall}");
        stall
    }
}

impl Runtime {
    /// True: it has turned since the last look, or is busy with something.
    fn look(&mut self, now: Instant) -> bool {
        let turns = self.pulse.turns();
        let busy = self.pulse.running().is_some();
        let turned = turns != self.turns;
        if turned || !busy {
            self.turns = turns;
            self.since = now;
            self.report_at = Some(self.stall);
        }
        turned || busy
    }

    /// A look at the thread, if a report is due.
    fn stalled(&mut self, now: Instant) -> Option<Seen> {
        let what = self.pulse.running()?;
        let lasted = now.duration_since(self.since);
        let report_at = self.report_at.filter(|&at| at <= lasted)?;
        self.report_at = Some(lasted * REPORT_AGAIN);
        let just_reported = self
            .reported
            .is_some_and(|at| now.duration_since(at) < REPORT_EVERY);
        if report_at == self.stall && just_reported {
            return None;
        }
        self.reported = Some(now);
        let thread = thread_state(self.tid);
        let stall = Stall {
            runtime: self.name.clone(),
            shard: self.shard,
            what: what(),
            lasted,
            thread,
            frames: Vec::new(),
        };
        // With the lock, so that the thread does not leave meanwhile.
        let sample = sample::take(self.tid, self.pulse.stack_top());
        Some(Seen { stall, sample })
    }
}

impl State {
    fn keep(&mut self, stalls: Vec<Stall>) {
        for stall in stalls {
            if self.recent.len() == STALLS_KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back(stall);
        }
    }
}

/// The state of a thread, by `/proc` (proc_pid_stat(5)): the letter after the name, which may hold anything.
fn thread_state(tid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/self/task/{tid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
