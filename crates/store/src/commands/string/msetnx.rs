//! `MSETNX`.

use corelane_wire::Reply;

use super::many::{pairs_ok, set_pairs};
use crate::commands::errors::OUT_OF_MEMORY;
use crate::commands::prelude::*;
use crate::commands::steps::{Answer, Next, Op, Plan, Request, Step};

const WRONG_NUMBER: &str = "ERR wrong number of arguments for 'msetnx' command";

/// `MSETNX key value [key value …]`. Its effect is one `SET` for each key.
pub(crate) static MSETNX: Command = Command {
    spec: CommandSpec {
        name: "msetnx",
        arity: -3,
        flags: F::WRITE.with(F::DENYOOM),
        keys: &[KeySpec::range(1, -1, 2).flags(K::OW.with(K::INSERT))],
        group: Group::String,
        since: "1.0.1",
        summary: "Stores strings at several keys, but only if none of the keys exists yet.",
        complexity: "O(N) for N keys",
        args: &[Arg::block("key_value", &[Arg::key("key", 0), Arg::string("value")]).multiple()],
        tips: &["request_policy:multi_shard", "response_policy:agg_min"],
        ..CommandSpec::BASE
    },
    split: Split::Steps,
    run: msetnx,
};

fn msetnx(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    if !pairs_ok(args) {
        return refuse(exec, WRONG_NUMBER);
    }
    let mut names = args.tail(1).iter().step_by(2);
    let missing = names.all(|name| !exec.data.contains(&exec.data.key(name)));
    if missing {
        set_pairs(exec, args);
    }
    exec.reply.int(missing.into());
    Outcome::Done
}

/// First asks for all keys, then sets all.
pub(crate) fn plan(request: &Request<'_>) -> Result<Box<dyn Plan>, &'static str> {
    if !pairs_ok(request.args) {
        return Err(WRONG_NUMBER);
    }
    let pairs = (1..request.args.len()).step_by(2);
    let pairs = pairs.map(|at| (request.args.at(at).into(), request.args.at(at + 1).into()));
    Ok(Box::new(SetAll {
        db: request.db,
        pairs: pairs.collect(),
        set: Vec::new(),
    }))
}

type Pair = (Box<[u8]>, Box<[u8]>);

struct SetAll {
    db: u16,
    /// What is to be asked for.
    pairs: Vec<Pair>,
    /// What was asked for, and is to be set.
    set: Vec<Pair>,
}

impl Plan for SetAll {
    fn next(&mut self, answers: Vec<Answer>, reply: &mut Reply<'_>) -> Next {
        if !self.pairs.is_empty() {
            self.set = std::mem::take(&mut self.pairs);
            let ask = |(key, _): &Pair| Step::new(self.db, key, Op::Exists).deny_oom();
            return Next::Run(self.set.iter().map(ask).collect());
        }
        if answers
            .iter()
            .any(|answer| matches!(answer, Answer::OutOfMemory))
        {
            reply.error(OUT_OF_MEMORY);
            return Next::Done;
        }
        if answers
            .iter()
            .any(|answer| matches!(answer, Answer::Exists(true)))
        {
            reply.int(0);
            return Next::Done;
        }
        if self.set.is_empty() {
            reply.int(1);
            return Next::Done;
        }
        let set = |(key, value): Pair| Step::new(self.db, &key, Op::Set { value });
        Next::Run(self.set.drain(..).map(set).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn msetnx() {
        check(&[
            ("MSETNX a 1 b 2", ":1"),
            ("MSETNX b 3 c 4", ":0"),
            ("MGET a b c", "*3 $1 1 $1 2 nil"),
            ("MSETNX d 1 d 2", ":1"),
            ("GET d", "$1 2"),
            ("PEXPIRE d 10", ":1"),
            ("ADVANCE 11", ""),
            ("MSETNX d 3", ":1"),
            (
                "MSETNX d 1 e",
                "-ERR wrong number of arguments for 'msetnx' command",
            ),
        ]);
        check_effects(&[
            ("MSETNX a 1 b 2", "SET a 1; SET b 2"),
            ("MSETNX a 1 c 2", ""),
        ]);
    }
}
