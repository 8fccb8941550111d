//! Data commands of a shard's own port that must be awaited: what concerns all keys concerns this shard's there, and a
//! walk goes over its partitions alone.

use corelane_store::commands::parse_cursor;
use corelane_store::{Command, Split};
use corelane_wire::{Args, Reply as ReplyWriter};

use super::pinned::{Verdict, held_from, judge, with_cursor};
use crate::batch::Call;
use crate::clients::Client;
use crate::merge::SHARD_GONE;
use crate::node::{Gone, Node};
use crate::owned::OwnedArgs;
use crate::steps;

impl Node {
    /// Runs a command of a client that came by this shard's own port, which
    /// [`Pipeline::submit`](crate::Pipeline::submit) gave back.
    pub async fn run_alone(
        &self,
        client: &Client,
        command: &'static Command,
        mut call: Call,
        args: OwnedArgs,
    ) -> Vec<u8> {
        // `Steps` take theirs one by one: between two of them others may go on, and so may moves.
        let _hold = match command.split {
            Split::Steps => None,
            _ => Some(self.mesh().hold_map().await),
        };
        let (map, here) = (self.mesh().map(), self.shard_id());
        // Looked at anew: its partition may have left in the meantime, and now nothing moves.
        match judge(command, args.args(), &map, here, &mut call.slot) {
            Verdict::Here => {
                let mut out = Vec::new();
                self.mesh()
                    .with(|shard| shard.execute(command, &call, args.args(), &mut out));
                out
            }
            Verdict::Awaited => self.awaited(command, call, args).await,
            Verdict::Moved(slot, owner) => self.refused(call, &self.moved(client, slot, owner)),
            Verdict::Refused(refusal) => self.refused(call, refusal.text()),
        }
    }

    fn refused(&self, call: Call, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        ReplyWriter::new(&mut out, call.proto).error(text);
        self.count_refusal(Some(call.id), &out);
        out
    }

    async fn awaited(&self, command: &'static Command, call: Call, args: OwnedArgs) -> Vec<u8> {
        let reply = match command.split {
            Split::AllShards(_) => self.alone(command, call, args).await,
            Split::Cursor => self.at_own_cursor(command, call, args).await,
            _ => steps::run(self, None, command, call, &args).await,
        };
        let reply = reply.unwrap_or_else(|Gone| SHARD_GONE.to_vec());
        let failed = reply.first() == Some(&b'-');
        self.count_call(call.id, failed.then_some(reply.as_slice()));
        reply
    }

    /// On this shard, as if it were the whole node.
    async fn alone(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, Gone> {
        let run = self.run_on(self.shard_id(), command, call, args).await?;
        Ok(run.output)
    }

    /// A walk over this shard's partitions: it passes over those of others, and ends behind its last.
    async fn at_own_cursor(
        &self,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, Gone> {
        let held_from = |cursor| self.mesh().with(|shard| held_from(&shard.space, cursor));
        let given = args.args().get(1).and_then(parse_cursor);
        let args = match given.and_then(held_from) {
            Some(cursor) => with_second(args.args(), cursor.to_string().as_bytes()),
            // No cursor, or no partition behind it: the handler says so, or finds nothing.
            None => args,
        };
        let reply = self.alone(command, call, args).await?;
        Ok(with_cursor(reply, |next| match next {
            0 => 0,
            next => held_from(next).unwrap_or(0),
        }))
    }
}

/// The arguments with another second one.
fn with_second(args: Args<'_>, second: &[u8]) -> OwnedArgs {
    let parts = args.iter().enumerate();
    OwnedArgs::from_parts(parts.map(|(at, arg)| if at == 1 { second } else { arg }))
}
