//! Data commands that concern several shards and must be awaited: on all shards, on the shard of a
//! cursor, or in steps between two. They hold the map still meanwhile: no key is counted twice because it moves,
//! and none is missed.
//!
//! The steps are not atomic: between them other clients see the state in the middle. Transactions
//! across shards come with their own work; README and the commands' docs say so until then.

use std::sync::Arc;

use corelane::task::JoinHandle;
use corelane::{MapHold, ShardId};
use corelane_store::commands::parse_cursor;
use corelane_store::{Command, Fold, Split};
use corelane_wire::{Proto, Reply as ReplyWriter};

use crate::batch::Call;
use crate::merge::{self, SHARD_GONE};
use crate::node::{Gone, Node};
use crate::owned::OwnedArgs;
use crate::place;
use crate::request::{Reply, Request, Run};
use crate::room::{SharedRoom, TooLarge};
use crate::steps;

/// Why a command that was awaited has no reply.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failed {
    /// A shard has stopped; the node is going down.
    Gone,
    /// The reply would be too long.
    TooLarge,
}

impl From<Gone> for Failed {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Node {
    /// Runs a command that [`Pipeline::submit`](crate::Pipeline::submit) gave back.
    ///
    /// # Errors
    /// The reply would be too long: the client is to be ended.
    pub async fn run_across(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, TooLarge> {
        // `Steps` take theirs one by one: between two of them others may go on, and so may moves.
        let hold = match command.split {
            Split::Steps => None,
            _ => Some(self.mesh().hold_map().await),
        };
        self.across(hold.as_ref(), command, call, args).await
    }

    /// As [`run_across`](Self::run_across), for who holds the map already.
    pub(crate) async fn run_across_under(
        &self,
        hold: &MapHold,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, TooLarge> {
        self.across(Some(hold), command, call, args).await
    }

    async fn across(
        &self,
        hold: Option<&MapHold>,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, TooLarge> {
        let reply = match command.split {
            Split::AllShards(fold) => self.on_all_shards(command, call, args, fold).await,
            Split::Cursor => self.at_cursor(command, call, args).await,
            _ => steps::run(self, hold, command, call, &args).await,
        };
        self.awaited_reply(call, reply)
    }

    /// What a command that was awaited answers; counts it.
    pub(crate) fn awaited_reply(
        &self,
        call: Call,
        reply: Result<Vec<u8>, Failed>,
    ) -> Result<Vec<u8>, TooLarge> {
        let reply = match reply {
            Ok(reply) => Ok(reply),
            Err(Failed::Gone) => Ok(SHARD_GONE.to_vec()),
            Err(Failed::TooLarge) => Err(TooLarge),
        };
        let error = reply
            .as_deref()
            .ok()
            .filter(|reply| reply.first() == Some(&b'-'));
        self.count_call(call.id, error);
        reply
    }

    /// A command on one shard, slice by slice. Where its reply is a part of one, that has `room`.
    pub(crate) async fn run_on(
        &self,
        shard: ShardId,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
        room: Option<Arc<SharedRoom>>,
    ) -> Result<Box<Run>, Failed> {
        let mut run = Box::new(Run {
            command,
            call,
            args,
            rest: None,
            output: Vec::new(),
            room,
            is_too_large: false,
            keys: 0,
        });
        loop {
            let Reply::Ran(ran) = self.call(shard, Request::Run(run)).await? else {
                return Err(Failed::Gone);
            };
            run = ran;
            if run.is_too_large {
                return Err(Failed::TooLarge);
            }
            if run.rest.is_none() {
                return Ok(run);
            }
            corelane::task::yield_now().await;
        }
    }

    async fn on_all_shards(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
        fold: Fold,
    ) -> Result<Vec<u8>, Failed> {
        let is_joined = fold == Fold::Concat;
        let room = is_joined.then(|| SharedRoom::new(self.max_reply_bytes(), self.mesh().shards()));
        let run = |shard| {
            let (node, args, room) = (self.clone(), args.clone(), room.clone());
            corelane::task::spawn(
                async move { node.run_on(shard, command, call, args, room).await },
            )
        };
        let mut parts = Parts(self.mesh().all_shards().map(run).collect());
        let mut runs = Vec::with_capacity(parts.0.len());
        for part in &mut parts.0 {
            runs.push(*part.await.map_err(|_| Gone)??);
        }
        self.fold(fold, call, runs)
    }

    fn fold(&self, fold: Fold, call: Call, runs: Vec<Run>) -> Result<Vec<u8>, Failed> {
        if let Some(failed) = runs.iter().find(|run| run.output.first() == Some(&b'-')) {
            return Ok(failed.output.clone());
        }
        let mut out = Vec::new();
        match fold {
            Fold::AllOk => out.extend_from_slice(&runs[0].output),
            Fold::Sum => {
                let total = runs.iter().map(|run| merge::integer(&run.output)).sum();
                ReplyWriter::new(&mut out, call.proto).int(total);
            }
            Fold::Concat => return concat(runs, self.max_reply_bytes()),
            Fold::AnyOf => out.extend_from_slice(any_of(&runs)),
        }
        Ok(out)
    }

    /// The shard that owns the cursor's partition is asked; it moves the cursor past what it holds.
    async fn at_cursor(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, Failed> {
        // What is no cursor stands nowhere: any shard's handler says so.
        let cursor = args.args().get(1).and_then(parse_cursor).unwrap_or(0);
        let slot = corelane_store::keyspace::slot_of_cursor(cursor);
        let owner = place::owner_of_slot(slot, &self.mesh().map());
        Ok(self.run_on(owner, command, call, args, None).await?.output)
    }
}

/// A command's parts on all shards. None goes on when one has failed, or when nobody waits for them any more.
struct Parts(Vec<JoinHandle<Result<Box<Run>, Failed>>>);

impl Drop for Parts {
    fn drop(&mut self) {
        self.0.drain(..).for_each(JoinHandle::cancel);
    }
}

/// The line at an array's beginning has no more.
const HEAD_BYTES: usize = 32;

/// One array of all the shards' arrays, each given back once it is copied.
fn concat(runs: Vec<Run>, max_bytes: usize) -> Result<Vec<u8>, Failed> {
    let elements = runs.iter().map(|run| merge::elements(&run.output));
    let bytes: usize = elements.map(<[u8]>::len).sum();
    if bytes > max_bytes {
        return Err(Failed::TooLarge);
    }
    let total = runs.iter().map(|run| merge::array_len(&run.output)).sum();
    let mut out = Vec::with_capacity(bytes + HEAD_BYTES);
    ReplyWriter::new(&mut out, Proto::Resp2).array(total);
    for run in runs {
        out.extend_from_slice(merge::elements(&run.output));
    }
    Ok(out)
}

/// One of the replies that are not null, each with a chance in proportion to its shard's keys.
fn any_of(runs: &[Run]) -> &[u8] {
    let is_null = |run: &Run| matches!(run.output.as_slice(), b"$-1\r\n" | b"_\r\n");
    let total: u64 = runs
        .iter()
        .filter(|run| !is_null(run))
        .map(|run| run.keys.max(1))
        .sum();
    if total == 0 {
        return &runs[0].output;
    }
    let mut chosen = corelane::random::below(total);
    for run in runs.iter().filter(|run| !is_null(run)) {
        match chosen.checked_sub(run.keys.max(1)) {
            Some(rest) => chosen = rest,
            None => return &run.output,
        }
    }
    &runs[0].output
}
