//! Restarting services that panicked: carries out what the pure
//! [`Supervisor`](crate::supervision::Supervisor) decides, over all shards of a node.
//!
//! The shard whose service panicked asks the node's supervisor, and a task of it does the rest: it puts down
//! those who fall with it, last to first, waits, and lets them start, first to last. Each such restart has a
//! number; where two overlap, each shard follows the higher one.

use std::ops::Range;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use corelane_rt::task::{self, Group};
use corelane_rt::{local, random, time};

use crate::handle::Here;
use crate::mesh::{Core, Mesh};
use crate::supervision::{Supervision, SupervisionError, Supervisor, Verdict};
use crate::{Service, ShardId, WhileDown, shard};

/// A node's supervisor, as its shards share it.
pub(crate) struct Keeper {
    judge: Mutex<Judge>,
    rules: Supervision,
    while_down: WhileDown,
}

struct Judge {
    supervisor: Supervisor,
    /// Restarts ordered so far: the number of the latest.
    epoch: u64,
}

impl Keeper {
    pub(crate) fn new(
        rules: Supervision,
        shards: usize,
        while_down: WhileDown,
    ) -> Result<Self, SupervisionError> {
        let supervisor = Supervisor::new(rules, shards)?;
        Ok(Self {
            judge: Mutex::new(Judge {
                supervisor,
                epoch: 0,
            }),
            rules,
            while_down,
        })
    }

    /// Whether requests wait for a shard that restarts.
    pub(crate) fn holds_requests(&self) -> bool {
        self.while_down == WhileDown::Wait
    }

    fn on_failure(&self, shard: ShardId) -> (Verdict, u64) {
        let (now_ns, random) = (time::refresh_ns(), random::next_u64());
        let mut judge = self.judge();
        let verdict = judge.supervisor.on_failure(shard.index(), now_ns, random);
        judge.epoch += u64::from(matches!(verdict, Verdict::Restart { .. }));
        (verdict, judge.epoch)
    }

    /// The supervisor is a plain value, whole between its calls: nothing is left half done by a panic.
    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This shard's service is gone, for this reason: has it restarted, or ends the node.
pub(crate) fn order<S: Service>(core: &Core<S>, reason: &str) {
    let node = &core.life.node;
    let (Some(keeper), Some(mesh)) = (node.keeper(), mesh_of(core)) else {
        return;
    };
    let shard = core.me().number();
    if node.phase().is_over() || !node.serves(core.me()) {
        tracing::error!(shard, reason, "a service panicked as it left");
        return;
    }
    core.set_restarting(true);
    let (verdict, epoch) = keeper.on_failure(core.me());
    match verdict {
        Verdict::Restart { who, after_ns } => {
            let (after_us, shards) = (after_ns / 1000, who.len());
            tracing::error!(
                shard,
                reason,
                shards,
                after_us,
                "a service panicked and restarts"
            );
            task::spawn_in(Group::Control, async move {
                // The end of the node ends this, too.
                let _ = carry_out(&mesh, who, after_ns, epoch).await;
            });
        }
        Verdict::Waiting => tracing::error!(shard, reason, "a service panicked before its restart"),
        Verdict::Escalate { reason: escalation } => {
            core.life.fail(format!("{reason}; {escalation}"));
        }
    }
}

async fn carry_out<S: Service>(
    mesh: &Mesh<S>,
    who: Range<usize>,
    after_ns: u64,
    epoch: u64,
) -> Result<(), crate::elastic::NodeOver> {
    for number in who.clone().rev() {
        let step_down = async move |mesh: Mesh<S>| step_down(&mesh.core, epoch);
        mesh.errand(ShardId::at(number), step_down).await?;
    }
    time::sleep(Duration::from_nanos(after_ns)).await;
    for number in who {
        let start = async move |mesh: Mesh<S>| start(&mesh.core, epoch).await;
        mesh.errand(ShardId::at(number), start).await?;
    }
    Ok(())
}

/// Ends a state that falls with another one.
fn step_down<S: Service>(core: &Core<S>, epoch: u64) {
    if !is_due(core, epoch) {
        return;
    }
    core.restart_epoch.set(epoch);
    core.set_restarting(true);
    core.put_down();
}

async fn start<S: Service>(core: &Rc<Core<S>>, epoch: u64) {
    let Some(keeper) = core.life.node.keeper() else {
        return;
    };
    if !is_due(core, epoch) {
        return;
    }
    keeper.judge().supervisor.on_start(core.me().index());
    let built = shard::rebuild(core).await;
    // A resize may have let the shard sleep and woken it again meanwhile.
    if !is_due(core, epoch) || core.is_up() {
        return;
    }
    match built {
        Ok(service) => {
            core.install(service);
            core.tally.restarts.inc();
            tracing::info!(shard = core.me().number(), "the service has restarted");
            task::spawn_in(Group::Control, prove_itself(core.clone(), epoch));
        }
        Err(reason) => order(core, &format!("its restart failed: {reason}")),
    }
}

/// Once a state has lived as long as failures are remembered, its next one counts as its first.
async fn prove_itself<S: Service>(core: Rc<Core<S>>, epoch: u64) {
    let Some(keeper) = core.life.node.keeper() else {
        return;
    };
    time::sleep(keeper.rules.window).await;
    if core.restart_epoch.get() == epoch {
        keeper.judge().supervisor.on_success(core.me().index());
    }
}

/// Whether a restart still concerns a shard: it serves, and no later one has come.
fn is_due<S: Service>(core: &Core<S>, epoch: u64) -> bool {
    let node = &core.life.node;
    epoch >= core.restart_epoch.get() && node.serves(core.me()) && !node.phase().is_over()
}

fn mesh_of<S: Service>(core: &Core<S>) -> Option<Mesh<S>> {
    let here: Rc<Here<S>> = local::get()?;
    let found = here.0.upgrade()?;
    std::ptr::eq(&*found, core).then(|| Mesh::new(found))
}
