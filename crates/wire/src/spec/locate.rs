//! Finding the keys in a request, by the command's key specs.

use super::command::CommandSpec;
use super::keys::{Begin, Find, KeyFlags, KeySpec};
use crate::args::Args;
use crate::number::parse_i64;
use crate::reply::Reply;

/// The request's keys cannot be told: it is malformed in a way that its handler will answer, or they depend on
/// more than the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the arguments do not tell where the keys are")]
pub struct NoKeys;

/// The arguments that one spec says are keys: from, through, step.
struct Positions {
    first: usize,
    last: usize,
    step: usize,
}

impl CommandSpec {
    /// Calls `f` with the position of each key in `args`, in the order of the specs. Positions that routing
    /// alone treats as keys are left out.
    ///
    /// On an error some positions may have been given already; they are not to be used.
    pub fn key_positions(&self, args: &Args<'_>, mut f: impl FnMut(usize)) -> Result<(), NoKeys> {
        self.keys_with_flags(args, |at, _| f(at))
    }

    /// As [`key_positions`](Self::key_positions), with what the command does to each key.
    pub fn keys_with_flags(
        &self,
        args: &Args<'_>,
        mut f: impl FnMut(usize, KeyFlags),
    ) -> Result<(), NoKeys> {
        for spec in self
            .keys
            .iter()
            .filter(|spec| !spec.flags.has(KeyFlags::NOT_KEY))
        {
            let Some(at) = spec.positions(args)? else {
                continue;
            };
            (at.first..=at.last)
                .step_by(at.step)
                .for_each(|position| f(position, spec.flags));
            if spec.flags.has(KeyFlags::INCOMPLETE) {
                return Err(NoKeys);
            }
        }
        Ok(())
    }

    /// The position of the first key, what most routing needs; none if there is none or it cannot be told.
    /// Arguments that are no keys but routed as keys count.
    #[inline]
    pub fn first_key(&self, args: &Args<'_>) -> Option<usize> {
        let spec = self.keys.first()?;
        if let (Begin::Index(first), Find::Range { .. }) = (spec.begin, spec.find) {
            let first = usize::from(first);
            return (first < args.len()).then_some(first);
        }
        self.keys
            .iter()
            .find_map(|spec| spec.positions(args).ok().flatten())
            .map(|at| at.first)
    }

    /// Writes the answer to `COMMAND GETKEYS` for the request `args` of this command.
    pub fn write_keys(&self, args: &Args<'_>, reply: &mut Reply<'_>) {
        if self
            .keys
            .iter()
            .all(|spec| spec.flags.has(KeyFlags::NOT_KEY))
        {
            return reply.error("ERR The command has no key arguments");
        }
        if !self.arity_ok(args.len()) {
            return reply.error("ERR Invalid number of arguments specified for command");
        }
        let mut keys = Vec::new();
        let found = self.key_positions(args, |at| keys.push(at));
        if found.is_err() || keys.is_empty() {
            if self.flags.has(super::Flags::NO_MANDATORY_KEYS) {
                return reply.empty_array();
            }
            return reply.error("ERR Invalid arguments specified for command");
        }
        reply.array(keys.len());
        for at in keys {
            reply.bulk(&args[at]);
        }
    }
}

impl KeySpec {
    /// The keys of this spec in `args`; none if a word it looks for is not there.
    fn positions(&self, args: &Args<'_>) -> Result<Option<Positions>, NoKeys> {
        let begin = match self.begin {
            Begin::Index(index) => usize::from(index),
            Begin::Keyword { word, from } => match find_word(args, word, from) {
                Some(at) => at + 1,
                None => return Ok(None),
            },
            Begin::Unknown => return Err(NoKeys),
        };
        let (first, last, step) = match self.find {
            Find::Range { last, step, limit } => {
                (begin, last_of_range(args.len(), begin, last, limit)?, step)
            }
            Find::Count { at, first, step } => {
                let count = args
                    .get(begin + usize::from(at))
                    .and_then(parse_i64)
                    .ok_or(NoKeys)?;
                let first = begin + usize::from(first);
                // A count is a number of keys, also where other arguments stand between them.
                let last = usize::try_from(count)
                    .ok()
                    .and_then(|count| (count.checked_sub(1)?).checked_mul(step.into()));
                (
                    first,
                    last.and_then(|span| first.checked_add(span))
                        .ok_or(NoKeys)?,
                    step,
                )
            }
            Find::Unknown => return Err(NoKeys),
        };
        if first >= args.len() || last >= args.len() || last < first {
            return Err(NoKeys);
        }
        Ok(Some(Positions {
            first,
            last,
            step: usize::from(step).max(1),
        }))
    }
}

/// Where `word` stands, from `from` on (but not as the last argument, where no key could follow), or backwards (but
/// not as the first) if `from` is negative.
fn find_word(args: &Args<'_>, word: &str, from: i16) -> Option<usize> {
    let is_word = |at: &usize| args[*at].eq_ignore_ascii_case(word.as_bytes());
    let distance = usize::from(from.unsigned_abs());
    if from < 0 {
        let start = args.len().checked_sub(distance)?;
        return (2..=start)
            .rev()
            .filter(|at| *at < args.len())
            .find(is_word);
    }
    (distance.max(1)..args.len().saturating_sub(1)).find(is_word)
}

fn last_of_range(len: usize, begin: usize, last: i16, limit: u16) -> Result<usize, NoKeys> {
    if let Ok(offset) = usize::try_from(last) {
        return Ok(begin + offset);
    }
    let back = usize::from(last.unsigned_abs());
    let end = if limit > 1 {
        begin + len.saturating_sub(begin) / usize::from(limit)
    } else {
        len
    };
    end.checked_sub(back).ok_or(NoKeys)
}
