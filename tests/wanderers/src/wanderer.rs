//! One client: pipelines in pieces, replies checked one by one.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use corelane_wire::Value;

use crate::model::{Asked, DATABASES, Model};
use crate::pipeline::{Pipeline, Standing};
use crate::report::Report;
use crate::wire::Line;

/// The deepest pipeline.
const DEEPEST: usize = 200;

/// What it is told from outside.
pub(crate) struct Orders<'a> {
    pub(crate) seed: u64,
    pub(crate) number: usize,
    pub(crate) shards: usize,
    /// Set when it is enough.
    pub(crate) enough: &'a AtomicBool,
    /// Where it tells its number, so that the operator can send it anywhere.
    pub(crate) id: &'a AtomicI64,
}

/// A client.
struct Wanderer {
    line: Line,
    rng: fastrand::Rng,
    model: Model,
    standing: Standing,
    report: Report,
}

/// A client's life. With all others it begins to wander, ends, and goes away.
pub(crate) fn live(line: io::Result<Line>, orders: &Orders<'_>, together: &Barrier) -> Report {
    let mut report = Report::default();
    let mut note = |problem: String| {
        let Orders { number, seed, .. } = orders;
        let problem = format!("client {number} (seed {seed}): {problem}");
        report.wrong.push(problem);
        // Nobody goes on where somebody has seen something wrong.
        orders.enough.store(true, Ordering::Relaxed);
    };
    let line = line.map_err(|error| format!("cannot connect: {error}"));
    let mut wanderer = line.and_then(|line| Wanderer::introduced(line, orders));
    together.wait();
    if let Ok(client) = &mut wanderer
        && let Err(problem) = client.wander(orders)
    {
        let Standing { id, resp, .. } = client.standing;
        note(format!("id {id}, RESP{resp}: {problem}"));
    }
    together.wait();
    together.wait();
    match wanderer {
        Ok(client) => report.add(client.report),
        Err(problem) => note(problem),
    }
    report
}

impl Wanderer {
    /// Connects: protocol, number and name.
    fn introduced(line: Line, orders: &Orders<'_>) -> Result<Self, String> {
        let mut wanderer = Self {
            line,
            rng: fastrand::Rng::with_seed(orders.seed),
            model: Model::new(format!("w{}", orders.number)),
            standing: Standing {
                id: 0,
                resp: 2 + (orders.number % 2) as u8,
                db: 0,
                name: format!("wanderer-{}", orders.number),
            },
            report: Report::default(),
        };
        if wanderer.standing.resp == 3 {
            let welcome = wanderer.ask("HELLO 3")?;
            if !matches!(welcome, Value::Map(_)) {
                return Err(format!("HELLO 3 was answered with {welcome:?}"));
            }
        }
        let name = format!("CLIENT SETNAME {}", wanderer.standing.name);
        wanderer.ask(&name)?;
        let id = wanderer.ask("CLIENT ID")?;
        wanderer.standing.id = id.as_int().ok_or("CLIENT ID is no number")?;
        orders.id.store(wanderer.standing.id, Ordering::Relaxed);
        Ok(wanderer)
    }

    fn ask(&mut self, line: &str) -> Result<Value, String> {
        self.line.write(format!("{line}\r\n").as_bytes())?;
        self.line.reply()
    }

    fn wander(&mut self, orders: &Orders<'_>) -> Result<(), String> {
        let mut next = self.pipeline(orders);
        let mut sent = 0;
        while !orders.enough.load(Ordering::Relaxed) {
            let after = self.pipeline(orders);
            let pipeline = std::mem::replace(&mut next, after);
            self.write(&pipeline.bytes[sent..])?;
            let began = Instant::now();
            // Some of the next one, cut anywhere, is there while the replies of this one are under way.
            sent = match self.rng.u8(0..3) {
                0 => 0,
                _ => self.rng.usize(0..next.bytes.len()),
            };
            self.write(&next.bytes[..sent])?;
            self.check(&pipeline)?;
            self.report.longest = self.report.longest.max(began.elapsed());
            self.report.pipelines += 1;
        }
        self.write(&next.bytes[sent..])?;
        self.check(&next)?;
        self.leave(orders)
    }

    fn pipeline(&mut self, orders: &Orders<'_>) -> Pipeline {
        let depth = match self.rng.u8(0..4) {
            0 => 1,
            1 => self.rng.usize(1..=DEEPEST),
            _ => self.rng.usize(1..=32),
        };
        let Self {
            rng,
            model,
            standing,
            ..
        } = self;
        Pipeline::next(rng, model, standing, depth, orders.shards)
    }

    /// Writes in pieces, cut anywhere.
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        // Mostly as one, sometimes byte by byte at first.
        let most = match self.rng.u8(0..8) {
            0 => 3,
            1..3 => 64,
            _ => usize::MAX,
        };
        let mut pieces = 0;
        while !bytes.is_empty() {
            let piece = match pieces {
                0..16 => self.rng.usize(1..=bytes.len().min(most)),
                _ => bytes.len(),
            };
            self.line.write(&bytes[..piece])?;
            bytes = &bytes[piece..];
            pieces += 1;
        }
        Ok(())
    }

    fn check(&mut self, pipeline: &Pipeline) -> Result<(), String> {
        for (index, (command, expected)) in pipeline.expected.iter().enumerate() {
            let reply = self.line.reply().map_err(|problem| {
                let of = pipeline.expected.len();
                format!("{problem}, after {index} of {of} replies, instead of that to {command}")
            })?;
            if !expected.accepts(&reply) {
                let want = expected.shown();
                return Err(format!("{command} was answered with {reply:?}, not {want}"));
            }
            let name = command.split(' ').next().unwrap_or_default();
            match self.report.commands.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.report.commands.insert(name.to_owned(), 1)),
            }
        }
        Ok(())
    }

    /// All keys are as they must be, and nothing more comes.
    fn leave(&mut self, orders: &Orders<'_>) -> Result<(), String> {
        for db in 0..DATABASES {
            let mut last = Pipeline {
                bytes: Vec::new(),
                expected: Vec::new(),
            };
            last.push(Asked::ok(&["SELECT", &db.to_string()]));
            last.push(self.model.everything(db));
            let farewell = format!("farewell-{}", orders.number);
            let words = ["ECHO", farewell.as_str()];
            last.push(Asked::new(&words, Value::bulk(&farewell)));
            self.line.write(&last.bytes)?;
            self.check(&last)?;
        }
        Ok(())
    }
}
