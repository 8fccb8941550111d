//! One shard's state, and how it answers.

use std::sync::Arc;
use std::time::Duration;

use corelane::{Cx, Handoff, MeshGauge, Service, ShardId};
use corelane_settings::Settings;
use corelane_store::commands::steps::{Answer, Step};
use corelane_store::keyspace::Partition;
use corelane_store::{Command, Data, Effects, Exec, Keyspace, Outcome, Touched};
use corelane_wire::Args;
use corelane_wire::spec::Flags;

use crate::background::Background;
use crate::batch::Call;
use crate::change::Pairs;
use crate::clients::{Awake, ClientSweep, Clients};
use crate::cross_protocol;
use crate::memory::{NodeMemory, PeakMemory};
use crate::node::NodeRef;
use crate::quiet::Quiet;
use crate::rates::{Counts, Sampler};
use crate::report::ShardReport;
use crate::request::{Control, Reply, Request, Run};
use crate::room::{self, SharedRoom, TooLarge};
use crate::routing::{Gauge, Loads};
use crate::rules::Rules;
use crate::seed::{Life, ShardSeed};
use crate::stats::{Stats, TIMED_ONE_IN};
use crate::tls::{Made, Secured};

/// Everything one shard owns.
#[derive(Debug)]
pub struct Shard {
    pub(crate) id: ShardId,
    pub(crate) space: Keyspace,
    pub(crate) stats: Stats,
    /// How fast some of them have grown lately.
    pub(crate) sampler: Sampler,
    pub(crate) clients: Clients,
    pub(crate) rules: Rules,
    /// What TLS connections are accepted with.
    pub(crate) tls: Secured,
    /// Of handshakes that fail.
    pub(crate) tls_quiet: Quiet,
    /// Of connections without their load balancer's header.
    pub(crate) proxy_quiet: Quiet,
    /// Of clients that speak HTTP.
    pub(crate) cross_protocol_quiet: Quiet<{ cross_protocol::TELL_EVERY_MS }>,
    pub(crate) background: Background,
    /// Counters of this shard's side of the mesh, once it is there.
    pub(crate) mesh: Option<MeshGauge>,
    pub(crate) memory: NodeMemory,
    pub(crate) peak: PeakMemory,
    pub(crate) loads: Loads,
    /// What trips and moves cost.
    pub(crate) gauge: Gauge,
    pub(crate) sweep: ClientSweep,
    pub(crate) awake: Awake,
    /// The node as this shard sees it, for connections that arrive.
    pub(crate) home: NodeRef,
    /// Whether it has ever given a partition away, or was not there when all were dealt out: else it holds whatever
    /// it is asked for.
    pub(crate) has_shed: bool,
    pub(crate) effects: Effects,
    pub(crate) touched: Touched,
    rng: fastrand::Rng,
    /// What its next life goes on from.
    life: Life,
}

impl Shard {
    /// An empty shard: in its first life it holds the partitions that the node's first map gives it; one that a
    /// resize wakes is given its partitions one by one.
    pub fn new(id: ShardId, seed: &ShardSeed, random: u64) -> Self {
        let (life, is_first) = seed.begin_life(id);
        let databases = seed.settings.keyspace().databases;
        let dealt = is_first && id.index() < seed.map.shards();
        let space = Keyspace::holding(databases, seed.hash_seed, |partition| {
            dealt && seed.map.owner(partition) == id
        });
        Self {
            id,
            space,
            stats: Stats::new(seed.commands),
            sampler: Sampler::default(),
            clients: Clients::going_on(id, life.next_client()),
            rules: Rules::of(Arc::clone(&seed.settings)),
            tls: Secured::first(seed.tls.clone()),
            tls_quiet: Quiet::default(),
            proxy_quiet: Quiet::default(),
            cross_protocol_quiet: Quiet::default(),
            background: Background::default(),
            mesh: None,
            memory: NodeMemory::new(seed.max_shards()),
            peak: PeakMemory::default(),
            loads: Loads::new(id, seed.max_shards()),
            gauge: Gauge::default(),
            sweep: ClientSweep::default(),
            awake: Awake::default(),
            home: NodeRef::default(),
            has_shed: !dealt,
            effects: Effects::default(),
            touched: Touched::default(),
            rng: fastrand::Rng::with_seed(random),
            life,
        }
    }

    /// Runs a command to its end and appends its reply, or its part of the one that has `room` together.
    ///
    /// # Errors
    /// The reply would be too long; there is none.
    pub(crate) fn execute(
        &mut self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        out: &mut Vec<u8>,
        room: Option<&SharedRoom>,
    ) -> Result<(), TooLarge> {
        let start = out.len();
        let misses_before = self.touched.misses();
        let calls = self.stats.command(call.id);
        calls.calls += 1;
        let timed = calls.calls % TIMED_ONE_IN == 1;
        let began_ns = if timed {
            corelane::time::refresh_ns()
        } else {
            0
        };
        let mut outcome = self.slice(command, call, args, (out, start), room, None);
        while let Ok(Outcome::More(rest)) = outcome {
            outcome = self.slice(command, call, args, (out, start), room, Some(rest));
        }
        self.count_lookups(command, args, misses_before);
        self.stats.commands_processed += 1;
        if timed {
            let took_ns = corelane::time::refresh_ns().saturating_sub(began_ns);
            let calls = self.stats.command(call.id);
            calls.timed += 1;
            calls.timed_ns += took_ns;
        }
        if out.get(start) == Some(&b'-') {
            self.stats.command(call.id).failed += 1;
            self.stats.count_error(&out[start..]);
        }
        outcome.map(drop)
    }

    /// The same for who sees no keys: the client of a shard that sleeps.
    pub(crate) fn execute_without_keys(
        &mut self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), TooLarge> {
        let none = Keyspace::holding(self.space.databases(), 0, |_| false);
        let held = std::mem::replace(&mut self.space, none);
        let ran = self.execute(command, call, args, out, None);
        self.space = held;
        ran
    }

    /// Counts hits and misses of commands that read keys.
    fn count_lookups(&mut self, command: &Command, args: Args<'_>, misses_before: u64) {
        if !command.spec.flags.has(Flags::READONLY) || command.spec.keys.is_empty() {
            return;
        }
        let keys = if command.split.by_key() {
            args.len() as u64 - 1
        } else {
            1
        };
        let misses = (self.touched.misses() - misses_before).min(keys);
        self.stats.keyspace_misses += misses;
        self.stats.keyspace_hits += keys - misses;
    }

    /// One run of a command's handler, for a reply that begins at `start`. A reply that would be too long is taken back.
    fn slice(
        &mut self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        (out, start): (&mut Vec<u8>, usize),
        room: Option<&SharedRoom>,
        rest: Option<corelane_store::Continuation>,
    ) -> Result<Outcome, TooLarge> {
        self.effects.clear();
        self.touched.clear();
        let mut exec = Exec {
            data: Data {
                space: &mut self.space,
                effects: &mut self.effects,
                touched: &mut self.touched,
                now_ms: corelane::time::unix_ms(),
                db: call.db,
                first_slot: call.slot,
            },
            reply: room::writer(out, call.proto, start, self.rules.max_reply_bytes, room),
            rng: &mut self.rng,
            limits: &self.rules.store,
        };
        let outcome = match rest {
            None => exec.run(command, args),
            Some(rest) => rest.resume(&mut exec, args),
        };
        if exec.reply.is_cut() {
            exec.reply.rewind(start);
            return Err(TooLarge);
        }
        Ok(outcome)
    }

    /// One slice of a command that may need several, for callers that let others in between.
    fn run(&mut self, mut run: Box<Run>) -> Box<Run> {
        let rest = run.rest.take();
        let mut output = std::mem::take(&mut run.output);
        let (args, room) = (run.args.args(), run.room.as_deref());
        let outcome = self.slice(run.command, &run.call, args, (&mut output, 0), room, rest);
        run.output = output;
        run.keys = self.space.len(run.call.db);
        match outcome {
            Ok(Outcome::Done) => {}
            Ok(Outcome::More(rest)) => run.rest = Some(rest),
            Err(TooLarge) => run.is_too_large = true,
        }
        run
    }

    /// Steps of a command that spans shards.
    fn steps(&mut self, steps: Vec<Step>) -> Vec<Answer> {
        self.effects.clear();
        self.touched.clear();
        let mut data = Data {
            space: &mut self.space,
            effects: &mut self.effects,
            touched: &mut self.touched,
            now_ms: corelane::time::unix_ms(),
            db: 0,
            first_slot: None,
        };
        steps
            .into_iter()
            .map(|step| step.run(&mut data, &self.rules.store))
            .collect()
    }

    /// Takes over new settings, unless newer ones have come first.
    pub(crate) fn apply(&mut self, settings: Arc<Settings>) {
        if settings.epoch() >= self.rules.settings.epoch() {
            self.rules = Rules::of(settings);
            self.share_memory();
        }
    }

    /// This shard's part of `maxmemory`: what the others leave of it.
    pub(crate) fn share_memory(&mut self) {
        self.rules.store.max_memory_bytes = self
            .memory
            .share_bytes(self.rules.max_memory_bytes, self.id);
    }
}

impl Service for Shard {
    /// The background task paces itself; an idle shard is left to rest.
    const TICK: Duration = Duration::from_secs(1);

    type Request = Request;
    type Reply = Reply;
    type Control = Control;

    fn handle(&mut self, request: Request, _cx: &Cx<'_, Self>) -> corelane::Outcome<Self> {
        self.background.rouse();
        let reply = match request {
            Request::Batch(mut batch) => {
                batch.execute(self);
                Reply::Batch(batch)
            }
            Request::Run(run) => Reply::Ran(self.run(run)),
            Request::Steps(steps) => Reply::Answers(self.steps(steps)),
            Request::Report => Reply::Report(Box::new(ShardReport::of(self))),
            Request::Census(census) => Reply::Counted(Box::new(self.census(&census))),
            Request::Welcome(traveller) => return self.welcome(traveller),
            Request::SpreadClients { before, shards } => {
                self.spread_clients(before, shards);
                Reply::Done
            }
            Request::ResetStats => {
                self.stats = Stats::new(self.stats.commands.len());
                self.stats.expired_before = self.space.expired_total();
                self.sampler = Sampler::default();
                Reply::Done
            }
            Request::ActiveExpire(on) => {
                self.background.expire = on;
                Reply::Done
            }
            Request::Secure(secured) => {
                self.tls.renew(secured);
                Reply::Done
            }
            Request::TellTls => Reply::Tls(self.tls.clone()),
            Request::ReloadTls => {
                if let Some(node) = self.home.upgrade() {
                    corelane::task::spawn(node.reload_tls());
                }
                Reply::Done
            }
            Request::Apply(settings) => {
                self.apply(settings);
                Reply::Done
            }
            Request::Configure { pairs, made } => self.configure(&pairs, made),
            Request::Try(pairs) => Reply::Configured(self.changed(&pairs)),
            Request::Settings => Reply::Configured(Ok(Arc::clone(&self.rules.settings))),
            Request::Inherit(stats) => {
                self.stats.add(&stats);
                self.sampler.inherit(Counts::of(&stats));
                Reply::Done
            }
        };
        corelane::Outcome::Ready(reply)
    }

    fn control(&mut self, control: Control, from: ShardId) {
        match control {
            Control::Memory(used) => {
                self.memory.heard(from, used);
                self.share_memory();
            }
            Control::TellMemory => {
                self.memory.not_told();
                self.loads.not_told();
                self.background.rouse();
            }
            Control::Load(load) => self.loads.heard(from, load),
        }
    }

    /// The shard sleeps, or the node ends.
    fn shutdown(&mut self) {
        self.life.end(self.clients.next());
    }
}

impl Handoff for Shard {
    /// The tables themselves: nothing is copied, whatever they hold.
    type Parcel = Box<Partition>;

    fn hand_over(&mut self, partition: usize) -> Box<Partition> {
        self.has_shed = true;
        self.background.rouse();
        let gone = self.space.detach(partition);
        gone.expect("a shard holds what the map says that it owns")
    }

    fn import(&mut self, partition: usize, parcel: Box<Partition>) {
        self.space.attach(partition, parcel);
        self.background.rouse();
    }
}

impl Shard {
    /// Puts pairs in force here; the caller broadcasts the result.
    fn configure(&mut self, pairs: &Pairs, made: Option<Box<Made>>) -> Reply {
        let changed = match self.changed(pairs) {
            Ok(changed) => changed,
            Err(reason) => return Reply::Configured(Err(reason)),
        };
        if let Some(made) = made {
            if !made.fits(&changed, &self.tls) {
                return Reply::Overtaken;
            }
            self.tls.renew(made.secured());
        }
        self.apply(Arc::clone(&changed));
        Reply::Configured(Ok(changed))
    }

    /// A copy of the settings with the pairs applied.
    fn changed(&self, pairs: &Pairs) -> Result<Arc<Settings>, String> {
        let pairs: Vec<(&[u8], &[u8])> = pairs
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect();
        let mut changed = Settings::clone(&self.rules.settings);
        changed.set(&pairs).map_err(|error| error.to_string())?;
        Ok(Arc::new(changed))
    }
}
