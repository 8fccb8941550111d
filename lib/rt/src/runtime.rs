//! The runtime of one thread: how it starts, and the loop.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::affinity::{self, Pin};
use crate::bell::{Bell, Doorbell};
use crate::clock::Clock;
use crate::context::{Core, Driver, Entered};
use crate::exec::Exec;
use crate::local::Locals;
use crate::options::{Backend, RuntimeOptions};
use crate::real::RealDriver;
use crate::stall::{self, Pulse, Watched, name_of};
use crate::stats::{Counters, Stats};
use crate::timers::Timers;
use crate::turn::Pace;

/// One thread's runtime. It belongs to the thread that made it; dropping it drops every task on it.
pub struct Runtime {
    core: Rc<Core>,
    _pin: Option<Pin>,
    _watched: Option<Watched>,
}

impl Runtime {
    /// Builds a runtime for the calling thread, and pins the thread to `options.cpu` until it is dropped.
    ///
    /// # Errors
    ///
    /// The driver cannot be set up (`IoBackend::Uring` where it is denied, out of descriptors or lockable
    /// memory), or the CPU is not one this process may use.
    pub fn new(options: &RuntimeOptions) -> io::Result<Self> {
        let pin = options.cpu.map(Pin::to).transpose()?;
        if let Some(nice) = options.nice
            && let Err(error) = affinity::add_nice(nice)
        {
            tracing::warn!(runtime = %options.name, nice, %error, "the system refuses this niceness; the thread keeps its own");
        }
        let counters = Arc::new(Counters::default());
        let driver = Rc::new(RealDriver::new(options, counters.clone())?);
        let bell = Arc::new(Bell::new(driver.waker()));
        let core = Core {
            shard: options.shard,
            name: options.name.clone(),
            exec: Exec::new(bell, None),
            driver: Driver::Real(driver),
            clock: Clock::real(),
            timers: Timers::default(),
            random: RefCell::new(generator(options)),
            locals: Locals::default(),
            pollers: RefCell::new(Vec::new()),
            counters,
            first_panic: RefCell::new(None),
            pace: Pace::new(options),
            pulse: Arc::new(Pulse::new()),
            lingering: Cell::new(0),
        };
        let watched = options
            .stall_ms
            .map(|stall_ms| stall::watch(&core.pulse, &core.name, core.shard, stall_ms));
        Ok(Runtime {
            core: Rc::new(core),
            _pin: pin,
            _watched: watched,
        })
    }

    /// Runs `future` and the runtime's tasks until `future` is done. Tasks that are left go on in the next
    /// call.
    ///
    /// # Panics
    ///
    /// Inside another `block_on`; if `future` panics; if the kernel refuses to wait for events.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        assert!(
            crate::context::current().is_none(),
            "block_on inside a runtime would never let it go on: await the future instead"
        );
        let _entered = Entered::new(&self.core);
        let here = 0_u8;
        self.core.pulse.set_stack_top((&raw const here).addr());
        let mut future = pin!(future);
        let main = Arc::new(MainWaker {
            exec: self.core.exec.clone(),
            woken: AtomicBool::new(true),
        });
        let waker = Waker::from(main.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            if main.woken.swap(false, Ordering::AcqRel) {
                self.core.begin_quantum();
                self.core.pulse.runs(name_of::<F>());
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    self.core.pulse.rests();
                    self.core.submit();
                    return output;
                }
                self.core.pulse.rests();
            }
            self.core.turn(|| main.woken.load(Ordering::Acquire));
        }
    }

    /// What it runs on.
    pub fn backend(&self) -> Backend {
        self.core.backend()
    }

    /// A handle by which any thread wakes it.
    pub fn doorbell(&self) -> Doorbell {
        self.core.doorbell()
    }

    /// Its counters.
    pub fn stats(&self) -> Stats {
        self.core.counters.snapshot()
    }
}

/// Shards of one seed have different numbers, and each the same with every start.
fn generator(options: &RuntimeOptions) -> fastrand::Rng {
    match options.seed {
        Some(seed) => fastrand::Rng::with_seed(seed.wrapping_add(u64::from(options.shard) << 48)),
        None => fastrand::Rng::new(),
    }
}

/// How long the end of a runtime waits for the last bytes of connections dropped before.
const LAST_LINGER: Duration = Duration::from_millis(200);

impl Drop for Runtime {
    fn drop(&mut self) {
        let _entered = Entered::new(&self.core);
        let deadline_ns = self.core.clock.refresh() + LAST_LINGER.as_nanos() as u64;
        while self.core.lingering.get() > 0 && self.core.clock.refresh() < deadline_ns {
            self.core.turn_until(deadline_ns);
        }
        self.core.pollers.borrow_mut().clear();
        self.core.exec.close();
        self.core.locals.close();
        self.core.let_go();
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("name", &self.core.name)
            .field("backend", &self.backend())
            .finish()
    }
}

/// Wakes the future that `block_on` runs.
struct MainWaker {
    exec: Arc<Exec>,
    woken: AtomicBool,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        if !self.exec.is_home() {
            self.exec.bell.ring();
        }
    }
}
