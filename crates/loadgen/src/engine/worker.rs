//! One generator thread: opens its connections and runs each phase over them when told to.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use corelane::task::{self, JoinHandle};
use corelane::{blocking, time};

use super::link::Link;
use super::phase_state::{Board, Outcome, PhaseState};
use crate::error::Error;
use crate::plan::Plan;

/// What a thread needs to work.
#[derive(Debug)]
pub(super) struct WorkerContext {
    pub(super) plan: Arc<Plan>,
    pub(super) thread: u16,
    /// Number of this thread's first connection over all threads.
    pub(super) first_lane: u64,
    /// One order begins one phase.
    pub(super) orders: Receiver<()>,
    pub(super) news: Sender<News>,
    pub(super) board: Arc<Board>,
}

/// What a thread tells the caller.
#[derive(Debug)]
pub(super) enum News {
    /// All connections are open.
    Ready,
    /// The phase is over.
    Done(Box<Outcome>),
    /// No connections, so no run.
    Failed(Error),
}

/// Works until the last phase is done, or until the caller lets go of the orders.
pub(super) async fn work(context: WorkerContext) {
    let WorkerContext {
        plan,
        thread,
        first_lane,
        mut orders,
        news,
        board,
    } = context;
    let mut links = match connect(&plan, thread, first_lane).await {
        Ok(links) => links,
        Err(error) => {
            // The caller may have given up already; then nobody needs to know.
            let _ = news.send(News::Failed(error));
            return;
        }
    };
    let _ = news.send(News::Ready);
    for stage in &plan.stages {
        // Waiting for the caller is a blocking wait, so it is done outside the runtime's thread.
        let (order, back) = blocking::run(move || (orders.recv(), orders)).await;
        orders = back;
        if order.is_err() {
            return;
        }
        let phase = Rc::new(PhaseState::new(&plan, stage, thread, board.clone()));
        links = run_stage(links, &phase, plan.patience).await;
        let _ = news.send(News::Done(Box::new(phase.end(links.len()))));
    }
    // The caller reads what this thread has used before it lets go; an ended thread tells nothing.
    blocking::run(move || while orders.recv().is_ok() {}).await;
}

async fn connect(plan: &Plan, thread: u16, first_lane: u64) -> Result<Vec<Link>, Error> {
    let mut links = Vec::new();
    for lane in 0..u64::from(plan.connections_of(thread)) {
        links.push(Link::open(&plan.target, first_lane + lane).await?);
    }
    Ok(links)
}

/// Runs one phase over all connections. Gives those back that are still open. When the server owes
/// replies and none came for `patience`, the connections are given up.
async fn run_stage(links: Vec<Link>, phase: &Rc<PhaseState>, patience: Duration) -> Vec<Link> {
    let start = |link: Link| {
        let phase = phase.clone();
        task::spawn(async move { link.run(&phase).await })
    };
    let mut running: Vec<JoinHandle<Option<Link>>> = links.into_iter().map(start).collect();
    let mut links = Vec::with_capacity(running.len());
    let mut replies_before = phase.replies();
    while let Some(task) = running.last_mut() {
        match time::timeout(patience, task).await {
            Ok(link) => {
                running.pop();
                links.extend(link.unwrap_or_else(|panic| panic!("{panic}")));
            }
            Err(_) if phase.outstanding() > 0 && phase.replies() == replies_before => {
                running.drain(..).for_each(JoinHandle::cancel);
            }
            Err(_) => replies_before = phase.replies(),
        }
    }
    links
}
