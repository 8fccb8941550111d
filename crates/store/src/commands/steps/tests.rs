//! Commands in steps against the same commands in one go: two shards, each with half of the partitions, must answer as
//! one shard with all of them does, and hold the same keys in the end.

use corelane_wire::{Args, Proto, Reply};

use super::{Answer, Next, Op, Request, Step, plan};
use crate::commands::testing::{Bench, find, join, show, split};
use crate::exec::Split;
use crate::keyspace::{Detached, Keyspace, SLOTS_PER_PARTITION};

/// Two shards: even partitions on the first, odd ones on the second.
struct Pair {
    shards: [Bench; 2],
    /// Called before each batch of steps.
    before: fn(&mut Pair, usize),
    batches: usize,
}

impl Pair {
    fn new() -> Self {
        let shard =
            |n: usize| Bench::over(Keyspace::holding(16, 42, |partition| partition % 2 == n));
        Self {
            shards: [shard(0), shard(1)],
            before: |_, _| {},
            batches: 0,
        }
    }

    fn owner(&mut self, slot: u16) -> &mut Bench {
        &mut self.shards[slot as usize / SLOTS_PER_PARTITION % 2]
    }

    fn run(&mut self, words: &[String]) -> Vec<u8> {
        let (bytes, spans) = join(words);
        let args = Args::new(&bytes, &spans);
        let command = find(args).expect("a command");
        if command.split != Split::Steps {
            let at = command.spec.first_key(&args).expect("a key");
            let shard = self.owner(corelane_wire::slot_of(&args[at]));
            return shard.run_raw(words);
        }
        let limits = self.shards[0].limits.clone();
        let db = self.shards[0].db;
        let request = Request {
            args,
            db,
            databases: 16,
            limits: &limits,
        };
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, Proto::Resp2);
        match plan(command, &request) {
            Err(error) => reply.error(error),
            Ok(mut plan) => {
                let mut answers = Vec::new();
                self.batches = 0;
                loop {
                    answers = match plan.next(answers, &mut reply) {
                        Next::Done => break,
                        Next::Again => Vec::new(),
                        Next::Run(steps) => self.carry(steps),
                    };
                }
            }
        }
        out
    }

    fn carry(&mut self, steps: Vec<Step>) -> Vec<Answer> {
        (self.before)(self, self.batches);
        self.batches += 1;
        steps.into_iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: Step) -> Answer {
        self.owner(step.slot)
            .with_data(|data, limits| step.run(data, limits))
    }

    fn log(&self) -> Vec<String> {
        let words = |words: &Vec<Vec<u8>>| String::from_utf8_lossy(&words.join(&b' ')).into_owned();
        self.shards
            .iter()
            .flat_map(|shard| shard.log.iter().map(move |(_, w)| words(w)))
            .collect()
    }
}

/// Which commands the test sends; keys `a` and `b` lie on different shards, `b` and `c` too.
const FORMS: &[&str] = &[
    "set K V",
    "set K V",
    "set K V px 100000",
    "del K",
    "rename K K",
    "renamenx K K",
    "copy K K",
    "copy K K replace",
    "copy K K db 1",
    "msetnx K V K V",
    "msetnx K V",
    "msetnx K V K",
    "lcs K K",
    "lcs K K idx",
    "get K",
    "pttl K",
    "rename K",
    "copy K K foo",
];

#[test]
fn steps_answer_as_one_shard_would() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut pick = |from: &[&str]| rng.choice(from).expect("a choice").to_string();
    for seed in 0..200 {
        let (mut pair, mut one) = (Pair::new(), Bench::default());
        for _ in 0..60 {
            let form = pick(FORMS);
            let words = form.split(' ').map(|word| match word {
                "K" => pick(&["a", "b", "c", "d", "{a}1"]),
                "V" => pick(&["1", "abcab", "xaybz", ""]),
                literal => literal.to_owned(),
            });
            let words: Vec<String> = words.collect();
            let (bytes, spans) = join(&words);
            let args = Args::new(&bytes, &spans);
            if !find(args).expect("a command").spec.arity_ok(args.len()) {
                continue;
            }
            let (ours, expected) = (pair.run(&words), one.run_raw(&words));
            assert_eq!(
                ours.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "{seed}: {words:?}"
            );
        }
        let mut keys: Vec<_> = pair.shards.iter().flat_map(Bench::dump).collect();
        keys.sort();
        assert_eq!(keys, one.dump(), "{seed}");
    }
}

#[track_caller]
fn check(pair: &mut Pair, rows: &[(&str, &str)]) {
    for (line, expected) in rows {
        let reply = pair.run(&split(line));
        assert_eq!(show(&reply), *expected, "{line:?}");
    }
}

#[test]
fn each_side_reports_its_own_effects() {
    let mut pair = Pair::new();
    check(
        &mut pair,
        &[
            ("SET a x", "+OK"),
            ("RENAME a b", "+OK"),
            ("COPY b a", ":1"),
        ],
    );
    let mut log = pair.log();
    log.sort();
    assert_eq!(log, ["DEL a", "SET a x", "SET a x", "SET b x"]);
}

#[test]
fn a_value_that_may_not_replace_another_goes_back() {
    let mut pair = Pair::new();
    check(&mut pair, &[("SET a x", "+OK")]);
    // Somebody takes the new name after it was found free.
    pair.before = |pair, batch| {
        if batch == 2 {
            pair.owner(corelane_wire::slot_of(b"b"))
                .run(&["SET", "b", "y"]);
        }
    };
    check(
        &mut pair,
        &[("RENAMENX a b", ":0"), ("GET a", "$1 x"), ("GET b", "$1 y")],
    );
}

#[test]
fn a_key_that_vanishes_midway_is_no_key() {
    let mut pair = Pair::new();
    check(&mut pair, &[("SET a x", "+OK")]);
    pair.before = |pair, batch| {
        if batch == 1 {
            pair.owner(corelane_wire::slot_of(b"a")).run(&["DEL", "a"]);
        }
    };
    check(
        &mut pair,
        &[("RENAME a b", "-ERR no such key"), ("GET b", "$-1")],
    );
}

#[test]
fn a_full_shard_refuses_what_would_add_to_it() {
    let mut pair = Pair::new();
    check(&mut pair, &[("SET a x", "+OK"), ("SET b x", "+OK")]);
    pair.shards
        .iter_mut()
        .for_each(|shard| shard.limits.max_memory_bytes = 1);
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.";
    check(
        &mut pair,
        &[
            ("COPY a c", oom),
            ("MSETNX c 1 d 2", oom),
            ("RENAME a c", "+OK"),
        ],
    );
}

#[test]
fn what_crosses_shards_is_send() {
    fn is_send<T: Send>() {}
    is_send::<Step>();
    is_send::<Answer>();
    is_send::<Op>();
    is_send::<Detached>();
}
