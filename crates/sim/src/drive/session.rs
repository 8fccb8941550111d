//! One connection: calls its plan's commands, matches replies with them, and notices what does not match.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use corelane_wire::{Value, encode_command};

use super::line::{Event, Line};
use super::record::Handle;
use super::stage::{Finding, Stage, Waits};
use super::tampering::Tampering;
use crate::plan::{Expect, Finish, Pace, Pick, Reading, Request, SessionPlan, Words, shorten};

/// A connection at work.
pub(super) struct Session<'a> {
    stage: &'a Stage,
    /// The client and which of its connections; nobody's for looks and storms.
    whose: Option<(usize, usize)>,
    plan: &'a SessionPlan,
    process: u32,
    line: Line,
    tampering: Tampering,
    rng: fastrand::Rng,
    /// The next command to call.
    next: usize,
    waiting: VecDeque<Waiting>,
    /// Of those that wait, how many get a reply.
    expected: usize,
    replies: usize,
    number: Option<u64>,
    /// Something was wrong: this connection is of no further use.
    spoiled: bool,
    half_closed: bool,
}

/// A command that was called.
struct Waiting {
    request: usize,
    handles: Vec<Handle>,
    called_ns: u64,
    /// Bytes carried when it was called, and commands before it.
    carried: u64,
    ahead: usize,
    /// Bytes handed over once all of it is.
    whole_at: u64,
    /// It is a resize, or stands behind one.
    resizes: bool,
}

/// How a connection's life went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number that the node gave it.
    pub(super) number: Option<u64>,
    /// Whether every command was called and answered.
    pub(super) complete: bool,
}

impl<'a> Session<'a> {
    /// Lives through `plan`. `None`: there was no connection to be had.
    pub(super) async fn run(
        stage: &'a Stage,
        whose: Option<(usize, usize)>,
        plan: &'a SessionPlan,
    ) -> Option<Seen> {
        let process = stage.connect();
        let line = match connect(stage).await {
            Ok(line) => line,
            Err(_) if stage.is_stopping() => return None,
            Err(error) => {
                let text = format!("connection {process} could not be made: {error}");
                stage.found(Finding::Reply(text));
                return None;
            }
        };
        let mut session = Session {
            stage,
            whose,
            plan,
            process,
            line,
            tampering: Tampering::new(stage.scenario.tamper),
            rng: fastrand::Rng::with_seed(plan.seed),
            next: 0,
            waiting: VecDeque::new(),
            expected: 0,
            replies: 0,
            number: None,
            spoiled: false,
            half_closed: false,
        };
        let seen = session.live().await;
        session.leave(seen)
    }

    /// Until everything is answered, or there is no going on. Whether everything was.
    async fn live(&mut self) -> bool {
        loop {
            self.call();
            let Self {
                line, rng, plan, ..
            } = self;
            line.pump(|len| if plan.cut { rng.usize(1..=len) } else { len });
            if self.vanishes() {
                return false;
            }
            self.half_close_when_sent();
            if self.is_answered() {
                return self.wait_for_end().await;
            }
            if !self.step().await {
                return false;
            }
        }
    }

    /// Waits for something to happen and acts on it; whether to go on.
    async fn step(&mut self) -> bool {
        self.stage.waits(self.process, Some(self.waits()));
        let event = self.line.event().await;
        self.stage.waits(self.process, None);
        match event {
            Event::Sent => {}
            Event::Received => {
                if let Some(late) = self.tampering.delay() {
                    corelane::time::sleep(late).await;
                }
                self.take_replies();
                self.pause().await;
            }
            Event::Ended => {
                self.note_end();
                return false;
            }
        }
        !self.spoiled
    }

    async fn pause(&mut self) {
        if let Reading::Slow(range) = &self.plan.reading {
            let pause = Duration::from_nanos(self.rng.u64(range.clone()));
            corelane::time::sleep(pause).await;
        }
    }

    /// What is left to do once everything is answered.
    async fn wait_for_end(&mut self) -> bool {
        match self.plan.finish {
            Finish::Close | Finish::Vanish { .. } => return true,
            Finish::Linger if self.whose.is_some() => {
                self.stage.done();
                self.stage.begin_to_linger();
                while self.step().await {}
                self.stage.cease_to_linger();
            }
            Finish::Linger | Finish::HalfClose | Finish::Quit => while self.step().await {},
        }
        !self.spoiled
    }

    fn vanishes(&self) -> bool {
        let Finish::Vanish { after, .. } = self.plan.finish else {
            return false;
        };
        // Sometimes in the middle of a frame.
        self.next >= after && (!self.line.has_unsent() || self.plan.seed.is_multiple_of(2))
    }

    fn half_close_when_sent(&mut self) {
        let all = self.next == self.plan.requests.len() && !self.line.has_unsent();
        if self.plan.finish == Finish::HalfClose && all && !self.half_closed {
            self.half_closed = true;
            self.line.half_close();
        }
    }

    fn is_answered(&self) -> bool {
        self.next == self.plan.requests.len() && self.expected == 0 && !self.line.has_unsent()
    }

    /// The connection is over for this client.
    fn leave(self, complete: bool) -> Option<Seen> {
        let mut record = self.stage.record.borrow_mut();
        for waiting in &self.waiting {
            if waiting.whole_at > self.line.handed() {
                let torn = waiting.handles.iter();
                torn.for_each(|handle| record.never_sent(handle));
            }
        }
        if let Some((client, _)) = self.whose {
            self.stage.set_number(client, None);
        }
        if matches!(self.plan.finish, Finish::Vanish { abort: true, .. }) {
            self.line.abort();
        }
        Some(Seen {
            number: self.number,
            complete,
        })
    }
}

/// Calling.
impl Session<'_> {
    /// Calls as many commands as the pace allows.
    fn call(&mut self) {
        let depth = match self.plan.pace {
            Pace::Bursts(_) if self.expected > 0 => return,
            Pace::Bursts(depth) | Pace::Window(depth) => depth,
        };
        let last = match self.plan.finish {
            Finish::Vanish { after, .. } => after.min(self.plan.requests.len()),
            _ => self.plan.requests.len(),
        };
        while self.expected < depth && self.next < last {
            self.call_next();
        }
    }

    fn call_next(&mut self) {
        let request = &self.plan.requests[self.next];
        let now_ns = corelane::time::now_ns();
        let handles = match &request.expect {
            Expect::Parts(parts) => {
                let mut record = self.stage.record.borrow_mut();
                let call = |part| record.call(self.process, now_ns, part);
                parts.iter().map(call).collect()
            }
            _ => Vec::new(),
        };
        let bytes = self.bytes(request);
        let carried = self.line.carried();
        let whole_at = self.line.push(&bytes);
        let is_resize = matches!(request.words, Words::Resize { .. });
        self.waiting.push_back(Waiting {
            request: self.next,
            handles,
            called_ns: now_ns,
            carried,
            ahead: self.waiting.len(),
            whole_at,
            resizes: is_resize || self.waiting.iter().any(|waiting| waiting.resizes),
        });
        self.next += 1;
        self.expected += usize::from(!request.silent);
        self.stage.count(|counts| counts.commands += 1);
    }

    fn bytes(&mut self, request: &Request) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &request.words {
            Words::Inline(typed) => return typed.clone(),
            Words::Fixed(words) if self.tampering.loses(words) => {
                encode_command(&mut bytes, [&words[0][..], b"astray", &words[2]]);
            }
            Words::Fixed(words) => encode_command(&mut bytes, words),
            Words::Resize { lot } => {
                let shards = self.stage.scenario.size(*lot).to_string();
                encode_command(&mut bytes, ["CONFIG", "SET", "shards", &shards]);
            }
            Words::Kill { client } => {
                let number = self.stage.mark_for_kill(*client).to_string();
                encode_command(&mut bytes, ["CLIENT", "KILL", "ID", &number]);
            }
            Words::Migrate { client, lot } => {
                let scenario = &self.stage.scenario;
                let shard = usize::from(*lot) % scenario.keep_clients(scenario.room);
                let shard = shard.to_string();
                match client.map(|client| self.stage.number_of(client).to_string()) {
                    None => encode_command(&mut bytes, ["CLIENT", "MIGRATE", &shard]),
                    Some(number) => {
                        let words = ["CLIENT", "MIGRATE", &shard, "ID", &number];
                        encode_command(&mut bytes, words);
                    }
                }
            }
        }
        bytes
    }
}

/// Being answered.
impl Session<'_> {
    fn take_replies(&mut self) {
        while !self.spoiled {
            let reply = match self.line.reply() {
                Ok(Some(reply)) => reply,
                Ok(None) => return,
                Err(error) => return self.spoil(&format!("bytes that are no reply: {error}")),
            };
            let first = self.waiting.front();
            let stale = |reply: &Value| {
                let [handle] = &first?.handles[..] else {
                    return None;
                };
                self.stage.record.borrow().earlier_reply(handle, reply)
            };
            for reply in self.tampering.pass(reply, stale) {
                self.take_reply(reply);
            }
        }
    }

    fn take_reply(&mut self, reply: Value) {
        let now_ns = corelane::time::now_ns();
        let waiting = loop {
            let Some(waiting) = self.waiting.pop_front() else {
                return self.spoil(&format!("a reply that nobody waits for: {}", show(&reply)));
            };
            if !self.plan.requests[waiting.request].silent {
                break waiting;
            }
            // A later command was answered, so this one was done.
            let mut record = self.stage.record.borrow_mut();
            let handles = waiting.handles.iter();
            handles.for_each(|handle| record.done(handle, now_ns));
        };
        self.expected -= 1;
        self.replies += 1;
        self.stage.count(|counts| counts.replies += 1);
        let accepted = match &self.plan.requests[waiting.request].expect {
            Expect::Is(expected) => reply == *expected,
            Expect::Kind(kind) => kind.accepts(&reply),
            Expect::Number => {
                self.number = reply.as_int().and_then(|number| u64::try_from(number).ok());
                if let Some((client, _)) = self.whose {
                    self.stage.set_number(client, self.number);
                }
                self.number.is_some()
            }
            Expect::Standing(standing) => {
                let line = text(&reply);
                let id = self.number.map(|number| format!("id={number} "));
                standing.is_in(&line) && id.is_none_or(|id| line.contains(&id))
            }
            Expect::Moves => {
                let info = text(&reply);
                let moves = figure(&info, "connections_moved:");
                let reruns = figure(&info, "moved_reruns:");
                let told = |(moves, reruns)| {
                    self.stage.count(|counts| {
                        counts.moves = moves;
                        counts.reruns = reruns;
                    })
                };
                moves.zip(reruns).map(told).is_some()
            }
            Expect::Resized => self.note_resize(&reply),
            Expect::Shards => {
                let shards = Pick::Setting.of(&reply).map(|value| text(&value));
                let shards = shards.and_then(|shards| shards.parse().ok());
                shards
                    .map(|shards| self.stage.set_serving(shards))
                    .is_some()
            }
            Expect::Everybody => self.stage.is_everybody(&text(&reply)),
            Expect::Parts(_) => {
                let mut record = self.stage.record.borrow_mut();
                let handles = waiting.handles.iter();
                handles.for_each(|handle| record.reply(handle, now_ns, &reply));
                // The node promises to answer what it took in, also while it stops.
                !reply
                    .as_error()
                    .is_some_and(|text| text.contains("has stopped"))
            }
        };
        if !accepted && !self.is_excused(waiting.request, &reply) {
            let command = &self.plan.requests[waiting.request];
            self.spoil(&format!("{command} was answered with {}", show(&reply)));
        }
        self.check_patience(&waiting, now_ns);
    }

    /// Whether that is an answer to a resize.
    fn note_resize(&self, reply: &Value) -> bool {
        if reply.as_bytes() == Some(b"OK") {
            self.stage.count(|counts| counts.resizes += 1);
            return true;
        }
        let busy = |text: &str| text.contains("another move or resize is going on");
        let ends = |text: &str| self.stage.is_stopping() && text.contains("is stopping");
        reply
            .as_error()
            .is_some_and(|text| busy(text) || ends(text))
    }

    /// Where shards come and go, a connection may be sent to one that does not serve.
    fn is_excused(&self, request: usize, reply: &Value) -> bool {
        let goes = matches!(self.plan.requests[request].words, Words::Migrate { .. });
        let refused = |text: &str| text.contains("there is no shard");
        self.stage.scenario.resizes && goes && reply.as_error().is_some_and(refused)
    }

    /// A reply may take as long as its bytes, and those of the commands before it, take on the way.
    fn check_patience(&mut self, waiting: &Waiting, now_ns: u64) {
        // A resize may take as long as slow readers do, and so may what stands behind it.
        if self.plan.reading != Reading::Prompt || waiting.resizes {
            return;
        }
        let world = &self.stage.scenario.world;
        let buffers = (self.line.carried() - waiting.carried) / world.socket_bytes.start as u64;
        // Each command before it may have sent the connection to another shard, which stops its receive and wakes two.
        let move_ns = 8 * (world.wake_ns.end + world.completion_ns.end);
        let scenario = &self.stage.scenario;
        let moves_ns = match scenario.moves || scenario.resizes {
            true => (waiting.ahead as u64 + 1) * move_ns,
            false => 0,
        };
        let allowed_ns = self.stage.scenario.limits.patience_ns
            + buffers * 4 * (world.latency_ns.end + world.completion_ns.end)
            + waiting.ahead as u64 * 8 * world.wake_ns.end
            + moves_ns;
        let took_ns = now_ns - waiting.called_ns;
        if took_ns > allowed_ns {
            let text = format!(
                "{}: the reply to {} took {} ms, where {} ms are enough for all that was on its way: a wake-up was \
                 lost, or somebody waits who need not",
                self.describe(),
                self.plan.requests[waiting.request],
                took_ns / 1_000_000,
                allowed_ns / 1_000_000,
            );
            self.stage.found(Finding::Late(text));
        }
    }

    /// The node has ended the connection, or it broke.
    fn note_end(&mut self) {
        let asked = matches!(self.plan.finish, Finish::Quit | Finish::HalfClose);
        if asked && self.is_answered() || self.stage.may_end(self.number) {
            return;
        }
        let missing = self.expected;
        self.spoil(&format!(
            "the connection ended with {missing} replies missing"
        ));
    }

    fn spoil(&mut self, what: &str) {
        self.spoiled = true;
        let text = format!("{}: {what}", self.describe());
        self.stage.found(Finding::Reply(text));
    }

    fn waits(&self) -> Waits {
        let silent = |waiting: &&Waiting| !self.plan.requests[waiting.request].silent;
        Waits {
            whose: self.whose,
            replies: self.replies,
            expected: self.expected,
            first: self
                .waiting
                .iter()
                .find(silent)
                .map(|waiting| waiting.request),
        }
    }

    fn describe(&self) -> String {
        self.stage.describe(self.process, &self.waits())
    }
}

/// How often a client tries to connect to a node that does not listen yet, and how long it waits in between.
const TRIES: usize = 20;
const RETRY: Duration = Duration::from_millis(1);

async fn connect(stage: &Stage) -> io::Result<Line> {
    let mut outcome = Line::connect(&stage.address).await;
    for _ in 1..TRIES {
        match &outcome {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            _ => break,
        }
        if stage.is_stopping() {
            break;
        }
        corelane::time::sleep(RETRY).await;
        outcome = Line::connect(&stage.address).await;
    }
    outcome
}

/// The number behind a name of `INFO`.
fn figure(info: &str, name: &str) -> Option<u64> {
    let mut lines = info.lines();
    lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// A reply as text; empty where it is none.
fn text(reply: &Value) -> String {
    String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned()
}

fn show(reply: &Value) -> String {
    match reply {
        Value::Bulk(bytes) => shorten(format!("{:?}", String::from_utf8_lossy(bytes))),
        _ => shorten(format!("{reply:?}")),
    }
}
