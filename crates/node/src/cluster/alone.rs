//! Data commands of a shard's own port that must be awaited: what concerns all keys concerns this shard's there, and a
//! walk goes over its partitions alone.
//!
//! While the shard sleeps its connections are on others, and are told what a node without slots would tell. When it
//! serves again the first command that is its business runs there, and the connection follows.

use corelane::{ShardId, ShardMap};
use corelane_store::commands::parse_cursor;
use corelane_store::{Command, Split};
use corelane_wire::{Args, Reply as ReplyWriter};

use super::pinned::{Verdict, judge, owned_from, with_cursor};
use crate::across::Failed;
use crate::batch::Call;
use crate::clients::Client;
use crate::node::Node;
use crate::owned::OwnedArgs;
use crate::room::TooLarge;
use crate::steps;

impl Node {
    /// Runs a command of a client that came by the port of `home`, which
    /// [`Pipeline::submit`](crate::Pipeline::submit) gave back.
    ///
    /// # Errors
    /// The reply would be too long: the client is to be ended.
    pub async fn run_alone(
        &self,
        client: &Client,
        home: ShardId,
        command: &'static Command,
        mut call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, TooLarge> {
        // Looked at anew: its partition may have left in the meantime, and now nothing moves.
        let hold = self.mesh().hold_map().await;
        let map = self.mesh().map();
        let verdict = judge(command, args.args(), &map, home, &mut call.slot);
        let is_asleep = home.index() >= map.shards();
        match verdict {
            Verdict::Moved(slot, owner) => Ok(self.refused(call, &self.moved(client, slot, owner))),
            Verdict::Refused(refusal) => Ok(self.refused(call, refusal.text())),
            Verdict::Here | Verdict::Awaited if is_asleep => {
                let mut out = Vec::new();
                self.mesh().with(|shard| {
                    shard.execute_without_keys(command, &call, args.args(), &mut out)
                })?;
                // A walk begun while there were keys ends.
                Ok(match command.split {
                    Split::Cursor => with_cursor(out, |_| 0),
                    _ => out,
                })
            }
            Verdict::Here if home == self.shard_id() => {
                let mut out = Vec::new();
                self.mesh()
                    .with(|shard| shard.execute(command, &call, args.args(), &mut out, None))?;
                Ok(out)
            }
            Verdict::Here | Verdict::Awaited => {
                if home != self.shard_id() {
                    client.send_to(home);
                }
                // Its steps take holds one by one: between two of them others may go on, and so may moves.
                let takes_steps = (command.split, verdict) == (Split::Steps, Verdict::Awaited);
                let _hold = Some(hold).filter(|_| !takes_steps);
                self.awaited(home, &map, verdict, command, call, args).await
            }
        }
    }

    fn refused(&self, call: Call, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        ReplyWriter::new(&mut out, call.proto).error(text);
        self.count_refusal(Some(call.id), &out);
        out
    }

    async fn awaited(
        &self,
        home: ShardId,
        map: &ShardMap,
        verdict: Verdict,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, TooLarge> {
        let reply = match (command.split, verdict) {
            (Split::Cursor, _) => self.at_own_cursor(home, map, command, call, args).await,
            (Split::Steps, Verdict::Awaited) => steps::run(self, None, command, call, &args).await,
            _ => self.alone(home, command, call, args).await,
        };
        self.awaited_reply(call, reply)
    }

    /// On that shard, as if it were the whole node.
    async fn alone(
        &self,
        home: ShardId,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, Failed> {
        let run = self.run_on(home, command, call, args, None).await?;
        Ok(run.output)
    }

    /// A walk over that shard's partitions: it passes over those of others, and ends behind its last.
    async fn at_own_cursor(
        &self,
        home: ShardId,
        map: &ShardMap,
        command: &'static Command,
        call: Call,
        args: OwnedArgs,
    ) -> Result<Vec<u8>, Failed> {
        let given = args.args().get(1).and_then(parse_cursor);
        let args = match given.and_then(|cursor| owned_from(map, home, cursor)) {
            Some(cursor) => with_second(args.args(), cursor.to_string().as_bytes()),
            // No cursor, or no partition behind it: the handler says so, or finds nothing.
            None => args,
        };
        let reply = self.alone(home, command, call, args).await?;
        Ok(with_cursor(reply, |next| match next {
            0 => 0,
            next => owned_from(map, home, next).unwrap_or(0),
        }))
    }
}

/// The arguments with another second one.
fn with_second(args: Args<'_>, second: &[u8]) -> OwnedArgs {
    let parts = args.iter().enumerate();
    OwnedArgs::from_parts(parts.map(|(at, arg)| if at == 1 { second } else { arg }))
}
