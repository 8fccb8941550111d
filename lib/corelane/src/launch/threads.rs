//! A node on real threads: one per shard, started together or not at all.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use corelane_rt::{Runtime, RuntimeOptions};

use super::error::LaunchError;
use super::gate::Gate;
use super::join_set::JoinSet;
use super::options::{LaunchOptions, thread_name};
use super::running::Running;
use crate::mesh::{Ends, wire};
use crate::node::Node;
use crate::outside::Outside;
use crate::shard::{self, Blueprint, Recipe};
use crate::{Mesh, Service, ShardId, panics};

/// How long a failed launch waits for the other shards to leave before it returns without them.
const ABORT_PATIENCE: Duration = Duration::from_secs(5);

/// Starts a node: one thread per shard, named `shard-0` and so on, and pinned where asked.
///
/// Each shard builds its runtime and runs `init` for its state. When all have, all run `main`;
/// when one fails, all leave and the error names it. A shard serves its peers from the moment main
/// starts until **all** mains have returned, even after its own has; then all leave together,
/// and tasks that are still running are dropped. So main returns when its shard has nothing more to
/// do: usually after [`Mesh::stopping`] and after the tasks it started.
///
/// A main that returns an error, and a panic in main, in the service or in [`Mesh::with`], end the
/// whole node; [`Running::join`] says which shard and why.
///
/// # Errors
/// [`LaunchError`]: options that make no node, no thread, or a shard that did not start.
pub fn launch<S, I, M>(options: &LaunchOptions, init: I, main: M) -> Result<Running<S>, LaunchError>
where
    S: Service,
    I: AsyncFn(ShardId) -> Result<S, String> + Send + Sync + 'static,
    M: AsyncFn(Mesh<S>) -> Result<(), String> + Send + Sync + 'static,
{
    options.check()?;
    let shards = options.shards.len();
    let recipe = Recipe {
        init: Arc::new(init),
        main: Arc::new(main),
    };
    let node = Node::new(shards, options.first_map()?, options.keeper()?);
    let mut start = Start::new(Outside::new(node));
    for (index, ends) in wire::<S>(shards, options.lane_capacity())
        .into_iter()
        .enumerate()
    {
        let shard = ShardId::at(index);
        let runtime = options.runtime(shard);
        if let Err(source) = start.spawn(shard, runtime, ends, recipe.clone()) {
            start.abort();
            return Err(LaunchError::Thread { shard, source });
        }
    }
    start.finish(options)
}

/// What a shard says when it comes to the gate, or why it does not come.
type Report = (ShardId, Result<(), String>);

/// A node whose shards are starting.
struct Start<S: Service> {
    outside: Arc<Outside<S>>,
    node: Arc<Node>,
    gate: Arc<Gate>,
    threads: JoinSet,
    report: Sender<Report>,
    reports: Receiver<Report>,
}

impl<S: Service> Start<S> {
    fn new(outside: Arc<Outside<S>>) -> Self {
        let (report, reports) = mpsc::channel();
        let node = outside.node().clone();
        Self {
            outside,
            threads: JoinSet::new(node.shards()),
            gate: Arc::default(),
            node,
            report,
            reports,
        }
    }

    fn spawn<B>(
        &mut self,
        shard: ShardId,
        options: RuntimeOptions,
        ends: Ends<S>,
        blueprint: B,
    ) -> io::Result<()>
    where
        B: Blueprint<S> + Send,
    {
        let life = ThreadLife {
            shard,
            outside: self.outside.clone(),
            node: self.node.clone(),
            gate: self.gate.clone(),
            report: self.report.clone(),
        };
        let leaving = self.threads.leaving(shard);
        let thread = thread::Builder::new().name(thread_name(shard));
        let thread = thread.spawn(move || {
            // Dropped last, whatever happens before: the thread has left.
            let _leaving = leaving;
            life.live(&options, ends, Rc::new(blueprint));
        })?;
        self.threads.joined(shard, thread);
        Ok(())
    }

    /// Waits for all shards and lets them run, or for the first that cannot and turns all back.
    fn finish(mut self, options: &LaunchOptions) -> Result<Running<S>, LaunchError> {
        for _ in 0..self.node.shards() {
            // This end holds a sender too, so the channel never ends.
            let (shard, ready) = self.reports.recv().expect("the launcher keeps a sender");
            if let Err(reason) = ready {
                self.abort();
                return Err(LaunchError::Shard { shard, reason });
            }
        }
        self.gate.open();
        Ok(Running::new(
            self.outside,
            self.threads,
            options.wedged_after,
        ))
    }

    /// Turns all shards back and waits for them to leave, though not for ever: one that hangs in its
    /// start leaves when it comes to the gate.
    fn abort(&mut self) {
        self.gate.abort();
        if let Err(shard) = self.threads.wait_all(ABORT_PATIENCE) {
            tracing::error!(
                shard = shard.number(),
                "a shard hangs in its start; it is left behind"
            );
        }
    }
}

/// One shard's thread, from its first line to its last.
struct ThreadLife<S: Service> {
    shard: ShardId,
    outside: Arc<Outside<S>>,
    node: Arc<Node>,
    gate: Arc<Gate>,
    report: Sender<Report>,
}

impl<S: Service> ThreadLife<S> {
    fn live(self, options: &RuntimeOptions, ends: Ends<S>, blueprint: Rc<dyn Blueprint<S>>) {
        let (runtime, service) = match self.prepare(options, &*blueprint) {
            Ok(ready) => ready,
            Err(reason) => return self.say(Err(reason)),
        };
        self.say(Ok(()));
        if !self.gate.pass() {
            return;
        }
        let run = shard::run(self.outside.clone(), self.shard, ends, blueprint, service);
        let lived = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run)));
        // A panic of the runtime itself; those of main and service have been caught nearer.
        if let Err(payload) = lived {
            let panic = panics::text(&*payload);
            self.node
                .fail(self.shard, format!("its runtime panicked: {panic}"));
        }
    }

    /// Builds the runtime and, inside it, the service, unless the shard is to sleep at first.
    fn prepare(
        &self,
        options: &RuntimeOptions,
        blueprint: &dyn Blueprint<S>,
    ) -> Result<(Runtime, Option<S>), String> {
        let prepared = catch_unwind(AssertUnwindSafe(|| {
            let runtime = Runtime::new(options).map_err(|e| format!("no runtime: {e}"))?;
            self.node.install_doorbell(self.shard, runtime.doorbell());
            let serves = self.shard.index() < self.node.started_with();
            let service =
                serves.then(|| runtime.block_on(shard::build(&self.node, blueprint, self.shard)));
            Ok((runtime, service.transpose()?))
        }));
        prepared.unwrap_or_else(|payload| {
            Err(format!("its start panicked: {}", panics::text(&*payload)))
        })
    }

    fn say(&self, ready: Result<(), String>) {
        // After another shard's failure nobody listens any more, and nobody needs to.
        let _ = self.report.send((self.shard, ready));
    }
}
