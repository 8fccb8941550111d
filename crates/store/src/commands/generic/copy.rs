//! `COPY`.

use corelane_wire::Reply;

use crate::commands::errors::{OUT_OF_MEMORY, SAME_OBJECT, SYNTAX, database};
use crate::commands::prelude::*;
use crate::commands::put::push_put;
use crate::commands::steps::{Answer, Next, Op, Plan, Request, Step};

/// `COPY source destination [DB destination-db] [REPLACE]`
///
/// Its effect is a `SET` of the destination.
pub(crate) static COPY: Command = Command {
    spec: CommandSpec {
        name: "copy",
        arity: -3,
        flags: F::WRITE.with(F::DENYOOM),
        categories: C::KEYSPACE,
        keys: &[
            KeySpec::at(1).flags(K::RO.with(K::ACCESS)),
            KeySpec::at(2).flags(K::OW.with(K::UPDATE)),
        ],
        group: Group::Generic,
        since: "6.2.0",
        summary: "Copies a key's value and time to live to another key.",
        complexity: "O(N) for N bytes",
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::integer("destination-db").token("DB").optional(),
            Arg::word("replace", "REPLACE").optional(),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Steps,
    run: copy,
};

fn copy(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let options = match Options::parse(args, exec.data.db, exec.data.space.databases()) {
        Ok(options) => options,
        Err(error) => return refuse(exec, error),
    };
    let copied = copy_key(exec, args, options);
    exec.reply.int(copied.into());
    Outcome::Done
}

fn copy_key(exec: &mut Exec<'_>, args: Args<'_>, options: Options) -> bool {
    let (from, to) = (exec.data.first_key(args.at(1)), exec.data.key(args.at(2)));
    if exec.data.get(&from).is_none() {
        exec.data.touch(&from, Event::KEYMISS);
        return false;
    }
    let existed = exec.data.in_db(options.db).contains(&to);
    if existed && !options.replace {
        return false;
    }
    let Some(value) = exec.data.copy(&from) else {
        return false;
    };
    let mut target = exec.data.in_db(options.db);
    push_put(&mut target, &to, value.value());
    target.put(&to, value);
    if !existed {
        target.touch(&to, Event::NEW);
    }
    target.touch(&to, Event::COPY_TO);
    true
}

#[derive(Debug, Clone, Copy)]
struct Options {
    /// Where the copy goes.
    db: u16,
    replace: bool,
}

impl Options {
    fn parse(args: Args<'_>, db: u16, databases: u16) -> Result<Self, &'static str> {
        let mut options = Self { db, replace: false };
        let mut rest = args.tail(3).iter();
        while let Some(word) = rest.next() {
            if word.eq_ignore_ascii_case(b"REPLACE") {
                options.replace = true;
            } else if word.eq_ignore_ascii_case(b"DB") {
                options.db = database(rest.next().ok_or(SYNTAX)?, databases)?;
            } else {
                return Err(SYNTAX);
            }
        }
        if options.db == db && args[1] == args[2] {
            return Err(SAME_OBJECT);
        }
        Ok(options)
    }
}

/// Copies the value out of the one key and puts it under the other.
pub(crate) fn plan(request: &Request<'_>) -> Result<Box<dyn Plan>, &'static str> {
    let options = Options::parse(request.args, request.db, request.databases)?;
    let (from, to) = (request.args.at(1).into(), request.args.at(2).into());
    Ok(Box::new(Far {
        db: request.db,
        from,
        to,
        options,
        started: false,
    }))
}

struct Far {
    db: u16,
    from: Box<[u8]>,
    to: Box<[u8]>,
    options: Options,
    started: bool,
}

impl Plan for Far {
    fn next(&mut self, answers: Vec<Answer>, reply: &mut Reply<'_>) -> Next {
        if !self.started {
            self.started = true;
            return Next::Run(vec![Step::new(
                self.db,
                &self.from,
                Op::Fetch { leave: true },
            )]);
        }
        match answers.into_iter().next() {
            Some(Answer::Fetched(Some(value))) => {
                let replace = self.options.replace;
                let put = Op::Put {
                    value,
                    replace,
                    event: Event::COPY_TO,
                };
                return Next::Run(vec![Step::new(self.options.db, &self.to, put).deny_oom()]);
            }
            Some(Answer::OutOfMemory) => reply.error(OUT_OF_MEMORY),
            answer => reply.int(matches!(answer, Some(Answer::Put(Ok(())))).into()),
        }
        Next::Done
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn copy() {
        check(&[
            ("COPY a b", ":0"),
            ("SET a x EX 10", "+OK"),
            ("COPY a b", ":1"),
            ("MGET a b", "*2 $1 x $1 x"),
            ("TTL b", ":10"),
            ("SET a y", "+OK"),
            ("COPY a b", ":0"),
            ("COPY a b REPLACE", ":1"),
            ("GET b", "$1 y"),
            ("TTL b", ":-1"),
            ("COPY a a DB 3", ":1"),
            ("COPY a c db 3 replace", ":1"),
            ("SELECT 3", "+OK"),
            ("MGET a c", "*2 $1 y $1 y"),
            ("DBSIZE", ":2"),
        ]);
    }

    #[test]
    fn refusals() {
        check(&[
            (
                "COPY a a",
                "-ERR source and destination objects are the same",
            ),
            (
                "COPY a a DB 0",
                "-ERR source and destination objects are the same",
            ),
            ("COPY a b FOO", "-ERR syntax error"),
            ("COPY a b DB", "-ERR syntax error"),
            (
                "COPY a b DB x",
                "-ERR value is not an integer or out of range",
            ),
            ("COPY a b DB 16", "-ERR DB index is out of range"),
            ("COPY a b DB -1", "-ERR DB index is out of range"),
            (
                "COPY a b DB 99999999999",
                "-ERR value is out of range, value must between -2147483648 and 2147483647",
            ),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a x PXAT 1800000000000", "SET a x PXAT 1800000000000"),
            ("COPY a b", "SET b x PXAT 1800000000000"),
            ("COPY a b", ""),
            ("COPY a b DB 2", "2: SET b x PXAT 1800000000000"),
        ]);
    }
}
