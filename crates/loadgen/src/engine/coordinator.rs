//! The caller's side of a run: starts the threads, leads them through the phases, adds up.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use corelane::{Cx, LaunchOptions, Mesh, Running, Service, ShardId, launch};

use super::phase_state::{Board, Outcome};
use super::worker::{News, WorkerContext, work};
use crate::error::Error;
use crate::options::Options;
use crate::plan::{Limit, Plan, Stage};
use crate::progress::{Phase, Progress};
use crate::recorder::Recorder;
use crate::report::{Measured, Report};
use crate::usage::{Sample, Usage};

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Runs a workload to its end and reports on it. Blocks the calling thread, and calls `progress`
/// on it about ten times a second.
///
/// # Errors
/// If an option is impossible, the server cannot be reached or refuses the greeting, or a phase
/// before the measurement fails. Errors during the measurement are part of the report.
pub fn run(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Report, Error> {
    let plan = Arc::new(Plan::new(options)?);
    watch(&plan)?;
    let coordinator = Coordinator::start(&plan)?;
    let result = coordinator.run(progress);
    coordinator.dismiss()?;
    result
}

/// The threads of a run.
struct Coordinator {
    plan: Arc<Plan>,
    running: Running<Alone>,
    orders: Vec<Sender<()>>,
    news: Receiver<News>,
    boards: Vec<Arc<Board>>,
}

/// The generator's threads share nothing but their beginning, so their mesh carries no messages.
pub(crate) struct Alone;

impl Service for Alone {
    type Request = ();
    type Reply = ();
    type Control = ();

    fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> corelane::Outcome<Self> {
        corelane::Outcome::Ready(())
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

/// One phase, over all threads.
struct Sum {
    recorder: Recorder,
    elapsed_s: f64,
    connections: usize,
    server: Option<Usage>,
    generator: Option<Usage>,
}

impl Coordinator {
    fn start(plan: &Arc<Plan>) -> Result<Self, Error> {
        let (news_sender, news) = mpsc::channel();
        let (mut orders, mut boards, mut contexts) = (Vec::new(), Vec::new(), Vec::new());
        let mut first_lane = 0;
        for thread in 0..plan.threads {
            let (order_sender, order_receiver) = mpsc::channel();
            let board = Arc::new(Board::default());
            orders.push(order_sender);
            boards.push(board.clone());
            contexts.push(Some(WorkerContext {
                plan: plan.clone(),
                thread,
                first_lane,
                orders: order_receiver,
                news: news_sender.clone(),
                board,
            }));
            first_lane += u64::from(plan.connections_of(thread));
        }
        let contexts = Mutex::new(contexts);
        let main = move |mesh: Mesh<Alone>| {
            let shard = mesh.shard().index();
            let context = contexts
                .lock()
                .ok()
                .and_then(|mut contexts| contexts.get_mut(shard)?.take());
            async move {
                work(context.ok_or("a generator thread began twice")?).await;
                Ok(())
            }
        };
        let options = LaunchOptions::unpinned(plan.threads.into());
        let running = launch(&options, async |_shard| Ok(Alone), main)
            .map_err(|error| Error::Thread(error.to_string()))?;
        Ok(Self {
            plan: plan.clone(),
            running,
            orders,
            news,
            boards,
        })
    }

    fn run(&self, progress: &mut dyn FnMut(Progress)) -> Result<Report, Error> {
        for _ in &self.orders {
            match self.news.recv() {
                Ok(News::Ready) => {}
                Ok(News::Failed(error)) => return Err(error),
                Ok(News::Done(_)) | Err(_) => return Err(ended_early()),
            }
        }
        for stage in &self.plan.stages {
            let sum = self.run_stage(stage, progress)?;
            self.check(stage, &sum)?;
            if stage.phase == Phase::Measure {
                let measured = Measured {
                    setup: self.plan.setup.clone(),
                    elapsed_s: sum.elapsed_s,
                    verify: self.plan.verify,
                    server: sum.server,
                    generator: sum.generator,
                };
                return Ok(Report::new(measured, stage.mix.names(), sum.recorder));
            }
        }
        unreachable!("every plan ends with a measurement")
    }

    fn run_stage(&self, stage: &Stage, progress: &mut dyn FnMut(Progress)) -> Result<Sum, Error> {
        let before = (watch(&self.plan)?, Sample::own());
        for orders in &self.orders {
            orders.send(()).map_err(|_| ended_early())?;
        }
        let mut teller = Teller::new(stage);
        let mut outcomes = Vec::new();
        while outcomes.len() < self.orders.len() {
            match self.news.recv_timeout(PROGRESS_EVERY) {
                Ok(News::Done(outcome)) => outcomes.push(*outcome),
                Ok(News::Failed(error)) => return Err(error),
                Ok(News::Ready) | Err(RecvTimeoutError::Timeout) => {
                    progress(teller.tell(&self.boards, false));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(ended_early()),
            }
        }
        let after = (watch(&self.plan)?, Sample::own());
        progress(teller.tell(&self.boards, true));
        let used = |after: Option<Sample>, before| Some(after?.since(&before?));
        Ok(Sum {
            server: used(after.0, before.0),
            generator: used(after.1, before.1),
            ..add_up(stage, outcomes)
        })
    }

    /// A phase before the measurement must leave all connections; a fill must also write all keys.
    fn check(&self, stage: &Stage, sum: &Sum) -> Result<(), Error> {
        let first_error = sum.recorder.errors.texts().keys().next();
        let lost = self.plan.connections as usize - sum.connections;
        let problem = match (stage.phase, first_error) {
            (Phase::Measure, _) => return Ok(()),
            (_, error) if lost > 0 => {
                let why = error.map_or("no reply for too long", String::as_str);
                format!(
                    "{lost} of {} connections ended: {why}",
                    self.plan.connections
                )
            }
            (Phase::Fill, Some(error)) => format!("not all keys could be written: {error}"),
            _ => return Ok(()),
        };
        Err(Error::Phase {
            target: self.plan.target.name.clone(),
            phase: stage.phase,
            problem,
        })
    }

    /// Lets the threads go and waits for their end.
    fn dismiss(self) -> Result<(), Error> {
        drop(self.orders);
        self.running
            .join()
            .map_err(|failure| Error::Thread(failure.to_string()))
    }
}

fn add_up(stage: &Stage, outcomes: Vec<Outcome>) -> Sum {
    let start_ns = outcomes.iter().map(|o| o.start_ns).min().unwrap_or(0);
    let end_ns = outcomes.iter().map(|o| o.end_ns).max().unwrap_or(0);
    let mut sum = Sum {
        recorder: Recorder::new(stage.mix.names().count()),
        elapsed_s: end_ns.saturating_sub(start_ns) as f64 / 1e9,
        connections: outcomes.iter().map(|o| o.connections).sum(),
        server: None,
        generator: None,
    };
    for outcome in outcomes {
        sum.recorder.add(outcome.recorder);
    }
    sum
}

/// What the watched process has used so far, if one is watched.
fn watch(plan: &Plan) -> Result<Option<Sample>, Error> {
    let read = |pid| Sample::of(pid).map_err(|source| Error::Watch { pid, source });
    plan.watch_pid.map(read).transpose()
}

/// A thread's own words come from its end, see [`Coordinator::dismiss`]; this stands for them until then.
fn ended_early() -> Error {
    Error::Thread("it ended before its work was done".into())
}

/// Makes progress reports of the threads' counters.
struct Teller {
    phase: Phase,
    limit: Limit,
    start: Instant,
    last: Instant,
    last_replies: u64,
}

impl Teller {
    fn new(stage: &Stage) -> Self {
        let now = Instant::now();
        Self {
            phase: stage.phase,
            limit: stage.limit,
            start: now,
            last: now,
            last_replies: 0,
        }
    }

    fn tell(&mut self, boards: &[Arc<Board>], done: bool) -> Progress {
        let now = Instant::now();
        let elapsed = now - self.start;
        let replies: u64 = boards.iter().map(|b| b.replies()).sum();
        let fraction = match self.limit {
            _ if done => 1.0,
            Limit::Requests(requests) => replies as f64 / requests as f64,
            Limit::Time(time) => elapsed.as_secs_f64() / time.as_secs_f64(),
        };
        let since_s = (now - self.last).as_secs_f64();
        let new_replies = replies.saturating_sub(self.last_replies) as f64;
        (self.last, self.last_replies) = (now, replies);
        Progress {
            phase: self.phase,
            fraction: fraction.min(1.0),
            elapsed,
            replies,
            per_second: if since_s > 0.0 {
                new_replies / since_s
            } else {
                0.0
            },
            errors: boards.iter().map(|b| b.errors()).sum(),
        }
    }
}
