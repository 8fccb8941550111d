//! A keyspace with a clock for the commands' tests, and the rows they are checked by.
//!
//! A row is a request and the reply it must get, both as text: line breaks of the protocol are spaces, `nil` and
//! `map:N` stand for whatever the protocol version has for them. `ADVANCE ms` moves the clock, `SELECT db` chooses the
//! database.

use corelane_wire::frame::{Decoder, Value};
use corelane_wire::{Args, Proto, Reply, Span};

use super::COMMANDS;
use super::generic::walk::Walk;
use crate::exec::{Command, Data, Effect, Effects, Exec, Limits, Outcome, Touched};
use crate::keyspace::Keyspace;

/// A command as its words, in a database.
pub(crate) type Applied = (u16, Vec<Vec<u8>>);

/// A key: database, name, value, expiry.
pub(crate) type Dumped = (u16, Vec<u8>, Vec<u8>, Option<u64>);

/// One shard's keys, at a time that tests set.
pub(crate) struct Bench {
    pub(crate) space: Keyspace,
    pub(crate) now_ms: u64,
    pub(crate) db: u16,
    pub(crate) proto: Proto,
    pub(crate) limits: Limits,
    pub(crate) touched: Touched,
    /// Slices that the last command took.
    pub(crate) slices: usize,
    /// Effects of all commands so far.
    pub(crate) log: Vec<Applied>,
    pub(crate) rng: fastrand::Rng,
}

impl Default for Bench {
    fn default() -> Self {
        Self::over(Keyspace::new(16, 42))
    }
}

impl Bench {
    pub(crate) fn over(space: Keyspace) -> Self {
        Self {
            space,
            now_ms: 1_700_000_000_000,
            db: 0,
            proto: Proto::Resp2,
            limits: Limits::default(),
            touched: Touched::default(),
            slices: 0,
            log: Vec::new(),
            rng: fastrand::Rng::with_seed(42),
        }
    }

    /// Runs a command; returns the bytes of its reply.
    pub(crate) fn run_raw<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Vec<u8> {
        self.run_between(words, |_| {})
    }

    /// As [`run_raw`](Self::run_raw); calls `between` between the slices.
    pub(crate) fn run_between<W: AsRef<[u8]>>(
        &mut self,
        words: &[W],
        mut between: impl FnMut(&mut Self),
    ) -> Vec<u8> {
        let (bytes, spans) = join(words);
        let args = Args::new(&bytes, &spans);
        let (mut out, mut effects) = (Vec::new(), Effects::default());
        let mut rest = None;
        self.slices = 0;
        loop {
            let mut exec = self.exec(&mut out, &mut effects);
            let outcome = match rest.take() {
                Some(rest) => crate::exec::Continuation::resume(rest, &mut exec, args),
                None => dispatch(&mut exec, args),
            };
            self.slices += 1;
            match outcome {
                Outcome::Done => break,
                Outcome::More(more) => {
                    rest = Some(more);
                    let slices = self.slices;
                    between(self);
                    self.slices = slices;
                }
            }
        }
        self.record(&effects, words);
        out
    }

    /// Runs `act` on the data of this bench, as a step of a plan does.
    pub(crate) fn with_data<T>(&mut self, act: impl FnOnce(&mut Data<'_>, &Limits) -> T) -> T {
        let (mut out, mut effects) = (Vec::new(), Effects::default());
        let mut exec = self.exec(&mut out, &mut effects);
        let limits = exec.limits;
        let result = act(&mut exec.data, limits);
        self.record::<&[u8]>(&effects, &[]);
        result
    }

    fn exec<'a>(&'a mut self, out: &'a mut Vec<u8>, effects: &'a mut Effects) -> Exec<'a> {
        Exec {
            data: Data {
                space: &mut self.space,
                effects,
                touched: &mut self.touched,
                now_ms: self.now_ms,
                db: self.db,
                first_slot: None,
            },
            reply: Reply::new(out, self.proto),
            rng: &mut self.rng,
            limits: &self.limits,
        }
    }

    fn record<W: AsRef<[u8]>>(&mut self, effects: &Effects, words: &[W]) {
        self.log.extend(effects.iter().map(|effect| match effect {
            Effect::AsGiven { db } => (db, words.iter().map(|w| w.as_ref().to_vec()).collect()),
            Effect::Command { db, args } => (db, args.iter().map(<[u8]>::to_vec).collect()),
        }));
    }

    /// Runs a command; returns its reply as a row shows it.
    pub(crate) fn run<W: AsRef<[u8]>>(&mut self, words: &[W]) -> String {
        show(&self.run_raw(words))
    }

    /// The strings in a reply, of all depths.
    pub(crate) fn words<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Vec<String> {
        self.words_between(words, |_| {})
    }

    /// As [`words`](Self::words); calls `between` between the slices.
    pub(crate) fn words_between<W: AsRef<[u8]>>(
        &mut self,
        words: &[W],
        between: impl FnMut(&mut Self),
    ) -> Vec<String> {
        let reply = self.run_between(words, between);
        let mut found = Vec::new();
        collect(&decode(&reply), &mut found);
        found
    }

    /// An integer reply.
    pub(crate) fn int<W: AsRef<[u8]>>(&mut self, words: &[W]) -> i64 {
        decode(&self.run_raw(words)).as_int().expect("an integer")
    }

    /// Checks rows.
    #[track_caller]
    pub(crate) fn check(&mut self, rows: &[(&str, &str)]) {
        for (line, expected) in rows {
            let words = split(line);
            if !self.control(&words) {
                let expected = localize(expected, self.proto);
                assert_eq!(self.run(&words), expected, "{line:?} in {:?}", self.proto);
            }
        }
    }

    /// Whether the words are for the bench itself.
    pub(crate) fn control(&mut self, words: &[String]) -> bool {
        match words
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["ADVANCE", ms] => self.now_ms += ms.parse::<u64>().expect("milliseconds"),
            ["SELECT", db] => self.db = db.parse().expect("a database"),
            _ => return false,
        }
        true
    }

    /// Every key with its value and expiry, expired ones included, by database and name.
    pub(crate) fn dump(&self) -> Vec<Dumped> {
        let mut keys = Vec::new();
        for db in 0..self.space.databases() {
            let mut walk = Walk::default();
            while walk.slice(&self.space, db, 0, usize::MAX, |value| {
                let mut digits = itoa::Buffer::new();
                let bytes = value.string().bytes(&mut digits).to_vec();
                keys.push((db, value.name().to_vec(), bytes, value.expire_at_ms()));
            }) {}
        }
        keys.sort();
        keys
    }
}

/// Checks rows on an empty keyspace, once in each protocol version.
#[track_caller]
pub(crate) fn check(rows: &[(&str, &str)]) {
    for proto in [Proto::Resp2, Proto::Resp3] {
        let mut bench = Bench {
            proto,
            ..Bench::default()
        };
        bench.check(rows);
    }
}

/// Checks what commands report as their effects, separated by `; `; those in another database than 0 have its number
/// before them.
#[track_caller]
pub(crate) fn check_effects(rows: &[(&str, &str)]) {
    let mut bench = Bench::default();
    for (line, expected) in rows {
        let words = split(line);
        if !bench.control(&words) {
            bench.log.clear();
            bench.run(&words);
            let effects: Vec<String> = bench.log.iter().map(show_effect).collect();
            assert_eq!(effects.join("; "), *expected, "effects of {line:?}");
        }
    }
}

fn show_effect((db, words): &Applied) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| word.escape_ascii().to_string())
        .collect();
    match db {
        0 => words.join(" "),
        db => format!("{db}: {}", words.join(" ")),
    }
}

/// Finds a request's command, checks its arity and runs it.
fn dispatch(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let Some(command) = find(args) else {
        panic!("there is no command {args:?}");
    };
    if !command.spec.arity_ok(args.len()) {
        let name = command.spec.full_name();
        exec.reply.error(&format!(
            "ERR wrong number of arguments for '{name}' command"
        ));
        return Outcome::Done;
    }
    exec.run(command, args)
}

/// The command of that name, and of its subcommands the one that is meant, if there is such a one.
pub(crate) fn find(args: Args<'_>) -> Option<&'static Command> {
    let is = |name: &str, word: &[u8]| name.as_bytes().eq_ignore_ascii_case(word);
    let mut commands = COMMANDS.iter().copied();
    let command = commands.find(|c| c.spec.parent.is_none() && is(c.spec.name, args.name()))?;
    let sub = COMMANDS.iter().copied().find(|c| {
        c.spec.parent == Some(command.spec.name)
            && args.get(1).is_some_and(|word| is(c.spec.name, word))
    });
    Some(sub.unwrap_or(command))
}

/// Words as the arguments of a command.
pub(crate) fn join<W: AsRef<[u8]>>(words: &[W]) -> (Vec<u8>, Vec<Span>) {
    let (mut bytes, mut spans) = (Vec::new(), Vec::new());
    for word in words {
        let start = bytes.len() as u32;
        bytes.extend_from_slice(word.as_ref());
        spans.push(Span {
            start,
            end: bytes.len() as u32,
        });
    }
    (bytes, spans)
}

/// The words of a line; those in single quotes may hold spaces or nothing.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closing quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

/// A reply as a row shows it.
pub(crate) fn show(reply: &[u8]) -> String {
    let text = reply
        .escape_ascii()
        .to_string()
        .replace(r"\r\n", " ")
        .replace(r"\'", "'");
    text.strip_suffix(' ').expect("a whole reply").to_owned()
}

fn localize(expected: &str, proto: Proto) -> String {
    let nil = if proto == Proto::Resp2 { "$-1" } else { "_" };
    let words = expected
        .split(' ')
        .map(|word| match (word, word.strip_prefix("map:")) {
            ("nil", _) => nil.to_owned(),
            (_, Some(pairs)) => match proto {
                Proto::Resp2 => format!("*{}", 2 * pairs.parse::<usize>().expect("a number")),
                Proto::Resp3 => format!("%{pairs}"),
            },
            _ => word.to_owned(),
        });
    words.collect::<Vec<_>>().join(" ")
}

/// A reply as a value.
pub(crate) fn decode(reply: &[u8]) -> Value {
    let (value, len) = Decoder::new()
        .decode(reply)
        .expect("a reply")
        .expect("a whole reply");
    assert_eq!(len, reply.len(), "one reply: {}", reply.escape_ascii());
    value
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Bulk(bytes) => into.push(String::from_utf8_lossy(bytes).into_owned()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}
