//! Putting replies in place: those of other shards between those of this one, in the order of the commands.

use std::ops::Range;

use corelane::ShardId;
use corelane_store::Split;

use super::Pipeline;
use crate::merge;
use crate::room::{TooLarge, UNLIMITED_OUTPUT_BYTES};

/// A reply that is not in the local output: where it belongs and where it comes from.
#[derive(Debug)]
pub(super) enum Gap {
    /// One command's reply, next in line in the batch of `shard`.
    Hop { at: usize, part: Part },
    /// Several parts' replies, to be folded into one.
    Folded {
        at: usize,
        split: Split,
        parts: Range<u32>,
        keys: Range<u32>,
    },
}

/// One shard's part of a command that was split.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// Answered at once; the reply lies in `aside[start..end]`.
    Here { start: usize, end: usize },
    /// The `index`th command of the batch to `shard`.
    There { shard: ShardId, index: u32 },
    /// Not answered: its keys are no longer here. The number is that of its [`Deferred`].
    Deferred(u32),
    /// Run again and answered; the number is that of its reply.
    Settled(u32),
}

/// How far putting replies in place has come.
#[derive(Debug, Default)]
pub(super) struct Merge {
    pub(super) begun: bool,
    /// Replies of this shard, to stand between the gaps.
    pub(super) local: Vec<u8>,
    /// Of these, what is in place.
    pub(super) written: usize,
    /// The first gap without its reply.
    pub(super) gap: usize,
}

impl Pipeline {
    /// Writes local output and the gaps' replies in the order of the commands, as far as they go.
    ///
    /// # Errors
    /// Parts that are short enough are too long together.
    pub(super) fn place_replies(&mut self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        while let Some(gap) = self.gaps.get(self.merge.gap) {
            let at = match gap {
                Gap::Hop { at, .. } | Gap::Folded { at, .. } => *at,
            };
            let start = out.len();
            out.extend_from_slice(&self.merge.local[self.merge.written..at]);
            let placed = match gap {
                Gap::Hop { part, .. } => self
                    .reply_of(part)
                    .map(|reply| out.extend_from_slice(reply)),
                Gap::Folded {
                    split, parts, keys, ..
                } => {
                    let replies: Option<Vec<&[u8]>> = self.parts[range(parts)]
                        .iter()
                        .map(|part| self.reply_of(part))
                        .collect();
                    if replies
                        .as_deref()
                        .is_some_and(|parts| self.are_too_long(parts))
                    {
                        return Err(TooLarge);
                    }
                    let order = &self.key_parts[range(keys)];
                    replies.map(|replies| merge::fold(*split, &replies, order, out))
                }
            };
            if placed.is_none() {
                out.truncate(start);
                return Ok(());
            }
            self.merge.written = at;
            self.merge.gap += 1;
            if self.elsewhere.is_some() {
                self.forget_settled(self.merge.gap - 1);
            }
        }
        Ok(())
    }

    fn are_too_long(&self, parts: &[&[u8]]) -> bool {
        let bytes: usize = parts.iter().map(|part| merge::elements(part).len()).sum();
        bytes > UNLIMITED_OUTPUT_BYTES && bytes > self.node.max_reply_bytes()
    }

    fn reply_of(&self, part: &Part) -> Option<&[u8]> {
        match *part {
            Part::Here { start, end } => Some(&self.aside[start..end]),
            Part::Deferred(_) => None,
            Part::Settled(number) => {
                let elsewhere = self.elsewhere.as_deref();
                elsewhere.map(|elsewhere| elsewhere.settled[number as usize].as_slice())
            }
            Part::There { shard, index } => match &self.batches[shard.index()] {
                Some(batch) => batch.reply(index as usize),
                None => Some(merge::SHARD_GONE),
            },
        }
    }
}

/// Of the pipeline's lists.
pub(super) fn range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
