//! `LCS`.

mod align;

use corelane_wire::Reply;

use self::align::{Alignment, Match, Refused};
use super::read::read;
use crate::commands::errors::{SYNTAX, integer};
use crate::commands::prelude::*;
use crate::commands::steps::{Answer, Next, Op, Plan, Request, Step};
use crate::exec::{Continuation, Limits};
use crate::keyspace::Str;

/// Cells of the table that are filled before others get their turn; some tens of microseconds.
const SLICE_CELLS: usize = 1 << 15;

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN bytes] [WITHMATCHLEN]`
pub(crate) static LCS: Command = Command {
    spec: CommandSpec {
        name: "lcs",
        arity: -3,
        flags: F::READONLY,
        keys: &[KeySpec::range(1, 2, 1).flags(K::RO.with(K::ACCESS))],
        group: Group::String,
        since: "7.0.0",
        summary: "Finds the longest subsequence of bytes that two strings share.",
        complexity: "O(N*M) for strings of N and M bytes",
        args: &[
            Arg::key("key1", 0),
            Arg::key("key2", 0),
            Arg::word("len", "LEN").optional(),
            Arg::word("idx", "IDX").optional(),
            Arg::integer("len").token("MINMATCHLEN").optional(),
            Arg::word("withmatchlen", "WITHMATCHLEN").optional(),
        ],
        ..CommandSpec::BASE
    },
    split: Split::Steps,
    run: lcs,
};

fn lcs(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let (a, b) = (text_at(exec, args.at(1)), text_at(exec, args.at(2)));
    match Job::begin(a, b, args.tail(3).iter(), exec.limits) {
        Ok(job) => work(exec, job),
        Err(error) => refuse(exec, error),
    }
}

fn text_at(exec: &mut Exec<'_>, name: &[u8]) -> Vec<u8> {
    let key = exec.data.key(name);
    let mut text = Vec::new();
    read(exec, &key, |_, string| {
        text = string.map(text_of).unwrap_or_default()
    });
    text
}

fn text_of(string: Str<'_>) -> Vec<u8> {
    string.bytes(&mut itoa::Buffer::new()).to_vec()
}

fn work(exec: &mut Exec<'_>, mut job: Job) -> Outcome {
    if !job.advance() {
        return Outcome::More(Continuation::new(move |exec, _| work(exec, job)));
    }
    job.answer(&mut exec.reply);
    Outcome::Done
}

/// Strings to be aligned, and what is to be said about them.
struct Job {
    alignment: Alignment,
    options: Options,
}

#[derive(Debug, Clone, Copy, Default)]
struct Options {
    len: bool,
    idx: bool,
    /// Stretches below this many bytes are left out.
    min_match_bytes: i64,
    with_match_len: bool,
}

impl Options {
    fn parse<'a>(mut args: impl Iterator<Item = &'a [u8]>) -> Result<Self, &'static str> {
        let mut options = Self::default();
        while let Some(word) = args.next() {
            if word.eq_ignore_ascii_case(b"IDX") {
                options.idx = true;
            } else if word.eq_ignore_ascii_case(b"LEN") {
                options.len = true;
            } else if word.eq_ignore_ascii_case(b"WITHMATCHLEN") {
                options.with_match_len = true;
            } else if word.eq_ignore_ascii_case(b"MINMATCHLEN") {
                options.min_match_bytes = integer(args.next().ok_or(SYNTAX)?)?;
            } else {
                return Err(SYNTAX);
            }
        }
        if options.len && options.idx {
            return Err("ERR If you want both the length and indexes, please just use IDX.");
        }
        Ok(options)
    }
}

impl Job {
    fn begin<'a>(
        a: Vec<u8>,
        b: Vec<u8>,
        options: impl Iterator<Item = &'a [u8]>,
        limits: &Limits,
    ) -> Result<Self, &'static str> {
        let options = Options::parse(options)?;
        let trace = options.idx || !options.len;
        let alignment = Alignment::new(a, b, trace, limits.max_bulk_bytes);
        let alignment = alignment.map_err(|refused| match refused {
            Refused::StringTooLong => "ERR String too long for LCS",
            Refused::OverLimit => {
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
            }
        })?;
        Ok(Self { alignment, options })
    }

    /// Does some of the work. Returns whether it is done.
    fn advance(&mut self) -> bool {
        self.alignment.advance(SLICE_CELLS)
    }

    fn answer(self, reply: &mut Reply<'_>) {
        let length = self.alignment.length();
        if self.options.idx {
            let found = self.alignment.into_found();
            self.options.answer_matches(&found.matches, length, reply);
        } else if self.options.len {
            reply.int(length.into());
        } else {
            let mut common = self.alignment.into_found().backwards;
            common.reverse();
            reply.bulk(&common);
        }
    }
}

impl Options {
    fn answer_matches(self, matches: &[Match], length: u32, reply: &mut Reply<'_>) {
        let shown = |found: &&Match| i64::from(found.len()) >= self.min_match_bytes;
        reply.map(2);
        reply.bulk_str("matches");
        reply.array(matches.iter().filter(shown).count());
        for found in matches.iter().filter(shown) {
            self.answer_match(found, reply);
        }
        reply.bulk_str("len");
        reply.int(length.into());
    }

    fn answer_match(self, found: &Match, reply: &mut Reply<'_>) {
        reply.array(2 + usize::from(self.with_match_len));
        for (start, end) in [(found.a_start, found.a_end), (found.b_start, found.b_end)] {
            reply.array(2);
            reply.int(start.into());
            reply.int(end.into());
        }
        if self.with_match_len {
            reply.int(found.len().into());
        }
    }
}

/// First fetches both strings, then works where it is.
pub(crate) fn plan(request: &Request<'_>) -> Box<dyn Plan> {
    let args = request.args.iter().map(Box::from).collect();
    Box::new(Far {
        db: request.db,
        args,
        limits: request.limits.clone(),
        stage: Stage::Start,
    })
}

struct Far {
    db: u16,
    args: Vec<Box<[u8]>>,
    limits: Limits,
    stage: Stage,
}

enum Stage {
    Start,
    Fetching,
    Working(Box<Job>),
}

impl Plan for Far {
    fn next(&mut self, answers: Vec<Answer>, reply: &mut Reply<'_>) -> Next {
        match std::mem::replace(&mut self.stage, Stage::Start) {
            Stage::Start => {
                self.stage = Stage::Fetching;
                let fetch = |key: &[u8]| Step::new(self.db, key, Op::Fetch { leave: true });
                Next::Run(vec![fetch(&self.args[1]), fetch(&self.args[2])])
            }
            Stage::Fetching => match self.begin(answers) {
                Ok(job) => {
                    self.stage = Stage::Working(Box::new(job));
                    Next::Again
                }
                Err(error) => {
                    reply.error(error);
                    Next::Done
                }
            },
            Stage::Working(mut job) => {
                if job.advance() {
                    job.answer(reply);
                    return Next::Done;
                }
                self.stage = Stage::Working(job);
                Next::Again
            }
        }
    }
}

impl Far {
    fn begin(&self, answers: Vec<Answer>) -> Result<Job, &'static str> {
        let mut texts = answers.into_iter().map(fetched_text);
        let mut text = || texts.next().unwrap_or_default();
        let (a, b) = (text(), text());
        Job::begin(a, b, self.args[3..].iter().map(|arg| &**arg), &self.limits)
    }
}

fn fetched_text(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Fetched(Some(value)) => text_of(value.value().string()),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check};

    #[test]
    fn lcs() {
        check(&[
            ("MSET a ohmytext b mynewtext", "+OK"),
            ("LCS a b", "$6 mytext"),
            ("LCS a b LEN", ":6"),
            ("LCS a none", "$0 "),
            ("LCS none none LEN", ":0"),
            (
                "LCS a b IDX",
                "map:2 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6",
            ),
            (
                "LCS a b IDX MINMATCHLEN 4",
                "map:2 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6",
            ),
            (
                "LCS a b idx minmatchlen 4 withmatchlen",
                "map:2 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6",
            ),
            ("LCS a none IDX", "map:2 $7 matches *0 $3 len :0"),
            ("MSET n 12345 m 345", "+OK"),
            ("LCS n m", "$3 345"),
        ]);
    }

    #[test]
    fn refusals() {
        let both = "-ERR If you want both the length and indexes, please just use IDX.";
        let over = "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
        let mut bench = Bench::default();
        bench.limits.max_bulk_bytes = 63;
        bench.check(&[
            ("LCS a b LEN IDX", both),
            ("LCS a b FOO", "-ERR syntax error"),
            ("LCS a b MINMATCHLEN", "-ERR syntax error"),
            (
                "LCS a b MINMATCHLEN x",
                "-ERR value is not an integer or out of range",
            ),
            ("MSET a abc b abc", "+OK"),
            ("LCS a b", over),
        ]);
    }

    #[test]
    fn long_strings_are_aligned_in_slices() {
        let mut bench = Bench::default();
        let (a, b) = ("abc".repeat(200), "bca".repeat(200));
        bench.run(&["SET", "a", &a]);
        bench.run(&["SET", "b", &b]);
        assert_eq!(bench.run(&["LCS", "a", "b", "LEN"]), ":599");
        assert!(bench.slices > 5, "{} slices", bench.slices);
    }
}
