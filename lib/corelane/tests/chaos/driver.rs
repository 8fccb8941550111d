//! Who asks, who moves partitions, and who ends it all.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use corelane::{
    CallError, CallOptions, Handle, Mesh, MoveError, ResizeError, ShardId, Target, random, task,
    time,
};

use crate::journal::{End, Journal, Line, Op};
use crate::plan::{Ending, Plan};
use crate::service::{Ask, Histories, How};

type Answer = Result<Op, CallError<Ask>>;
type Answers = Pin<Box<dyn Future<Output = Vec<Answer>>>>;

/// What everybody is given.
#[derive(Clone)]
pub struct Stage {
    pub plan: Arc<Plan>,
    pub journal: Journal,
}

/// A request that is under way. Its end is noted, as dropped if nobody waits for it.
pub struct Opened {
    journal: Journal,
    op: Op,
    closed: bool,
}

impl Opened {
    pub fn new(journal: Journal, op: Op) -> Self {
        Self {
            journal,
            op,
            closed: false,
        }
    }

    pub fn close(mut self, answer: &Answer) {
        self.closed = true;
        let op = self.op;
        match answer {
            Ok(answered) => {
                if *answered != op {
                    let text = format!("{op:?} got the answer of {answered:?}");
                    self.journal.book().violation(text);
                }
                self.journal.end(op, End::Replied);
            }
            Err(error) => self.journal.end(op, error.into()),
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.closed {
            self.journal.end(self.op, End::Dropped);
        }
    }
}

/// The two ways to a service.
#[derive(Clone)]
pub enum Way {
    Mesh(Mesh<Histories>),
    Handle(Handle<Histories>),
}

/// The main of every shard: some tasks that ask, until they are done or a stop is asked.
pub async fn shard_main(stage: Stage, mesh: Mesh<Histories>) -> Result<(), String> {
    let askers: Vec<_> = (0..stage.plan.askers)
        .map(|n| {
            let way = match n % 3 {
                2 => Way::Handle(mesh.handle()),
                _ => Way::Mesh(mesh.clone()),
            };
            let asker = Asker::new(stage.clone(), way);
            let stopping = mesh.clone();
            task::spawn(asker.run(move || stopping.is_stopping()))
        })
        .collect();
    mesh.stopping().await;
    if stage.plan.stragglers {
        return Ok(());
    }
    for asker in askers {
        asker.await.map_err(|panicked| panicked.to_string())?;
    }
    Ok(())
}

/// Runs beside the node: clients, changes, and the end. Resolves when all is quiet.
pub async fn outside(stage: Stage, handle: Handle<Histories>) {
    let mut tasks = Vec::new();
    for _ in 0..stage.plan.clients {
        let asker = Asker::new(stage.clone(), Way::Handle(handle.clone()));
        let stopping = handle.clone();
        tasks.push(task::spawn(asker.run(move || stopping.is_stopping())));
    }
    tasks.push(task::spawn(change(
        stage.clone(),
        handle.clone(),
        stage.plan.moves,
        0,
    )));
    tasks.push(task::spawn(change(
        stage.clone(),
        handle.clone(),
        0,
        stage.plan.resizes,
    )));
    tasks.push(task::spawn(end(stage.clone(), handle.clone())));
    for task in tasks {
        task.await.expect("it does not panic");
    }
    while stage.journal.book().active > 0 {
        time::sleep(Duration::from_millis(1)).await;
    }
    if stage.plan.ending == Ending::Quiet {
        probe(&stage, &handle).await;
    }
}

/// All partitions are served, for whoever asks.
async fn probe(stage: &Stage, handle: &Handle<Histories>) {
    Asker::new(stage.clone(), Way::Handle(handle.clone()))
        .ask_every_key()
        .await;
    for shard in (0..handle.shards()).map(|n| ShardId::new(n as u16)) {
        let stage = stage.clone();
        stage.journal.book().tasks += 1;
        let asking = handle.submit(shard, async move |mesh: Mesh<Histories>| {
            Asker::new(stage, Way::Mesh(mesh)).ask_every_key().await;
        });
        asking.await.expect("shards that serve run tasks");
    }
}

/// Asks for an end, if the plan has one.
async fn end(stage: Stage, handle: Handle<Histories>) {
    let wait = |us| time::sleep(Duration::from_micros(us));
    let any = ShardId::new(random::below(handle.shards() as u64) as u16);
    match stage.plan.ending {
        Ending::Quiet => {}
        Ending::Stop { after_us } => {
            wait(after_us).await;
            handle.stopper().stop("the plan says so");
        }
        Ending::Fail { after_us } => {
            wait(after_us).await;
            let fail = async |mesh: Mesh<Histories>| mesh.fail("the plan says so");
            let _ = handle.submit(any, fail).await;
        }
        Ending::Panic { after_us } => {
            wait(after_us).await;
            let key = random::below(stage.plan.keys.len() as u64) as usize;
            let op = stage.journal.ask(stage.journal.caller(), Some(key));
            let open = Opened::new(stage.journal.clone(), op);
            let ask = Ask {
                op,
                key: Some(key),
                how: How::Panic,
            };
            let target = Target::Partition(stage.plan.keys[key].partition);
            open.close(&handle.call(target, ask).await);
        }
    }
}

/// Moves and resizes.
async fn change(stage: Stage, handle: Handle<Histories>, moves: usize, resizes: usize) {
    for _ in 0..moves {
        time::sleep(Duration::from_micros(random::below(1500))).await;
        let key = random::below(stage.plan.keys.len() as u64) as usize;
        let to = ShardId::new(random::below(handle.shards() as u64) as u16);
        let moving = handle.move_partition(stage.plan.keys[key].partition, to);
        let moved = moving.await;
        let mut book = stage.journal.book();
        book.tasks += 1;
        match moved {
            Ok(()) => book.moved += 1,
            Err(MoveError::Unfinished(..)) => book.unfinished += 1,
            Err(MoveError::Busy | MoveError::NoShard { .. } | MoveError::Stopping) => {}
            // Who saw to it is cancelled with the node.
            Err(MoveError::Down) if stage.plan.ending != Ending::Quiet => {}
            Err(error) => book.violation(format!("a move failed: {error}")),
        }
    }
    for _ in 0..resizes {
        time::sleep(Duration::from_micros(random::below(3000))).await;
        let shards = 1 + random::below(stage.plan.room as u64) as usize;
        let resized = handle.resize(shards).await;
        let mut book = stage.journal.book();
        book.tasks += 1;
        match resized {
            Ok(resized) => book.resized += u64::from(resized.shards != resized.before),
            Err(ResizeError::Move {
                source: MoveError::Unfinished(..),
                ..
            }) => book.unfinished += 1,
            Err(ResizeError::Busy | ResizeError::Stopping) => {}
            Err(error) => book.violation(format!("a resize failed: {error}")),
        }
    }
}

/// One task that asks. What it asks for one key is handled in the order in which it asked.
pub struct Asker {
    stage: Stage,
    way: Way,
    caller: u32,
    open: VecDeque<Answers>,
}

impl Asker {
    pub fn new(stage: Stage, way: Way) -> Self {
        let caller = stage.journal.caller();
        Self {
            stage,
            way,
            caller,
            open: VecDeque::new(),
        }
    }

    async fn run(mut self, is_stopping: impl Fn() -> bool) {
        let _active = self.stage.journal.begin();
        for _ in 0..self.stage.plan.asks {
            // A stop is not always noticed at once.
            if is_stopping() && random::below(4) == 0 {
                break;
            }
            self.ask_something().await;
            while self.open.len() > self.stage.plan.window {
                self.take_one().await;
            }
            self.dawdle().await;
        }
        while !self.open.is_empty() {
            self.take_one().await;
        }
    }

    pub async fn ask_every_key(mut self) {
        for key in 0..self.stage.plan.keys.len() {
            self.one(key, How::Now, CallOptions::new());
        }
        while !self.open.is_empty() {
            self.take_one().await;
        }
    }

    async fn take_one(&mut self) {
        if let Some(mut answers) = self.open.pop_front() {
            answers.as_mut().await;
        }
    }

    async fn dawdle(&self) {
        match random::below(6) {
            0 => time::sleep(Duration::from_micros(random::below(400))).await,
            1 => task::yield_now().await,
            _ => {}
        }
    }

    async fn ask_something(&mut self) {
        let key = random::below(self.stage.plan.keys.len() as u64) as usize;
        let how = self.how();
        match random::below(20) {
            0..8 => self.one(key, how, CallOptions::new()),
            8 | 9 => {
                let limit = Duration::from_micros(random::below(600));
                self.one(key, how, CallOptions::new().within(limit));
            }
            10 | 11 => self.by_name(key, how),
            12 | 13 => self.attempt(key, how),
            14 => self.many(),
            15 => self.cast(key, how),
            16 => self.cast_many(),
            17 => self.submit(key),
            18 => self.of_a_shard(),
            _ => {
                if let Way::Handle(handle) = &self.way {
                    let partition = self.stage.plan.keys[key].partition;
                    let shard = handle.shard_of(Target::Partition(partition));
                    handle.clone().room(shard).await;
                }
                self.one(key, How::Now, CallOptions::new());
                // Given up, at once or after having been polled.
                if let Some(mut given_up) = self.open.pop_back() {
                    if random::below(2) == 0 {
                        let _ = time::timeout(
                            Duration::from_micros(random::below(50)),
                            given_up.as_mut(),
                        )
                        .await;
                    }
                    drop(given_up);
                }
            }
        }
    }

    fn how(&self) -> How {
        match random::below(40) {
            0..6 => How::Later {
                us: random::below(300),
            },
            6 if self.stage.plan.sluggish => How::Later {
                us: 900_000 + random::below(400_000),
            },
            7 => How::Reject,
            _ => How::Now,
        }
    }

    fn asks(&self, key: usize, how: How) -> (Opened, Ask) {
        let op = self.stage.journal.ask(self.caller, Some(key));
        let slow = matches!(how, How::Later { .. });
        self.stage.journal.change(op, |asked| {
            asked.slow = slow;
            asked.rejects = how == How::Reject;
        });
        let ask = Ask {
            op,
            key: Some(key),
            how,
        };
        (Opened::new(self.stage.journal.clone(), op), ask)
    }

    fn target(&self, key: usize) -> Target {
        Target::Partition(self.stage.plan.keys[key].partition)
    }

    fn call(&self, target: Target, ask: Ask, options: CallOptions) -> Calling {
        match &self.way {
            Way::Mesh(mesh) => Box::pin(mesh.call_with(target, ask, options)),
            Way::Handle(handle) => Box::pin(handle.call_with(target, ask, options)),
        }
    }

    fn wait_for(&mut self, open: Opened, call: Calling) {
        self.open.push_back(Box::pin(async move {
            let answer = call.await;
            open.close(&answer);
            vec![answer]
        }));
    }

    fn one(&mut self, key: usize, how: How, options: CallOptions) {
        let nested = options.deadline_ns().is_some() && random::below(3) == 0;
        let how = match how {
            // Only with a deadline: what asks while it answers may wait for those who wait for it.
            How::Now if nested => {
                let key = random::below(self.stage.plan.keys.len() as u64) as usize;
                How::Nested { key }
            }
            how => how,
        };
        let (open, ask) = self.asks(key, how);
        if let How::Nested { .. } = how {
            self.stage
                .journal
                .change(open.op, |asked| asked.slow = true);
        }
        let call = self.call(self.target(key), ask, options);
        self.wait_for(open, call);
    }

    fn by_name(&mut self, key: usize, how: How) {
        let (open, ask) = self.asks(key, how);
        let name = self.stage.plan.keys[key].name.as_bytes();
        let call: Calling = match &self.way {
            Way::Mesh(mesh) => Box::pin(mesh.call_key(name, ask)),
            Way::Handle(handle) => Box::pin(handle.call_key(name, ask)),
        };
        self.wait_for(open, call);
    }

    /// Without patience, where that can be asked for.
    fn attempt(&mut self, key: usize, how: How) {
        let Way::Mesh(mesh) = self.way.clone() else {
            return self.one(key, how, CallOptions::new());
        };
        let (open, ask) = self.asks(key, how);
        match mesh.try_call(self.target(key), ask) {
            Ok(call) => self.wait_for(open, Box::pin(call)),
            Err(refused) => open.close(&Err(CallError::Refused(refused))),
        }
    }

    fn many(&mut self) {
        let keys = self.some_keys();
        let (open, asks): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .map(|key| {
                let (open, ask) = self.asks(key, How::Now);
                (open, (self.target(key), ask))
            })
            .unzip();
        let answers: Pin<Box<dyn Future<Output = Vec<Answer>>>> = match &self.way {
            Way::Mesh(mesh) => Box::pin(mesh.call_many(asks)),
            Way::Handle(handle) => Box::pin(handle.call_many(asks)),
        };
        self.open.push_back(Box::pin(async move {
            let answers = answers.await;
            for (open, answer) in open.into_iter().zip(&answers) {
                open.close(answer);
            }
            answers
        }));
    }

    fn some_keys(&self) -> Vec<usize> {
        let all = self.stage.plan.keys.len() as u64;
        (0..random::below(12))
            .map(|_| random::below(all) as usize)
            .collect()
    }

    fn cast(&mut self, key: usize, how: How) {
        let (open, ask) = self.asks(key, how);
        let target = self.target(key);
        match self.handle().cast(target, ask) {
            Ok(()) => open.cast(),
            Err(refused) => open.close(&Err(CallError::Refused(refused))),
        }
    }

    fn cast_many(&mut self) {
        let keys = self.some_keys();
        let mut asks = keys
            .into_iter()
            .map(|key| {
                let (open, ask) = self.asks(key, How::Now);
                // Noted before it is known; what is refused is noted again below.
                open.cast();
                (self.target(key), ask)
            })
            .collect::<Vec<_>>()
            .into_iter();
        if let Err(refused) = self.handle().cast_many(&mut asks) {
            let end = End::from(&CallError::Refused(refused.clone_reason()));
            let back = asks.map(|(_, ask)| ask).chain([refused.message]);
            for ask in back {
                self.stage.journal.change(ask.op, |asked| asked.end = end);
            }
        }
    }

    fn handle(&self) -> Handle<Histories> {
        match &self.way {
            Way::Mesh(mesh) => mesh.handle(),
            Way::Handle(handle) => handle.clone(),
        }
    }

    /// A task at the key's owner, which writes at once and later.
    fn submit(&mut self, key: usize) {
        let (open, ask) = self.asks(key, How::Now);
        let op = ask.op;
        self.stage.journal.change(op, |asked| asked.task = true);
        let (journal, us) = (self.stage.journal.clone(), random::below(200));
        let task = async move |mesh: Mesh<Histories>| {
            let mut line = Line { op, later: false };
            mesh.with(|state| state.write(key, line));
            {
                let mut book = journal.book();
                book.tasks += 1;
                book.asked[op.0 as usize].handled += 1;
            }
            time::sleep(Duration::from_micros(us)).await;
            line.later = true;
            mesh.with(|state| state.write(key, line));
            op
        };
        let target = self.target(key);
        let ask_again = move |error: CallError<()>| match error {
            CallError::Refused(refused) => CallError::Refused(corelane::Refused {
                message: ask,
                reason: refused.reason,
            }),
            CallError::Moved(()) => CallError::Moved(ask),
            CallError::Rejected(rejection) => CallError::Rejected(rejection),
            CallError::Expired => CallError::Expired,
            CallError::Cancelled => CallError::Cancelled,
            CallError::Panicked => CallError::Panicked,
            _ => CallError::Lost,
        };
        let call: Calling = match &self.way {
            Way::Mesh(mesh) => {
                let submitted = mesh.submit(target, task);
                Box::pin(async move { submitted.await.map_err(ask_again) })
            }
            Way::Handle(handle) => {
                let submitted = handle.submit(target, task);
                Box::pin(async move { submitted.await.map_err(ask_again) })
            }
        };
        self.stage.journal.change(op, |asked| asked.slow = true);
        self.wait_for(open, call);
    }

    /// Asks a shard itself, which may go to sleep meanwhile.
    fn of_a_shard(&mut self) {
        let op = self.stage.journal.ask(self.caller, None);
        self.stage.journal.change(op, |asked| asked.slow = true);
        let shard = ShardId::new(random::below(self.stage.plan.room as u64) as u16);
        let us = random::below(500);
        let ask = Ask {
            op,
            key: None,
            how: match random::below(2) {
                0 => How::Now,
                _ => How::Later { us },
            },
        };
        let open = Opened::new(self.stage.journal.clone(), op);
        let call = self.call(Target::Shard(shard), ask, CallOptions::new());
        self.wait_for(open, call);
    }
}

type Calling = Pin<Box<dyn Future<Output = Answer>>>;

impl Opened {
    fn cast(mut self) {
        self.closed = true;
        self.journal.end(self.op, End::Cast);
    }
}

/// A refusal without its message.
trait Reason {
    fn clone_reason(&self) -> corelane::Refused<()>;
}

impl<T> Reason for corelane::Refused<T> {
    fn clone_reason(&self) -> corelane::Refused<()> {
        corelane::Refused {
            message: (),
            reason: self.reason,
        }
    }
}
