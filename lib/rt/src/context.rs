//! A runtime's insides, and which of them the calling thread is in. The free functions of this crate
//! (`spawn`, `sleep`, …) act on that one.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use crate::bell::Doorbell;
use crate::clock::Clock;
use crate::exec::{Exec, Panicked};
use crate::local::Locals;
use crate::options::Backend;
use crate::poller::Poller;
use crate::real::RealDriver;
use crate::sim::SimPort;
use crate::stall::Pulse;
use crate::stats::{Counters, Stats, StatsReader};
use crate::timers::Timers;
use crate::turn::Pace;

/// Everything that one runtime owns.
pub(crate) struct Core {
    pub(crate) shard: u16,
    pub(crate) name: String,
    pub(crate) exec: Arc<Exec>,
    pub(crate) driver: Driver,
    pub(crate) clock: Clock,
    pub(crate) timers: Timers,
    pub(crate) random: RefCell<fastrand::Rng>,
    pub(crate) locals: Locals,
    pub(crate) pollers: RefCell<Vec<Box<dyn Poller>>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) first_panic: RefCell<Option<Panicked>>,
    pub(crate) pace: Pace,
    pub(crate) pulse: Arc<Pulse>,
    /// Dropped connections whose last bytes are still on their way, and listeners that hand over what they took.
    pub(crate) lingering: Cell<u32>,
}

/// The seam between real and simulated.
pub(crate) enum Driver {
    Real(Rc<RealDriver>),
    Sim(SimPort),
}

impl Core {
    pub(crate) fn backend(&self) -> Backend {
        match &self.driver {
            Driver::Real(driver) => driver.backend(),
            Driver::Sim(_) => Backend::Sim,
        }
    }

    pub(crate) fn doorbell(&self) -> Doorbell {
        Doorbell {
            bell: self.exec.bell.clone(),
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
    /// The same runtime's executor, for comparison only.
    static CURRENT_EXEC: Cell<*const Exec> = const { Cell::new(ptr::null()) };
}

/// Makes `core` the thread's current runtime until dropped; what was current before comes back.
pub(crate) struct Entered {
    before: Option<Rc<Core>>,
}

impl Entered {
    pub(crate) fn new(core: &Rc<Core>) -> Self {
        Entered {
            before: swap(Some(core.clone())),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        swap(self.before.take());
    }
}

fn swap(core: Option<Rc<Core>>) -> Option<Rc<Core>> {
    CURRENT_EXEC.set(
        core.as_ref()
            .map_or(ptr::null(), |core| Arc::as_ptr(&core.exec)),
    );
    CURRENT.with(|current| current.replace(core))
}

/// Whether the thread is in some other runtime than the one of `exec`.
pub(crate) fn is_foreign(exec: &Exec) -> bool {
    CURRENT_EXEC
        .try_with(|current| !current.get().is_null() && !ptr::eq(current.get(), exec))
        .unwrap_or(true)
}

/// Acts on the thread's current runtime.
///
/// # Panics
///
/// Outside a runtime.
pub(crate) fn with<R>(f: impl FnOnce(&Rc<Core>) -> R) -> R {
    CURRENT.with(|current| {
        f(current.borrow().as_ref().expect(
            "not inside a corelane runtime: call this from a task or from within Runtime::block_on",
        ))
    })
}

/// Acts on the thread's current runtime, if there is one.
pub(crate) fn try_with<R>(f: impl FnOnce(&Rc<Core>) -> R) -> Option<R> {
    CURRENT
        .try_with(|current| current.borrow().as_ref().map(f))
        .ok()
        .flatten()
}

/// The thread's current runtime, if there is one.
pub(crate) fn current() -> Option<Rc<Core>> {
    try_with(Rc::clone)
}

/// Whether the calling thread is inside a runtime at this moment.
pub fn is_inside() -> bool {
    current().is_some()
}

/// The number of the shard that the current runtime serves.
///
/// # Panics
///
/// Outside a runtime.
pub fn shard() -> u16 {
    with(|core| core.shard)
}

/// What the current runtime runs on.
///
/// # Panics
///
/// Outside a runtime.
pub fn backend() -> Backend {
    with(|core| core.backend())
}

/// A handle by which any thread wakes the current runtime.
///
/// # Panics
///
/// Outside a runtime.
pub fn doorbell() -> Doorbell {
    with(|core| core.doorbell())
}

/// The current runtime's counters.
///
/// # Panics
///
/// Outside a runtime.
pub fn stats() -> Stats {
    with(|core| core.counters.snapshot())
}

/// Reads the current runtime's counters from any other thread.
///
/// # Panics
///
/// Outside a runtime.
pub fn stats_reader() -> StatsReader {
    with(|core| StatsReader::new(&core.counters))
}

/// Lets `poller` take part in the current runtime's loop, until the runtime ends.
///
/// # Panics
///
/// Outside a runtime, and from within a poller.
pub fn add_poller(poller: Box<dyn Poller>) {
    with(|core| core.pollers.borrow_mut().push(poller));
}
