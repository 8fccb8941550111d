//! A connection's pipeline: each command goes to the shard that owns its key, the replies come back
//! in the order of the commands.
//!
//! Commands of this shard run at once; those of another shard are collected and travel as **one**
//! batch per shard and pipeline read. Order per connection and key holds because a key has one
//! owner, a batch keeps its order, and the next batch of a connection leaves only after the
//! replies of the one before have come home.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;

use corelane::{MapHold, ShardId, ShardMap};
use corelane_settings::Routing;
use corelane_store::{Command, Split};
use corelane_wire::Args;
use smallvec::SmallVec;

use crate::ahead::Ahead;
use crate::batch::{Batch, Call, TRIP_OUTPUT_BYTES, empty};
use crate::clients::Client;
use crate::cluster::{self, Door, Refusal, Verdict};
use crate::elsewhere::{Deferred, Elsewhere};
use crate::merge;
use crate::node::Node;
use crate::owned::OwnedArgs;
use crate::place::{self, Place};
use crate::request::{Reply, Request};
use crate::routing::Pass;
use crate::shard::Shard;

/// Calls to as many shards need no allocation. A connection holds room for them even while it is
/// idle, and where more shards are called at once, more requests share the cost.
const INLINE_CALLS: usize = 1;

/// A list of notes above this size is not kept by an idle connection.
const RESTING_BYTES: usize = 2 * 1024;

/// Trips with more than this to carry are not measured.
const MEASURED_BYTES: usize = 1024;

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
}

/// A reply that is not in the local output: where it belongs and where it comes from.
#[derive(Debug)]
enum Gap {
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
pub(crate) enum Part {
    /// Answered at once; the reply lies in `aside[start..end]`.
    Here { start: usize, end: usize },
    /// The `index`th command of the batch to `shard`.
    There { shard: ShardId, index: u32 },
    /// Not answered: its keys are no longer here. The number is that of its [`Deferred`].
    Deferred(u32),
    /// Run again and answered; the number is that of its reply.
    Settled(u32),
}

/// Where a part of a reply is noted.
#[derive(Debug, Clone, Copy)]
enum Spot {
    Gap(usize),
    Part(usize),
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

/// How far putting replies in place has come.
#[derive(Debug, Default)]
struct Merge {
    begun: bool,
    /// Replies of this shard, to stand between the gaps.
    local: Vec<u8>,
    /// Of these, what is in place.
    written: usize,
    /// The first gap without its reply.
    gap: usize,
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
        if self.door.is_pinned() {
            return self.submit_pinned(command, call, args, out);
        }
        match place::place(command, args, &self.map, &mut call.slot) {
            Place::Here => {
                self.node.mesh().with(|shard| {
                    shard.stats.local_commands += 1;
                    shard.execute(command, &call, args, out);
                });
                Submitted::InOrder
            }
            Place::On(shard) if shard == self.node.shard_id() => {
                self.pass.needs_here();
                self.here(command, call, args, out)
            }
            Place::On(shard) if self.way == Routing::Migrate => Submitted::Elsewhere(shard),
            Place::On(shard) => {
                let part = self.hop(shard, command, call, args.iter());
                self.gaps.push(Gap::Hop {
                    at: out.len(),
                    part,
                });
                Submitted::InOrder
            }
            Place::Apart if command.split.by_key() => {
                self.split(command, call, args, out.len());
                Submitted::InOrder
            }
            Place::Apart | Place::Everywhere => Submitted::Across,
        }
    }

    /// As [`submit`](Self::submit) for a connection that came by this shard's own port: nothing leaves the shard, and so
    /// there are no gaps.
    fn submit_pinned(
        &mut self,
        command: &'static Command,
        mut call: Call,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Submitted {
        let here = self.node.shard_id();
        match cluster::judge(command, args, &self.map, here, &mut call.slot) {
            Verdict::Here => {
                self.pass.needs_here();
                let ran = self.node.mesh().with(|shard| {
                    let holds = shard.holds(command, &call, args);
                    if holds {
                        shard.stats.local_commands += 1;
                        shard.execute(command, &call, args, out);
                    }
                    holds
                });
                match ran {
                    true => Submitted::InOrder,
                    // Its partition has just left: who awaits it looks again.
                    false => Submitted::Across,
                }
            }
            Verdict::Awaited => Submitted::Across,
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
        if !run_here(&self.node, &mut self.elsewhere, command, &call, args, out) {
            let part = self.defer(command, call, OwnedArgs::copy(args));
            let at = out.len();
            self.gaps.push(Gap::Hop { at, part });
        }
        Submitted::InOrder
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

    /// Sends what waits for other shards and puts their replies in place. Big replies come in
    /// several trips: returns whether more are to come, so that the caller can send what there is.
    pub async fn flush(&mut self, out: &mut Vec<u8>) -> bool {
        if self.gaps.is_empty() {
            return false;
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
        if self.has_elsewhere() {
            self.settle().await;
        }
        self.place_replies(out);
        if self.merge.gap < self.gaps.len() {
            return true;
        }
        out.extend_from_slice(&self.merge.local[self.merge.written..]);
        self.finish();
        false
    }

    /// When the trips that are about to begin do so, if these are to be measured. Those with much to carry
    /// say nothing about trips.
    fn measure(&self) -> Option<u64> {
        let due = self.node.mesh().with(|shard| shard.gauge.is_due());
        (due && self.waiting_bytes < MEASURED_BYTES).then(corelane::time::read_ns)
    }

    fn note_trip(&self, began_ns: Option<u64>) {
        if let Some(began_ns) = began_ns {
            let took_ns = corelane::time::read_ns().saturating_sub(began_ns);
            self.node.mesh().with(|shard| shard.gauge.note_hop(took_ns));
        }
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
        let costs = self.node.mesh().with(|shard| shard.gauge.costs());
        client.course.note(self.way, &pass, &costs)
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

    /// One batch per shard leaves at once, then all are awaited. A batch whose last replies are not
    /// all in place yet stays at home.
    async fn exchange(&mut self) {
        let node = self.node.clone();
        let first_missing = self.merge.gap;
        let mut calls: SmallVec<[(usize, corelane::Call<Shard>); INLINE_CALLS]> = SmallVec::new();
        for index in 0..self.batches.len() {
            let goes = self.batches[index].as_ref().is_some_and(|batch| {
                batch.has_more() && self.is_settled(index, batch.executed(), first_missing)
            });
            if !goes {
                continue;
            }
            if let Some(batch) = self.batches[index].take() {
                let shard = ShardId::new(index as u16);
                calls.push((index, node.mesh().call(shard, Request::Batch(batch))));
            }
        }
        for (index, call) in &mut calls {
            let (index, shard) = (*index, ShardId::new(*index as u16));
            self.batches[index] = match node.patiently_or_back(shard, call).await {
                Ok(Reply::Batch(batch)) => Some(batch),
                Err(Some(Request::Batch(mut batch))) => {
                    batch.turned_away();
                    Some(batch)
                }
                Ok(_) | Err(_) => None,
            };
        }
    }

    /// Whether every reply that `shard` has given so far is in place: no gap from `first_missing`
    /// on uses one of the first `executed`.
    fn is_settled(&self, shard: usize, executed: usize, first_missing: usize) -> bool {
        if executed == 0 {
            return true;
        }
        let used = |part: &Part| match part {
            Part::There { shard: at, index } => at.index() == shard && (*index as usize) < executed,
            Part::Here { .. } | Part::Deferred(_) | Part::Settled(_) => false,
        };
        !self.gaps[first_missing..].iter().any(|gap| match gap {
            Gap::Hop { part, .. } => used(part),
            Gap::Folded { parts, .. } => self.parts[range(parts)].iter().any(used),
        })
    }

    fn hop<'a>(
        &mut self,
        shard: ShardId,
        command: &'static Command,
        call: Call,
        args: impl Iterator<Item = &'a [u8]>,
    ) -> Part {
        self.pass.needs(shard);
        if self.batches.len() <= shard.index() {
            self.batches.resize_with(self.map.shards(), || None);
        }
        let slot = &mut self.batches[shard.index()];
        let batch = slot.get_or_insert_with(|| self.node.batches().take());
        let before = batch.input_bytes();
        batch.push(command, call, args);
        self.waiting_bytes += batch.input_bytes() - before;
        Part::There {
            shard,
            index: batch.len() as u32 - 1,
        }
    }

    /// Cuts a command into one per shard, each with that shard's keys in their order.
    fn split(&mut self, command: &'static Command, call: Call, args: Args<'_>, at: usize) {
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
        for (part, owner) in owners.into_iter().enumerate() {
            let chosen = &self.key_parts[first_key as usize..];
            let mine = groups.command_for(|key| chosen[key] as usize == part);
            let answered = if owner == self.node.shard_id() {
                self.pass.needs_here();
                let (start, aside) = (self.aside.len(), &mut self.aside);
                match run_here(
                    &self.node,
                    &mut self.elsewhere,
                    command,
                    &call,
                    mine.args(),
                    aside,
                ) {
                    true => Part::Here {
                        start,
                        end: self.aside.len(),
                    },
                    false => self.defer(command, call, mine),
                }
            } else {
                self.hop(owner, command, call, mine.args().iter())
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
    }

    /// Writes local output and the gaps' replies in the order of the commands, as far as they go.
    fn place_replies(&mut self, out: &mut Vec<u8>) {
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
                    let order = &self.key_parts[range(keys)];
                    replies.map(|replies| merge::fold(*split, &replies, order, out))
                }
            };
            if placed.is_none() {
                out.truncate(start);
                return;
            }
            self.merge.written = at;
            self.merge.gap += 1;
            if self.elsewhere.is_some() {
                self.forget_settled(self.merge.gap - 1);
            }
        }
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

/// Commands whose keys are elsewhere.
impl Pipeline {
    fn has_elsewhere(&self) -> bool {
        let deferred = |elsewhere: &Elsewhere| !elsewhere.deferred.is_empty();
        self.elsewhere.as_deref().is_some_and(deferred)
            || self
                .batches
                .iter()
                .flatten()
                .any(|batch| batch.has_elsewhere())
    }

    /// Runs what is elsewhere where it belongs, one after the other in the order of the commands, before anything that
    /// stands behind it leaves: so order per key holds. Stops when enough replies wait to be placed; the next
    /// flush goes on.
    #[cold]
    fn settle(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move {
            let spots = self.unsettled();
            if spots.is_empty() {
                return;
            }
            let hold = match self.is_rerun {
                true => None,
                false => Some(self.node.mesh().hold_map().await),
            };
            let mut bytes = 0;
            for spot in spots {
                let reply = match &hold {
                    Some(hold) => self.run_again(spot, hold).await,
                    None => merge::SHARD_GONE.to_vec(),
                };
                bytes += reply.len();
                self.note_settled(spot, reply);
                if bytes >= TRIP_OUTPUT_BYTES {
                    return;
                }
            }
        })
    }

    /// What is elsewhere and has no reply yet, in the order of the commands.
    fn unsettled(&self) -> Vec<Spot> {
        let is_elsewhere = |part: &Part| match *part {
            Part::There { shard, index } => self.batches[shard.index()]
                .as_ref()
                .is_some_and(|batch| batch.is_elsewhere(index)),
            Part::Deferred(_) => true,
            Part::Here { .. } | Part::Settled(_) => false,
        };
        let mut spots = Vec::new();
        for (number, gap) in self.gaps.iter().enumerate().skip(self.merge.gap) {
            match gap {
                Gap::Hop { part, .. } if is_elsewhere(part) => spots.push(Spot::Gap(number)),
                Gap::Hop { .. } => {}
                Gap::Folded { parts, .. } => {
                    let parts = range(parts).filter(|part| is_elsewhere(&self.parts[*part]));
                    spots.extend(parts.map(Spot::Part));
                }
            }
        }
        spots
    }

    async fn run_again(&self, spot: Spot, hold: &MapHold) -> Vec<u8> {
        let (command, call, args) = match self.part_at(spot) {
            Part::There { shard, index } => match &self.batches[shard.index()] {
                Some(batch) => batch.command(index),
                None => return merge::SHARD_GONE.to_vec(),
            },
            Part::Deferred(number) => match self.elsewhere.as_deref() {
                Some(elsewhere) => {
                    let deferred = &elsewhere.deferred[number as usize];
                    (deferred.command, deferred.call, deferred.args.clone())
                }
                None => return merge::SHARD_GONE.to_vec(),
            },
            Part::Here { .. } | Part::Settled(_) => return merge::SHARD_GONE.to_vec(),
        };
        self.node.with_stats(|stats| stats.moved_reruns += 1);
        run_where_it_belongs(&self.node, command, call, args, hold).await
    }

    fn part_at(&self, spot: Spot) -> Part {
        match spot {
            Spot::Part(part) => self.parts[part],
            Spot::Gap(gap) => match &self.gaps[gap] {
                Gap::Hop { part, .. } => *part,
                Gap::Folded { .. } => unreachable!("its parts are noted apart"),
            },
        }
    }

    fn note_settled(&mut self, spot: Spot, reply: Vec<u8>) {
        let settled = &mut self.elsewhere.get_or_insert_default().settled;
        settled.push(reply);
        let now = Part::Settled(settled.len() as u32 - 1);
        match spot {
            Spot::Part(part) => self.parts[part] = now,
            Spot::Gap(gap) => {
                if let Gap::Hop { part, .. } = &mut self.gaps[gap] {
                    *part = now;
                }
            }
        }
    }

    /// Gives the memory of replies back that are in place.
    #[cold]
    fn forget_settled(&mut self, gap: usize) {
        let Some(elsewhere) = &mut self.elsewhere else {
            return;
        };
        let mut forget = |part: &Part| {
            if let Part::Settled(number) = part {
                elsewhere.settled[*number as usize] = Vec::new();
            }
        };
        match &self.gaps[gap] {
            Gap::Hop { part, .. } => forget(part),
            Gap::Folded { parts, .. } => self.parts[range(parts)].iter().for_each(forget),
        }
    }
}

/// Runs a command of this shard, unless its keys are elsewhere; whether it ran.
#[inline]
fn run_here(
    node: &Node,
    elsewhere: &mut Option<Box<Elsewhere>>,
    command: &'static Command,
    call: &Call,
    args: Args<'_>,
    out: &mut Vec<u8>,
) -> bool {
    node.mesh().with(|shard| {
        let runs = (elsewhere.is_none() && shard.holds(command, call, args))
            || is_still_here(shard, elsewhere, command, call, args);
        if runs {
            shard.stats.local_commands += 1;
            shard.execute(command, call, args, out);
        }
        runs
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

/// Runs a command in a pipeline of its own; nothing moves meanwhile.
async fn run_where_it_belongs(
    node: &Node,
    command: &'static Command,
    call: Call,
    args: OwnedArgs,
    hold: &MapHold,
) -> Vec<u8> {
    let mut pipeline = Pipeline::new(node.clone(), Door::Main);
    pipeline.is_rerun = true;
    let mut out = Vec::new();
    match pipeline.submit(command, call, args.args(), &mut out) {
        Submitted::InOrder => while pipeline.flush(&mut out).await {},
        Submitted::Across => out = node.run_across_under(hold, command, call, args).await,
        Submitted::Elsewhere(_) => unreachable!("a new pipeline hops"),
        Submitted::Moved(..) | Submitted::Refused(_) => unreachable!("by the main door all runs"),
    }
    out
}

fn range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
