//! The world: its shards, and the loop that lets one of them run at a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::core::{SimCore, SimPort};
use super::event::Event;
use super::options::WorldOptions;
use super::stuck::{Stuck, StuckReason};
use super::trace::Entry;
use crate::bell::Bell;
use crate::clock::Clock;
use crate::context::{Core, Driver, Entered};
use crate::exec::{Exec, Group, JoinHandle, spawn_on};
use crate::local::Locals;
use crate::stall::Pulse;
use crate::stats::{Counters, Stats, bump_by};
use crate::timers::Timers;
use crate::turn::Pace;

/// A simulated world. Dropping it drops every task in it.
pub struct World {
    core: Rc<SimCore>,
    shards: RefCell<Vec<Rc<Slot>>>,
    foreground: Rc<RefCell<BTreeMap<u64, String>>>,
    spawned: Cell<u64>,
    steps: Cell<u64>,
}

/// One simulated runtime of a [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SimShard(usize);

struct Slot {
    name: String,
    number: u16,
    core: RefCell<Rc<Core>>,
    asleep: Cell<bool>,
    asleep_since_ns: Cell<u64>,
    /// Its doorbell was heard since it last ran.
    heard: Cell<bool>,
    /// It does not run before this point in virtual time.
    paused_until_ns: Cell<u64>,
}

impl World {
    /// A world in which everything that is left open follows from `seed`.
    pub fn new(seed: u64, options: WorldOptions) -> Self {
        World {
            core: SimCore::new(seed, options),
            shards: RefCell::default(),
            foreground: Rc::default(),
            spawned: Cell::new(0),
            steps: Cell::new(0),
        }
    }

    /// Adds a runtime. `number` is what [`shard()`](crate::shard) returns in it; `name` tells it apart in texts.
    /// Clients live on a runtime of their own.
    pub fn shard(&self, number: u16, name: &str) -> SimShard {
        let mut shards = self.shards.borrow_mut();
        shards.push(Rc::new(Slot {
            name: name.to_owned(),
            number,
            core: RefCell::new(self.new_core(number, name)),
            asleep: Cell::new(false),
            asleep_since_ns: Cell::new(0),
            heard: Cell::new(false),
            paused_until_ns: Cell::new(0),
        }));
        SimShard(shards.len() - 1)
    }

    /// Runs `f` inside a shard, as [`block_on`](crate::Runtime::block_on) would start: to spawn its tasks and add
    /// its pollers.
    pub fn enter<R>(&self, shard: SimShard, f: impl FnOnce() -> R) -> R {
        let _entered = Entered::new(&self.core_of(shard));
        f()
    }

    /// Starts a foreground task: [`World::run`] runs until all of them are done. What it spawns itself does
    /// not count.
    pub fn spawn_on<F>(&self, shard: SimShard, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let id = self.spawned.get();
        self.spawned.set(id + 1);
        let name = format!(
            "{}: {} (#{id})",
            self.slot(shard).name,
            std::any::type_name::<F>()
        );
        self.foreground.borrow_mut().insert(id, name);
        let waiting = Foreground {
            id,
            list: self.foreground.clone(),
        };
        let core = self.core_of(shard);
        let _entered = Entered::new(&core);
        spawn_on(&core, Group::Data, async move {
            let _waiting = waiting;
            future.await
        })
    }

    /// Runs `future` as a foreground task until it, and every other foreground task, is done.
    pub fn block_on<F>(&self, shard: SimShard, future: F) -> Result<F::Output, Stuck>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let output = Rc::new(Cell::new(None));
        let put = output.clone();
        drop(self.spawn_on(shard, async move { put.set(Some(future.await)) }));
        self.run()?;
        output.take().ok_or_else(|| {
            let lost = "the future's task ended without a result".to_owned();
            self.stuck(StuckReason::Panic(lost))
        })
    }

    /// Runs until every foreground task is done.
    pub fn run(&self) -> Result<(), Stuck> {
        self.run_while(|world| !world.foreground.borrow().is_empty())
    }

    /// Runs for `duration` of virtual time, whatever is done or not.
    pub fn run_for(&self, duration: Duration) -> Result<(), Stuck> {
        let end = self.now_ns() + duration.as_nanos() as u64;
        match self.run_while(|world| world.now_ns() < end) {
            Err(Stuck {
                reason: StuckReason::Deadlock,
                ..
            }) => {
                self.core.now_ns.set(end.max(self.now_ns()));
                Ok(())
            }
            ended => ended,
        }
    }

    pub(crate) fn core(&self) -> &Rc<SimCore> {
        &self.core
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.core.seed
    }

    /// Virtual time.
    pub fn now_ns(&self) -> u64 {
        self.core.now()
    }

    /// A hash over everything that happened so far: which task ran when, and what every socket carried.
    pub fn trace_hash(&self) -> u64 {
        self.core.trace_hash()
    }

    /// Connections that somebody holds an end of.
    pub fn connections(&self) -> usize {
        self.core.close_orphans();
        self.core.connections()
    }

    /// Sockets that are listened on, or held to be.
    pub fn listeners(&self) -> usize {
        self.core.close_orphans();
        self.core.listeners()
    }

    /// Tasks of a shard that have not ended.
    pub fn tasks(&self, shard: SimShard) -> usize {
        self.core_of(shard).exec.live()
    }

    /// A shard's counters.
    pub fn stats(&self, shard: SimShard) -> Stats {
        self.core_of(shard).counters.snapshot()
    }

    /// Ends the processes that these shards are: their tasks vanish without a word, their connections close. The
    /// shards stand there afterwards as new, with nothing running on them.
    pub fn crash(&self, shards: &[SimShard]) {
        for &shard in shards {
            let slot = self.slot(shard);
            close(&slot.core.borrow());
            *slot.core.borrow_mut() = self.new_core(slot.number, &slot.name);
            slot.asleep.set(false);
            slot.paused_until_ns.set(0);
        }
    }

    /// Lets a shard stand still for `duration` of virtual time, as a thread does whose core runs another: what
    /// comes for it waits. See [`WorldOptions::pauses_per_10k`] for pauses by chance.
    pub fn pause(&self, shard: SimShard, duration: Duration) {
        let until_ns = self.now_ns() + duration.as_nanos() as u64;
        self.slot(shard).paused_until_ns.set(until_ns);
    }

    /// As [`World::crash`], and the disk loses what was not synced: names since their directory's last sync,
    /// and of each file any sectors written since its own.
    pub fn lose_power(&self, shards: &[SimShard]) {
        self.crash(shards);
        let mut rng = self.core.fork_rng();
        self.core.disk.borrow_mut().lose_power(&mut rng);
    }

    fn run_while(&self, go_on: impl Fn(&Self) -> bool) -> Result<(), Stuck> {
        let time_limit_ns = self.now_ns() + self.core.options.time_limit.as_nanos() as u64;
        let step_limit = self.steps.get() + self.core.options.step_limit;
        while go_on(self) {
            self.steps.set(self.steps.get() + 1);
            if !self.step() {
                return Err(self.stuck(StuckReason::Deadlock));
            }
            if let Some(text) = self.panicked() {
                return Err(self.stuck(StuckReason::Panic(text)));
            }
            if self.now_ns() > time_limit_ns {
                return Err(self.stuck(StuckReason::TimeLimit));
            }
            if self.steps.get() > step_limit {
                return Err(self.stuck(StuckReason::StepLimit));
            }
        }
        Ok(())
    }

    /// Lets what is due happen and one shard run. False: nothing is left to happen.
    fn step(&self) -> bool {
        self.forward_rings();
        self.happen();
        let runnable: Vec<Rc<Slot>> = self
            .shards
            .borrow()
            .iter()
            .filter(|slot| slot.is_runnable(self.now_ns()))
            .cloned()
            .collect();
        if runnable.is_empty() {
            return self.jump();
        }
        let slot = &runnable[self.core.below(runnable.len())];
        self.run_shard(slot);
        let passed = self.core.draw(&self.core.options.step_ns);
        self.core.now_ns.set(self.now_ns() + passed);
        self.pause_by_chance(slot);
        true
    }

    fn pause_by_chance(&self, slot: &Slot) {
        let options = &self.core.options;
        // No lot is drawn where nothing pauses: such worlds go on as they always have.
        let chance = options.pauses_per_10k as usize;
        if chance > 0 && self.core.below(10_000) < chance {
            let until_ns = self.now_ns() + self.core.draw(&options.pause_ns);
            slot.paused_until_ns.set(until_ns);
        }
    }

    /// Doorbells that were rung are heard some time later.
    fn forward_rings(&self) {
        for (shard, slot) in self.shards.borrow().iter().enumerate() {
            if slot.core.borrow().exec.bell.take_rung() {
                self.core
                    .add_event_in(&self.core.options.wake_ns, Event::Ring { shard });
            }
        }
    }

    fn happen(&self) {
        self.core.close_orphans();
        while let Some(event) = self.core.pop_event() {
            match event {
                Event::Ring { shard } => {
                    let slot = self.shards.borrow()[shard].clone();
                    slot.core.borrow().exec.take_injected();
                    slot.heard.set(true);
                }
                Event::Connect { attempt } => self.core.connect_event(attempt),
                Event::Datagram { datagram } => self.core.datagram_event(datagram),
                Event::Done { ticket } => self.core.ticket_done(ticket),
                of_a_connection => self.core.conn_event(of_a_connection),
            }
        }
    }

    /// Nobody can run: goes on to the time at which something happens.
    fn jump(&self) -> bool {
        let shards = self.shards.borrow();
        let due = shards.iter().map(|slot| slot.next_ns(self.now_ns())).min();
        let next = due
            .unwrap_or(u64::MAX)
            .min(self.core.next_event_ns().unwrap_or(u64::MAX));
        if next == u64::MAX {
            return false;
        }
        self.core.now_ns.set(next.max(self.now_ns()));
        true
    }

    fn run_shard(&self, slot: &Slot) {
        let core = slot.core.borrow().clone();
        let _entered = Entered::new(&core);
        core.clock.refresh();
        slot.heard.set(false);
        if slot.asleep.replace(false) {
            core.end_sleep();
            let slept_ns = self.now_ns() - slot.asleep_since_ns.get();
            bump_by(&core.counters.idle_ns, slept_ns);
        }
        let tasks = 1 + self
            .core
            .below(self.core.options.tasks_per_step.max(1) as usize);
        for _ in 0..tasks {
            let Some(meta) = core.run_one() else { break };
            self.core.note(Entry::Ran {
                shard: usize::from(core.shard),
                task: meta.id,
            });
        }
        let worked = core.poll_pollers();
        let fired = core.timers.fire(self.now_ns());
        if !worked && fired == 0 && !core.exec.has_ready() {
            if core.announce_sleep() {
                slot.asleep.set(true);
                slot.asleep_since_ns.set(self.now_ns());
            } else {
                core.end_sleep();
            }
        }
    }

    fn panicked(&self) -> Option<String> {
        if !self.core.options.fail_on_panic {
            return None;
        }
        let shards = self.shards.borrow();
        shards.iter().find_map(|slot| {
            let core = slot.core.borrow();
            let first = core.first_panic.borrow();
            first
                .as_ref()
                .map(|panicked| format!("{}: {panicked}", slot.name))
        })
    }

    fn stuck(&self, reason: StuckReason) -> Stuck {
        Stuck {
            seed: self.core.seed,
            at_ns: self.now_ns(),
            reason,
            waiting: self.foreground.borrow().values().cloned().collect(),
            trace: self.core.trace_tail(),
        }
    }

    fn slot(&self, shard: SimShard) -> Rc<Slot> {
        self.shards.borrow()[shard.0].clone()
    }

    fn core_of(&self, shard: SimShard) -> Rc<Core> {
        self.slot(shard).core.borrow().clone()
    }

    fn new_core(&self, number: u16, name: &str) -> Rc<Core> {
        let bell = Arc::new(Bell::new(Waker::noop().clone()));
        let shuffle = self.core.options.shuffle.then(|| self.core.fork_rng());
        Rc::new(Core {
            shard: number,
            name: name.to_owned(),
            exec: Exec::new(bell, shuffle),
            driver: Driver::Sim(SimPort {
                world: self.core.clone(),
            }),
            clock: Clock::simulated(self.core.now_ns.clone()),
            timers: Timers::default(),
            random: RefCell::new(self.core.fork_rng()),
            locals: Locals::default(),
            pollers: RefCell::new(Vec::new()),
            counters: Arc::new(Counters::default()),
            first_panic: RefCell::new(None),
            pace: Pace::simulated(),
            pulse: Arc::new(Pulse::new()),
            lingering: Cell::new(0),
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for slot in self.shards.borrow().iter() {
            close(&slot.core.borrow());
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.core.seed)
            .field("now_ns", &self.now_ns())
            .finish()
    }
}

impl Slot {
    fn is_runnable(&self, now_ns: u64) -> bool {
        self.paused_until_ns.get() <= now_ns
            && (self.has_work() || self.core.borrow().timers.next_ns() <= now_ns)
    }

    fn has_work(&self) -> bool {
        !self.asleep.get() || self.heard.get() || self.core.borrow().exec.has_ready()
    }

    /// When it can run next, for a shard that cannot run now: at its next timer, or when its pause ends.
    fn next_ns(&self, now_ns: u64) -> u64 {
        let timer_ns = self.core.borrow().timers.next_ns();
        let paused_until_ns = self.paused_until_ns.get();
        match paused_until_ns > now_ns {
            true if self.has_work() => paused_until_ns,
            true => timer_ns.max(paused_until_ns),
            false => timer_ns,
        }
    }
}

fn close(core: &Rc<Core>) {
    let _entered = Entered::new(core);
    core.pollers.borrow_mut().clear();
    core.exec.close();
    core.locals.close();
}

/// A foreground task's entry in the list of those that `run` waits for.
struct Foreground {
    id: u64,
    list: Rc<RefCell<BTreeMap<u64, String>>>,
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.list.borrow_mut().remove(&self.id);
    }
}
