//! The runtime's clock: monotonic and wall time, real or virtual, read once per task and otherwise cached.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) struct Clock {
    source: Source,
    now_ns: Cell<u64>,
    /// Wall time and the monotonic time at which it was read.
    unix_ms: Cell<u64>,
    unix_read_ns: Cell<u64>,
}

enum Source {
    Real(Instant),
    Sim(Rc<Cell<u64>>),
}

/// The wall time at which virtual time is 0: some day in 2025.
const SIM_UNIX_MS: u64 = 1_750_000_000_000;

/// How long a wall time that was read once is good for.
const UNIX_FRESH_NS: u64 = 200_000;

impl Clock {
    pub(crate) fn real() -> Self {
        Self::of(Source::Real(epoch()))
    }

    /// A clock that shows the virtual time in `now_ns`.
    pub(crate) fn simulated(now_ns: Rc<Cell<u64>>) -> Self {
        Self::of(Source::Sim(now_ns))
    }

    fn of(source: Source) -> Self {
        let clock = Clock {
            source,
            now_ns: Cell::new(0),
            unix_ms: Cell::new(0),
            unix_read_ns: Cell::new(0),
        };
        clock.refresh();
        clock
    }

    /// The time as of the last refresh.
    pub(crate) fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }

    /// Reads the clock.
    pub(crate) fn refresh(&self) -> u64 {
        let now = self.read();
        self.now_ns.set(now);
        now
    }

    /// Reads the clock and keeps the cached time as it is.
    pub(crate) fn read(&self) -> u64 {
        match &self.source {
            Source::Real(epoch) => epoch.elapsed().as_nanos() as u64,
            Source::Sim(now_ns) => now_ns.get(),
        }
    }

    pub(crate) fn unix_ms(&self) -> u64 {
        let now = self.now_ns();
        if self.unix_ms.get() == 0 || now - self.unix_read_ns.get() > UNIX_FRESH_NS {
            self.unix_read_ns.set(now);
            self.unix_ms.set(match &self.source {
                Source::Real(_) => system_unix().as_millis() as u64,
                Source::Sim(_) => SIM_UNIX_MS + now / 1_000_000,
            });
        }
        self.unix_ms.get()
    }

    /// Wall time in microseconds, read now.
    pub(crate) fn read_unix_us(&self) -> u64 {
        match &self.source {
            Source::Real(_) => system_unix().as_micros() as u64,
            Source::Sim(now_ns) => SIM_UNIX_MS * 1_000 + now_ns.get() / 1_000,
        }
    }
}

/// One zero for all runtimes of the process, so that their times compare. Not the moment of the call: a
/// time of 0 would be mistaken for "never".
fn epoch() -> Instant {
    static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *EPOCH.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(Duration::from_secs(1)).unwrap_or(now)
    })
}

fn system_unix() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
