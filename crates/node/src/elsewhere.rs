//! Commands that came to a shard which does not hold their keys (any more).
//!
//! The owner's data decides who owns a key: a shard runs a command only if it holds the partitions of all its
//! keys. While a partition moves, a command may have been sent by a map that is no longer true. It is not run then but
//! marked **elsewhere**, and the pipeline that asked runs it again, in order and under a hold on the map
//! ([`Mesh::hold_map`](corelane::Mesh::hold_map)). So moves count nothing per command, wait for no client, and no
//! command runs on the wrong shard.
//!
//! What stands behind such a command on the same keys must not overtake it: their partitions are **blocked** for
//! the rest of the batch, or of the pass, and what needs them is elsewhere, too.

use corelane::PARTITIONS;
use corelane_store::keyspace::SLOTS_PER_PARTITION;
use corelane_store::{Command, Split};
use corelane_wire::Args;
use corelane_wire::slot::slot_of;

use crate::batch::Call;
use crate::owned::OwnedArgs;
use crate::shard::Shard;

/// Calls `visit` with the partition of each key.
fn each_partition(command: &Command, call: &Call, args: Args<'_>, mut visit: impl FnMut(usize)) {
    if command.split == Split::Single {
        if let Some(slot) = call.slot {
            visit(partition_of(slot));
        }
        return;
    }
    // Keys that cannot be told were never routed by.
    let _ = command.spec.key_positions(&args, |position| {
        visit(partition_of(slot_of(&args[position])));
    });
}

fn partition_of(slot: u16) -> usize {
    slot as usize / SLOTS_PER_PARTITION
}

impl Shard {
    /// Whether this shard holds the partitions of all keys of a command that was sent here for them.
    #[inline]
    pub(crate) fn holds(&self, command: &Command, call: &Call, args: Args<'_>) -> bool {
        match (command.split, call.slot) {
            (Split::Single, Some(slot)) => self.space.holds(partition_of(slot)),
            (Split::Single, None) => true,
            _ => !self.has_shed || self.holds_all(command, call, args),
        }
    }

    #[cold]
    fn holds_all(&self, command: &Command, call: &Call, args: Args<'_>) -> bool {
        let mut all = true;
        each_partition(command, call, args, |p| all &= self.space.holds(p));
        all
    }
}

/// Partitions that a command waits for which has been put aside.
#[derive(Debug, Default)]
pub(crate) struct Blocked {
    any: bool,
    bits: [u64; PARTITIONS / 64],
}

impl Blocked {
    /// Whether the shard can run the command now, in its turn. If not, its partitions are blocked.
    #[inline]
    pub(crate) fn lets_run(
        &mut self,
        shard: &Shard,
        command: &Command,
        call: &Call,
        args: Args<'_>,
    ) -> bool {
        if shard.holds(command, call, args) && !(self.any && self.blocks(command, call, args)) {
            return true;
        }
        self.block(command, call, args);
        false
    }

    #[cold]
    fn blocks(&self, command: &Command, call: &Call, args: Args<'_>) -> bool {
        let mut any = false;
        each_partition(command, call, args, |p| {
            any |= self.bits[p / 64] & (1 << (p % 64)) != 0;
        });
        any
    }

    #[cold]
    fn block(&mut self, command: &Command, call: &Call, args: Args<'_>) {
        self.any = true;
        each_partition(command, call, args, |p| self.bits[p / 64] |= 1 << (p % 64));
    }
}

/// A command of the pipeline's own shard that is elsewhere.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(crate) command: &'static Command,
    pub(crate) call: Call,
    pub(crate) args: OwnedArgs,
}

/// What a pipeline has of such commands: nearly always nothing.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// Of the own shard, until they are settled.
    pub(crate) deferred: Vec<Deferred>,
    pub(crate) blocked: Blocked,
    /// Replies of those that have been run again, until they are placed.
    pub(crate) settled: Vec<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CommandId;
    use crate::seed::ShardSeed;
    use corelane::{Handoff, ShardId};
    use corelane_wire::Proto;

    /// A shard that holds all but the partition of the key `gone`.
    fn shard() -> Shard {
        let settings = corelane_settings::Settings::default();
        let seed = ShardSeed::new(settings.into(), 0, corelane::ShardMap::even(1), 1, 7);
        let mut shard = Shard::new(ShardId::new(0), &seed, 1);
        let _ = shard.hand_over(partition_of(slot_of(b"gone")));
        shard
    }

    fn lets_run(blocked: &mut Blocked, shard: &Shard, line: &str) -> bool {
        let args = OwnedArgs::from_parts(line.split(' ').map(str::as_bytes));
        let name = args.args().name();
        let mut commands = corelane_store::COMMANDS.iter();
        let command = commands.find(|command| command.spec.name.as_bytes() == name);
        let command = command.expect(line);
        let first = command.spec.first_key(&args.args());
        let call = Call {
            id: CommandId(0),
            db: 0,
            proto: Proto::Resp2,
            slot: first.map(|position| slot_of(&args.args()[position])),
        };
        blocked.lets_run(shard, command, &call, args.args())
    }

    #[test]
    fn a_shard_runs_what_it_holds_and_nothing_overtakes() {
        let shard = shard();
        let mut blocked = Blocked::default();
        for (line, runs) in [
            ("get here", true),
            ("mget here there", true),
            ("get gone", false),
            ("get here", true),
            ("mset here 1 gone 2", false),
            // It stands behind the MSET.
            ("get here", false),
            ("get there", true),
            ("rename there here", false),
            ("get there", false),
            ("get else", true),
        ] {
            assert_eq!(lets_run(&mut blocked, &shard, line), runs, "{line}");
        }
    }
}
