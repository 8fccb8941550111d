//! A connection's pipeline: each command goes to the shard that owns its key, the replies come back
//! in the order of the commands.
//!
//! Commands of this shard run at once; those of another shard are collected and travel as **one**
//! batch per shard and pipeline read. Order per connection and key holds because a key has one
//! owner, a batch keeps its order, and the next batch of a connection leaves only after the
//! replies of the one before have come home.
//!
//! - `replies`: where they stand, and putting them there
//! - `trips`: to other shards and back
//! - `reruns`: commands whose keys have moved meanwhile

mod replies;
mod reruns;
mod trips;

use std::rc::Rc;
use std::sync::Arc;

use corelane::{ShardId, ShardMap};
use corelane_settings::Routing;
use corelane_store::{Command, Split};
use corelane_wire::Args;

use self::replies::{Gap, Merge, Part};
use crate::ahead::Ahead;
use crate::batch::{Batch, Call, empty};
use crate::clients::Client;
use crate::cluster::{self, Door, Refusal, Verdict};
use crate::elsewhere::{Deferred, Elsewhere};
use crate::node::Node;
use crate::owned::OwnedArgs;
use crate::place::{self, Place};
use crate::room::{SharedRoom, TooLarge};
use crate::routing::Pass;
use crate::shard::Shard;

/// A list of notes above this size is not kept by an idle connection.
const RESTING_BYTES: usize = 2 * 1024;

/// What became of a submitted command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// Its reply is in the output already, or will be after [`Pipeline::flush`].
    InOrder,
    /// It concerns several shards in a way that must be awaited: flush, then
    /// [`Node::run_across`](crate::Node::run_across), or [`Node::run_alone`](crate::Node::run_alone) where it came by
    /// the shard's own port.
    Across,
    /// The connection is to go to this shard first; nothing was done.
    Elsewhere(ShardId),
    /// It came by a shard's own port, and another shard owns its slot: the client is to go there.
    Moved(u16, ShardId),
    /// It came by a shard's own port, which refuses it.
    Refused(Refusal),
    /// It ran, and its reply would be too long: the client is to be ended.
    TooLarge,
}

/// How far [`Pipeline::flush`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// All replies are in place.
    Whole,
    /// More are to come by further trips: what there is can be sent.
    More,
}

/// The pipeline of one connection. Empty between reads: a connection holds little here then ([`RESTING_BYTES`] of
/// each list), and nothing once it is idle ([`rest`](Self::rest)).
#[derive(Debug)]
pub struct Pipeline {
    node: Node,
    door: Door,
    map: Rc<ShardMap>,
    gaps: Vec<Gap>,
    parts: Vec<Part>,
    /// For each key of each split command: the index of its part, counted from the command's first.
    key_parts: Vec<u16>,
    aside: Vec<u8>,
    /// By shard; none where nothing has hopped yet.
    batches: Vec<Option<Box<Batch>>>,
    waiting_bytes: usize,
    merge: Merge,
    way: Routing,
    pass: Pass,
    /// Commands that came to a shard without their keys; in a box, for there are hardly ever any.
    elsewhere: Option<Box<Elsewhere>>,
    /// Runs what was elsewhere, under a hold: what is still elsewhere then is nowhere.
    is_rerun: bool,
}

impl Pipeline {
    /// A pipeline for a connection that lives on `node`'s shard, to which it came by `door`.
    pub fn new(node: Node, door: Door) -> Self {
        let map = node.mesh().map();
        Self {
            node,
            door,
            map,
            gaps: Vec::new(),
            parts: Vec::new(),
            key_parts: Vec::new(),
            aside: Vec::new(),
            batches: Vec::new(),
            waiting_bytes: 0,
            merge: Merge::default(),
            way: Routing::Hop,
            pass: Pass::default(),
            elsewhere: None,
            is_rerun: false,
        }
    }

    /// The way that commands for other shards take from now on. In the split layout they hop: where the data
    /// is, no connection lives.
    #[inline]
    pub fn set_way(&mut self, way: Routing) {
        self.way = match self.map.io_shards() {
            0 => way,
            _ => Routing::Hop,
        };
    }

    /// The connection stays where it is for the rest of the pass.
    pub fn stay(&mut self) {
        if self.way == Routing::Migrate {
            self.way = Routing::Hop;
        }
    }

    /// Goes by the newest map from now on. To be called before the first command of a read: all commands
    /// of one read go by one map, so that those on one key stay together.
    #[inline]
    pub fn begin_pass(&mut self) {
        if self.gaps.is_empty() && self.node.mesh().map_epoch() != self.map.epoch() {
            self.take_map();
        }
    }

    #[cold]
    fn take_map(&mut self) {
        self.map = self.node.mesh().map();
        self.batches = Vec::new();
    }

    /// Gives back what is kept for the next commands: the connection is idle.
    pub fn rest(&mut self) {
        if self.gaps.is_empty() {
            self.gaps = Vec::new();
            self.parts = Vec::new();
            self.key_parts = Vec::new();
            self.batches = Vec::new();
        }
    }

    /// Runs the command, or puts it in line. Replies of this shard are appended to `out`.
    pub fn submit(
        &mut self,
        command: &'static Command,
        mut call: Call,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Submitted {
        if let Door::Shard(home) = self.door {
            return self.submit_pinned(home, command, call, args, out);
        }
        match place::place(command, args, &self.map, &mut call.slot) {
            Place::Here => {
                let ran = self.node.mesh().with(|shard| {
                    shard.stats.local_commands += 1;
                    shard.execute(command, &call, args, out, None)
                });
                submitted(ran)
            }
            Place::On(shard) if shard == self.node.shard_id() => {
                self.pass.needs_here();
                self.here(command, call, args, out)
            }
            Place::On(shard) if self.way == Routing::Migrate => Submitted::Elsewhere(shard),
            Place::On(shard) => {
                let part = self.hop(shard, command, call, args.iter(), None);
                self.gaps.push(Gap::Hop {
                    at: out.len(),
                    part,
                });
                Submitted::InOrder
            }
            Place::Apart if command.split.by_key() => {
                submitted(self.split(command, call, args, out.len()))
            }
            Place::Apart | Place::Everywhere => Submitted::Across,
        }
    }

    /// As [`submit`](Self::submit) for a connection that came by the port of `home`: nothing leaves that shard, and so
    /// there are no gaps.
    fn submit_pinned(
        &mut self,
        home: ShardId,
        command: &'static Command,
        mut call: Call,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Submitted {
        match cluster::judge(command, args, &self.map, home, &mut call.slot) {
            Verdict::Here if home == self.node.shard_id() => {
                self.pass.needs_here();
                let ran = self.node.mesh().with(|shard| {
                    shard.holds(command, &call, args).then(|| {
                        shard.stats.local_commands += 1;
                        shard.execute(command, &call, args, out, None)
                    })
                });
                // Otherwise its partition has just left: who awaits it looks again.
                ran.map_or(Submitted::Across, submitted)
            }
            Verdict::Here | Verdict::Awaited => Submitted::Across,
            Verdict::Moved(slot, owner) => Submitted::Moved(slot, owner),
            Verdict::Refused(refusal) => Submitted::Refused(refusal),
        }
    }

    /// Asks for the memory that commands about to be submitted will touch.
    pub fn look_ahead(&self, db: u16, ahead: &Ahead<'_>) {
        self.node.mesh().with(|shard| shard.look_ahead(db, ahead));
    }

    /// Whether replies of other shards are still to come.
    pub fn is_waiting(&self) -> bool {
        !self.gaps.is_empty()
    }

    #[inline]
    fn here(
        &mut self,
        command: &'static Command,
        call: Call,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Submitted {
        let elsewhere = &mut self.elsewhere;
        match run_here(&self.node, elsewhere, command, &call, args, out, None) {
            Some(ran) => submitted(ran),
            None => {
                let part = self.defer(command, call, OwnedArgs::copy(args));
                let at = out.len();
                self.gaps.push(Gap::Hop { at, part });
                Submitted::InOrder
            }
        }
    }

    /// Puts a command of this shard aside whose keys are elsewhere.
    #[cold]
    fn defer(&mut self, command: &'static Command, call: Call, args: OwnedArgs) -> Part {
        self.waiting_bytes += args.len_bytes();
        let deferred = &mut self.elsewhere.get_or_insert_default().deferred;
        deferred.push(Deferred {
            command,
            call,
            args,
        });
        Part::Deferred(deferred.len() as u32 - 1)
    }

    /// Bytes of commands that wait for [`flush`](Self::flush), for the caller's limit.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Sends what waits for other shards and puts their replies in place. Big replies come in several trips, so that
    /// the caller can send what there is in between.
    ///
    /// # Errors
    /// A reply would be too long. The client is to be ended, and the pipeline with it.
    pub async fn flush(&mut self, out: &mut Vec<u8>) -> Result<Flushed, TooLarge> {
        if self.gaps.is_empty() {
            return Ok(Flushed::Whole);
        }
        if !self.merge.begun {
            self.merge = Merge {
                begun: true,
                local: std::mem::take(out),
                ..Merge::default()
            };
        }
        let began_ns = self.measure();
        self.exchange().await;
        self.note_trip(began_ns);
        if self.batches.iter().flatten().any(|b| b.is_too_large()) {
            return Err(TooLarge);
        }
        if self.has_elsewhere() {
            self.settle().await?;
        }
        self.place_replies(out)?;
        if self.merge.gap < self.gaps.len() {
            return Ok(Flushed::More);
        }
        out.extend_from_slice(&self.merge.local[self.merge.written..]);
        self.finish();
        Ok(Flushed::Whole)
    }

    /// The end of a pass of `client`'s, everything before answered: the shard where it had better live,
    /// if that is another.
    #[inline]
    pub fn end_pass(&mut self, client: &Client) -> Option<ShardId> {
        if self.pass.is_at_home() && client.course.is_calm() {
            self.pass.begin_after_home();
            return None;
        }
        self.judge(client)
    }

    fn judge(&mut self, client: &Client) -> Option<ShardId> {
        let pass = std::mem::take(&mut self.pass);
        if pass.is_empty() {
            return None;
        }
        self.node.mesh().with(|shard| {
            let costs = shard.gauge.costs();
            client.course.note(self.way, &pass, &costs, &shard.loads)
        })
    }

    fn finish(&mut self) {
        let mut hops = 0;
        for batch in self.batches.iter_mut().filter_map(Option::take) {
            hops += batch.len() as u64;
            self.node.batches().give_back(batch);
        }
        self.node.with_stats(|stats| stats.hops += hops);
        self.merge = Merge::default();
        empty(&mut self.gaps, RESTING_BYTES);
        empty(&mut self.parts, RESTING_BYTES);
        empty(&mut self.key_parts, RESTING_BYTES);
        self.aside = Vec::new();
        self.waiting_bytes = 0;
        self.elsewhere = None;
        self.begin_pass();
    }

    fn hop<'a>(
        &mut self,
        shard: ShardId,
        command: &'static Command,
        call: Call,
        args: impl Iterator<Item = &'a [u8]>,
        room: Option<Arc<SharedRoom>>,
    ) -> Part {
        self.pass.needs(shard);
        if self.batches.len() <= shard.index() {
            self.batches.resize_with(self.map.shards(), || None);
        }
        let slot = &mut self.batches[shard.index()];
        let batch = slot.get_or_insert_with(|| self.node.batches().take());
        let before = batch.input_bytes();
        batch.push(command, call, args, room);
        self.waiting_bytes += batch.input_bytes() - before;
        Part::There {
            shard,
            index: batch.len() as u32 - 1,
        }
    }

    /// Cuts a command into one per shard, each with that shard's keys in their order.
    fn split(
        &mut self,
        command: &'static Command,
        call: Call,
        args: Args<'_>,
        at: usize,
    ) -> Result<(), TooLarge> {
        let (first_part, first_key) = (self.parts.len() as u32, self.key_parts.len() as u32);
        let call = Call { slot: None, ..call };
        let groups = place::KeyGroups::of(command, args);
        let mut owners: Vec<ShardId> = Vec::new();
        for key in groups.keys() {
            let owner = place::owner_of(key, &self.map);
            let part = owners.iter().position(|o| *o == owner).unwrap_or_else(|| {
                owners.push(owner);
                owners.len() - 1
            });
            self.key_parts.push(part as u16);
        }
        let room = self.room_of(command, owners.len());
        for (part, owner) in owners.into_iter().enumerate() {
            let chosen = &self.key_parts[first_key as usize..];
            let mine = groups.command_for(|key| chosen[key] as usize == part);
            let answered = if owner == self.node.shard_id() {
                self.pass.needs_here();
                let (start, aside) = (self.aside.len(), &mut self.aside);
                let (elsewhere, room) = (&mut self.elsewhere, room.as_deref());
                match run_here(
                    &self.node,
                    elsewhere,
                    command,
                    &call,
                    mine.args(),
                    aside,
                    room,
                ) {
                    Some(ran) => {
                        ran?;
                        let end = self.aside.len();
                        Part::Here { start, end }
                    }
                    None => self.defer(command, call, mine),
                }
            } else {
                self.hop(owner, command, call, mine.args().iter(), room.clone())
            };
            self.parts.push(answered);
        }
        let parts = first_part..self.parts.len() as u32;
        let keys = first_key..self.key_parts.len() as u32;
        self.gaps.push(Gap::Folded {
            at,
            split: command.split,
            parts,
            keys,
        });
        Ok(())
    }

    /// The room of a reply that is put together from so many parts; those that are folded into a few bytes need none.
    fn room_of(&self, command: &Command, parts: usize) -> Option<Arc<SharedRoom>> {
        let is_joined = command.split == Split::InOrder;
        is_joined.then(|| SharedRoom::new(self.node.max_reply_bytes(), parts))
    }
}

/// What became of a command that has run.
fn submitted(ran: Result<(), TooLarge>) -> Submitted {
    match ran {
        Ok(()) => Submitted::InOrder,
        Err(TooLarge) => Submitted::TooLarge,
    }
}

/// Runs a command of this shard, unless its keys are elsewhere.
#[inline]
fn run_here(
    node: &Node,
    elsewhere: &mut Option<Box<Elsewhere>>,
    command: &'static Command,
    call: &Call,
    args: Args<'_>,
    out: &mut Vec<u8>,
    room: Option<&SharedRoom>,
) -> Option<Result<(), TooLarge>> {
    node.mesh().with(|shard| {
        let runs = (elsewhere.is_none() && shard.holds(command, call, args))
            || is_still_here(shard, elsewhere, command, call, args);
        runs.then(|| {
            shard.stats.local_commands += 1;
            shard.execute(command, call, args, out, room)
        })
    })
}

/// The same question where something of this pass is elsewhere already, or is from now on.
#[cold]
fn is_still_here(
    shard: &Shard,
    elsewhere: &mut Option<Box<Elsewhere>>,
    command: &Command,
    call: &Call,
    args: Args<'_>,
) -> bool {
    let blocked = &mut elsewhere.get_or_insert_default().blocked;
    blocked.lets_run(shard, command, call, args)
}
