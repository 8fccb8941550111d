//! Data commands that concern several shards and must be awaited: on all shards, on the shard of a
//! cursor, or in steps between two. They hold the map still meanwhile: no key is counted twice because it moves,
//! and none is missed.
//!
//! The steps are not atomic: between them other clients see the state in the middle. Transactions
//! across shards come with their own work; README and the commands' docs say so until then.

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
use crate::steps;

impl Node {
    /// Runs a command that [`Pipeline::submit`](crate::Pipeline::submit) gave back.
    pub async fn run_across(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Vec<u8> {
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
    ) -> Vec<u8> {
        self.across(Some(hold), command, call, args).await
    }

    async fn across(
        &self,
        hold: Option<&MapHold>,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Vec<u8> {
        let reply = match command.split {
            Split::AllShards(fold) => self.on_all_shards(command, call, args, fold).await,
            Split::Cursor => self.at_cursor(command, call, args).await,
            _ => steps::run(self, hold, command, call, &args).await,
        };
        let reply = reply.unwrap_or_else(|Gone| SHARD_GONE.to_vec());
        self.count_call(
            call.id,
            (reply.first() == Some(&b'-')).then_some(reply.as_slice()),
        );
        reply
    }

    /// A command on one shard, slice by slice.
    pub(crate) async fn run_on(
        &self,
        shard: ShardId,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Box<Run>, Gone> {
        let mut run = Box::new(Run {
            command,
            call,
            args,
            rest: None,
            output: Vec::new(),
            keys: 0,
        });
        loop {
            let Reply::Ran(ran) = self.call(shard, Request::Run(run)).await? else {
                return Err(Gone);
            };
            run = ran;
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
    ) -> Result<Vec<u8>, Gone> {
        let running: Vec<_> = self
            .mesh()
            .all_shards()
            .map(|shard| {
                let (node, args) = (self.clone(), args.clone());
                corelane::task::spawn(async move { node.run_on(shard, command, call, args).await })
            })
            .collect();
        let mut runs = Vec::with_capacity(running.len());
        for run in running {
            runs.push(run.await.map_err(|_| Gone)??);
        }
        Ok(self.fold(fold, call, &runs))
    }

    fn fold(&self, fold: Fold, call: Call, runs: &[Box<Run>]) -> Vec<u8> {
        if let Some(failed) = runs.iter().find(|run| run.output.first() == Some(&b'-')) {
            return failed.output.clone();
        }
        let mut out = Vec::new();
        match fold {
            Fold::AllOk => out.extend_from_slice(&runs[0].output),
            Fold::Sum => {
                let total = runs.iter().map(|run| merge::integer(&run.output)).sum();
                ReplyWriter::new(&mut out, call.proto).int(total);
            }
            Fold::Concat => concat(runs, &mut out),
            Fold::AnyOf => out.extend_from_slice(any_of(runs)),
        }
        out
    }

    /// The shard that owns the cursor's partition is asked; it moves the cursor past what it holds.
    async fn at_cursor(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, Gone> {
        // What is no cursor stands nowhere: any shard's handler says so.
        let cursor = args.args().get(1).and_then(parse_cursor).unwrap_or(0);
        let slot = corelane_store::keyspace::slot_of_cursor(cursor);
        let owner = place::owner_of_slot(slot, &self.mesh().map());
        Ok(self.run_on(owner, command, call, args).await?.output)
    }
}

/// One array of all the shards' arrays.
fn concat(runs: &[Box<Run>], out: &mut Vec<u8>) {
    let total = runs.iter().map(|run| merge::array_len(&run.output)).sum();
    ReplyWriter::new(out, Proto::Resp2).array(total);
    for run in runs {
        out.extend_from_slice(merge::elements(&run.output));
    }
}

/// One of the replies that are not null, each with a chance in proportion to its shard's keys.
fn any_of(runs: &[Box<Run>]) -> &[u8] {
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
