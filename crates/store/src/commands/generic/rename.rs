//! `RENAME`, `RENAMENX`.

use corelane_wire::Reply;

use crate::commands::errors::NO_SUCH_KEY;
use crate::commands::prelude::*;
use crate::commands::put::push_put;
use crate::commands::steps::{Answer, Next, Op, Plan, Request, Step};
use crate::keyspace::Detached;

/// `RENAME key newkey`
///
/// Its effect is itself where both keys are in one slot, otherwise a `DEL` and a `SET`: what follows one slot's
/// history alone must not need another's.
pub(crate) static RENAME: Command = Command {
    spec: CommandSpec {
        name: "rename",
        arity: 3,
        flags: F::WRITE,
        categories: C::KEYSPACE,
        keys: &[
            KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::DELETE)),
            KeySpec::at(2).flags(K::OW.with(K::UPDATE)),
        ],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Gives a key another name; what had that name before is deleted.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
        ..CommandSpec::BASE
    },
    split: Split::Steps,
    run: rename,
};

fn rename(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    rename_key(exec, args, false)
}

/// `RENAMENX key newkey`. Its effect is as that of `RENAME`.
pub(crate) static RENAMENX: Command = Command {
    spec: CommandSpec {
        name: "renamenx",
        arity: 3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[
            KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::DELETE)),
            KeySpec::at(2).flags(K::OW.with(K::INSERT)),
        ],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Gives a key another name, but only if no key has that name yet.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
        history: &[("3.2.0", "Two equal names are no error any more.")],
        ..CommandSpec::BASE
    },
    split: Split::Steps,
    run: renamenx,
};

fn renamenx(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    rename_key(exec, args, true)
}

fn rename_key(exec: &mut Exec<'_>, args: Args<'_>, only_new: bool) -> Outcome {
    let data = &mut exec.data;
    let (from, to) = (data.first_key(args.at(1)), data.key(args.at(2)));
    if data.get(&from).is_none() {
        return refuse(exec, NO_SUCH_KEY);
    }
    if from.name() == to.name() {
        return answer(&mut exec.reply, only_new, false);
    }
    let existed = data.contains(&to);
    if existed && only_new {
        return answer(&mut exec.reply, only_new, false);
    }
    let Some(value) = data.take(&from) else {
        unreachable!("it was there a moment ago")
    };
    if from.slot() == to.slot() {
        data.rewrite([&b"RENAME"[..], from.name(), to.name()]);
    } else {
        data.rewrite([&b"DEL"[..], from.name()]);
        push_put(data, &to, value.value());
    }
    data.put(&to, value);
    if !existed {
        data.touch(&to, Event::NEW);
    }
    data.touch(&from, Event::RENAME_FROM);
    data.touch(&to, Event::RENAME_TO);
    answer(&mut exec.reply, only_new, true)
}

/// `RENAME` has nothing to say but OK; `RENAMENX` says whether it did anything.
fn answer(reply: &mut Reply<'_>, only_new: bool, renamed: bool) -> Outcome {
    if only_new {
        reply.int(renamed.into());
    } else {
        reply.ok();
    }
    Outcome::Done
}

/// Asks for both keys, takes the value out of the one and puts it under the other. If the new name was taken in
/// between and must not be, the value goes back.
pub(crate) fn plan(request: &Request<'_>, only_new: bool) -> Box<dyn Plan> {
    Box::new(Far {
        db: request.db,
        from: request.args.at(1).into(),
        to: request.args.at(2).into(),
        only_new,
        stage: Stage::Start,
    })
}

struct Far {
    db: u16,
    from: Box<[u8]>,
    to: Box<[u8]>,
    only_new: bool,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Start,
    Asking,
    Taking,
    Putting,
    PuttingBack,
}

impl Far {
    fn done(&self, reply: &mut Reply<'_>, renamed: bool) -> Next {
        answer(reply, self.only_new, renamed);
        Next::Done
    }

    fn step(&mut self, stage: Stage, key: &[u8], op: Op) -> Next {
        self.stage = stage;
        Next::Run(vec![Step::new(self.db, key, op)])
    }

    fn put(&mut self, value: Detached) -> Next {
        let put = Op::Put {
            value,
            replace: !self.only_new,
            event: Event::RENAME_TO,
        };
        self.step(Stage::Putting, &self.to.clone(), put)
    }

    fn put_back(&mut self, value: Detached) -> Next {
        let put = Op::Put {
            value,
            replace: true,
            event: Event::RENAME_TO,
        };
        self.step(Stage::PuttingBack, &self.from.clone(), put)
    }
}

impl Plan for Far {
    fn next(&mut self, answers: Vec<Answer>, reply: &mut Reply<'_>) -> Next {
        let mut answers = answers.into_iter();
        match (self.stage, answers.next(), answers.next()) {
            (Stage::Start, ..) => {
                self.stage = Stage::Asking;
                let ask = |key: &[u8]| Step::new(self.db, key, Op::Exists);
                Next::Run(vec![ask(&self.from), ask(&self.to)])
            }
            (Stage::Asking, Some(Answer::Exists(true)), Some(Answer::Exists(taken))) => {
                if self.from == self.to || taken && self.only_new {
                    return self.done(reply, false);
                }
                self.step(
                    Stage::Taking,
                    &self.from.clone(),
                    Op::Fetch { leave: false },
                )
            }
            (Stage::Taking, Some(Answer::Fetched(Some(value))), _) => self.put(value),
            (Stage::Putting, Some(Answer::Put(Err(value))), _) => self.put_back(value),
            (Stage::Putting, ..) => self.done(reply, true),
            (Stage::PuttingBack, ..) => self.done(reply, false),
            (Stage::Asking | Stage::Taking, ..) => {
                reply.error(NO_SUCH_KEY);
                Next::Done
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn rename() {
        check(&[
            ("RENAME a b", "-ERR no such key"),
            ("RENAME a a", "-ERR no such key"),
            ("SET a 1 EX 10", "+OK"),
            ("RENAME a a", "+OK"),
            ("RENAME a b", "+OK"),
            ("MGET a b", "*2 nil $1 1"),
            ("TTL b", ":10"),
            ("SET c 2", "+OK"),
            ("RENAME c b", "+OK"),
            ("MGET b c", "*2 $1 2 nil"),
            ("TTL b", ":-1"),
            ("DBSIZE", ":1"),
        ]);
    }

    #[test]
    fn renamenx() {
        check(&[
            ("RENAMENX a b", "-ERR no such key"),
            ("MSET a 1 b 2", "+OK"),
            ("RENAMENX a a", ":0"),
            ("RENAMENX a b", ":0"),
            ("MGET a b", "*2 $1 1 $1 2"),
            ("RENAMENX a c", ":1"),
            ("MGET a c", "*2 nil $1 1"),
            ("PEXPIRE b 10", ":1"),
            ("ADVANCE 11", ""),
            ("RENAMENX c b", ":1"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a 1 PXAT 1800000000000", "SET a 1 PXAT 1800000000000"),
            ("RENAME a a", ""),
            ("RENAME a b", "DEL a; SET b 1 PXAT 1800000000000"),
            ("PERSIST b", "PERSIST b"),
            ("RENAMENX b c{b}", "RENAME b c{b}"),
            ("RENAMENX c{b} d", "DEL c{b}; SET d 1"),
        ]);
    }
}
