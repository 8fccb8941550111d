//! A batch: the commands of one pipeline read that live on one other shard.
//!
//! It travels there as one message, is executed in order, and comes home with the replies in it, so
//! that every byte it carries is allocated and freed by the shard that asked.

use std::sync::Arc;

use corelane_store::{Command, Split};
use corelane_wire::{Args, Proto, Span};

use crate::ahead::{AHEAD, Ahead};
use crate::catalog::CommandId;
use crate::elsewhere::Blocked;
use crate::owned::OwnedArgs;
use crate::room::{SharedRoom, TooLarge};
use crate::shard::Shard;
use crate::slice::Slice;

/// How a command was called: what its arguments do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which command, for the counters of the shard that executes it.
    pub id: CommandId,
    /// Selected database.
    pub db: u16,
    /// The protocol the reply is written in.
    pub proto: Proto,
    /// Slot of the first key, when the router has already worked it out.
    pub slot: Option<u16>,
}

/// One command of a batch.
#[derive(Debug)]
struct Item {
    command: &'static Command,
    call: Call,
    first_span: u32,
    span_count: u32,
    /// The room of the reply that this one's is a part of.
    room: Option<Arc<SharedRoom>>,
}

impl Item {
    fn spans<'s>(&self, all: &'s [Span]) -> &'s [Span] {
        &all[self.first_span as usize..][..self.span_count as usize]
    }
}

/// Replies that one trip brings home at most, but for the last one of them: so much memory one
/// connection can make another shard hold.
pub(crate) const TRIP_OUTPUT_BYTES: usize = 256 * 1024;

/// Commands out, replies back.
#[derive(Debug, Default)]
pub struct Batch {
    input: Vec<u8>,
    spans: Vec<Span>,
    items: Vec<Item>,
    /// Replies of the last trip, and where each ends.
    output: Vec<u8>,
    ends: Vec<usize>,
    first_reply: usize,
    executed: usize,
    /// Commands of the last trip that did not run, ascending: the shard does not hold their keys.
    elsewhere: Vec<u32>,
    /// The reply of the last command that ran would be too long. None is there, and no further command runs.
    is_too_large: bool,
}

impl Batch {
    /// Appends a command whose arguments are copied from `args`. Where its reply is a part of one, that has `room`.
    pub(crate) fn push<'a>(
        &mut self,
        command: &'static Command,
        call: Call,
        args: impl Iterator<Item = &'a [u8]>,
        room: Option<Arc<SharedRoom>>,
    ) {
        let first_span = self.spans.len() as u32;
        for arg in args {
            let start = self.input.len() as u32;
            self.input.extend_from_slice(arg);
            self.spans.push(Span {
                start,
                end: self.input.len() as u32,
            });
        }
        let span_count = self.spans.len() as u32 - first_span;
        self.items.push(Item {
            command,
            call,
            first_span,
            span_count,
            room,
        });
    }

    /// Executes commands in order on the shard that owns their keys, until all are done, the replies
    /// have grown to [`TRIP_OUTPUT_BYTES`], or a slice of the shard's time is over; the rest waits for
    /// the next trip.
    pub(crate) fn execute(&mut self, shard: &mut Shard) {
        self.begin_trip();
        let mut blocked = Blocked::default();
        let mut slice = Slice::default();
        while self.executed < self.items.len() && self.output.len() < TRIP_OUTPUT_BYTES {
            if self.executed.is_multiple_of(AHEAD) {
                self.look_ahead(shard);
            }
            let item = &self.items[self.executed];
            let args = Args::new(&self.input, item.spans(&self.spans));
            if blocked.lets_run(shard, item.command, &item.call, args) {
                let (out, room) = (&mut self.output, item.room.as_deref());
                if let Err(TooLarge) = shard.execute(item.command, &item.call, args, out, room) {
                    self.is_too_large = true;
                    break;
                }
            } else {
                self.elsewhere.push(self.executed as u32);
            }
            self.ends.push(self.output.len());
            self.executed += 1;
            if slice.is_over(&item.command.spec, args.len()) {
                break;
            }
        }
    }

    fn begin_trip(&mut self) {
        self.output.clear();
        self.ends.clear();
        self.elsewhere.clear();
        self.first_reply = self.executed;
    }

    /// The shard took nothing of this trip: it sleeps, so that all keys are elsewhere.
    pub(crate) fn turned_away(&mut self) {
        self.begin_trip();
        self.elsewhere
            .extend(self.executed as u32..self.items.len() as u32);
        self.ends.resize(self.items.len() - self.executed, 0);
        self.executed = self.items.len();
    }

    /// Whether a reply would be too long: none is to be had of this batch any more.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Whether commands of the last trip did not run.
    pub(crate) fn has_elsewhere(&self) -> bool {
        !self.elsewhere.is_empty()
    }

    /// Whether command `index` did not run in the last trip.
    pub(crate) fn is_elsewhere(&self, index: u32) -> bool {
        self.elsewhere.binary_search(&index).is_ok()
    }

    /// Command `index`, to be run where its keys are.
    pub(crate) fn command(&self, index: u32) -> (&'static Command, Call, OwnedArgs) {
        let item = &self.items[index as usize];
        let args = Args::new(&self.input, item.spans(&self.spans));
        (item.command, item.call, OwnedArgs::copy(args))
    }

    /// Asks for the memory of the next commands' keys.
    fn look_ahead(&self, shard: &Shard) {
        let mut ahead = Ahead::default();
        let next = self.items[self.executed..].iter().take(AHEAD);
        let mut db = None;
        for item in next.filter(|item| item.command.split == Split::Single) {
            let args = Args::new(&self.input, item.spans(&self.spans));
            if let (Some(slot), Some(at)) = (item.call.slot, item.command.spec.first_key(&args))
                && *db.get_or_insert(item.call.db) == item.call.db
            {
                ahead.push(args.at(at), slot);
            }
        }
        if let Some(db) = db {
            shard.look_ahead(db, &ahead);
        }
    }

    /// Whether commands are left for another trip.
    pub(crate) fn has_more(&self) -> bool {
        self.executed < self.items.len()
    }

    /// The number of the first command that has not run yet.
    pub(crate) fn executed(&self) -> usize {
        self.executed
    }

    /// Number of commands.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of arguments carried.
    pub(crate) fn input_bytes(&self) -> usize {
        self.input.len()
    }

    /// The reply of command `index`, in the order in which they were pushed; none if the command
    /// has not run yet. Replies of earlier trips are gone.
    pub(crate) fn reply(&self, index: usize) -> Option<&[u8]> {
        let at = index.checked_sub(self.first_reply)?;
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.output[start..end])
    }

    /// Empties the batch for its next trip; big buffers are given back to the allocator.
    pub(crate) fn recycle(&mut self) {
        self.first_reply = 0;
        self.executed = 0;
        self.is_too_large = false;
        empty(&mut self.elsewhere, KEPT_BUFFER_BYTES);
        empty(&mut self.input, KEPT_BUFFER_BYTES);
        empty(&mut self.spans, KEPT_BUFFER_BYTES);
        empty(&mut self.items, KEPT_BUFFER_BYTES);
        empty(&mut self.output, KEPT_BUFFER_BYTES);
        empty(&mut self.ends, KEPT_BUFFER_BYTES);
    }
}

/// A buffer above this size is not kept for reuse.
const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// Empties a buffer, and gives its memory back where that is more than `kept_bytes`.
pub(crate) fn empty<T>(buffer: &mut Vec<T>, kept_bytes: usize) {
    if buffer.capacity() * size_of::<T>() > kept_bytes {
        *buffer = Vec::new();
    } else {
        buffer.clear();
    }
}

/// Batches that wait for their next use; one pool per shard, so that idle connections hold none.
#[derive(Debug, Default)]
#[allow(
    clippy::vec_box,
    reason = "the box is what crosses the mesh, and comes back as it left"
)]
pub(crate) struct BatchPool {
    spare: Vec<Box<Batch>>,
}

/// Spare batches kept per shard.
const SPARE_BATCHES: usize = 256;

impl BatchPool {
    pub(crate) fn take(&mut self) -> Box<Batch> {
        self.spare.pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&mut self, mut batch: Box<Batch>) {
        if self.spare.len() < SPARE_BATCHES {
            batch.recycle();
            self.spare.push(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_big_command_leaves_nothing_big_in_the_pool() {
        let command = corelane_store::COMMANDS[0];
        let call = Call {
            id: CommandId(0),
            db: 0,
            proto: Proto::Resp2,
            slot: None,
        };
        let (mut pool, mut batch) = (BatchPool::default(), Box::<Batch>::default());
        let args = std::iter::repeat_n(&b"argument"[..], 100_000);
        batch.push(command, call, args, None);
        for _ in 0..100_000 {
            batch.push(command, call, std::iter::empty(), None);
            batch.ends.push(0);
        }
        batch.output.resize(1 << 20, 0);
        pool.give_back(batch);
        let batch = pool.take();
        let held = [
            batch.input.capacity(),
            batch.spans.capacity() * size_of::<Span>(),
            batch.items.capacity() * size_of::<Item>(),
            batch.output.capacity(),
            batch.ends.capacity() * size_of::<usize>(),
        ];
        assert!(
            held.iter().all(|bytes| *bytes <= KEPT_BUFFER_BYTES),
            "{held:?}"
        );
    }
}
