//! Where a command's keys live: the router's question, answered from the shard map alone.

use corelane::{ShardId, ShardMap};
use corelane_store::keyspace::SLOTS_PER_PARTITION;
use corelane_store::{Command, Split};
use corelane_wire::Args;
use corelane_wire::slot::slot_of;
use corelane_wire::spec::{Begin, Find, Flags};

use crate::owned::OwnedArgs;

// The framework's partitions are the store's: one moves as the other.
const _: () = assert!(corelane::PARTITIONS == corelane_store::keyspace::PARTITIONS);

/// Where a command is to be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where it arrived.
    Here,
    /// All on this shard.
    On(ShardId),
    /// Its keys lie on different shards, or are to be worked on as if they did.
    Apart,
    /// It concerns every shard.
    Everywhere,
}

/// Finds a command's place; `slot` becomes the slot of its first key.
#[inline]
pub(crate) fn place(
    command: &Command,
    args: Args<'_>,
    map: &ShardMap,
    slot: &mut Option<u16>,
) -> Place {
    match command.split {
        Split::Single => place_single(command, args, map, slot),
        Split::AllShards(_) | Split::Cursor => Place::Everywhere,
        // A key without its value: the handler says so, and nothing is set.
        Split::AllOk if !KeyGroups::of(command, args).are_whole() => Place::Here,
        // What only reads (`LCS`) may take long: steps let others in between, wherever the keys lie.
        Split::Steps if command.spec.flags.has(Flags::READONLY) => Place::Apart,
        Split::Sum | Split::AllOk | Split::InOrder | Split::Steps => {
            place_many(command, args, map, slot)
        }
    }
}

/// The first key decides. A command without one runs where it arrived.
#[inline]
fn place_single(
    command: &Command,
    args: Args<'_>,
    map: &ShardMap,
    slot: &mut Option<u16>,
) -> Place {
    let Some(position) = command.spec.first_key(&args) else {
        return Place::Here;
    };
    let key_slot = slot.unwrap_or_else(|| slot_of(&args[position]));
    *slot = Some(key_slot);
    Place::On(owner_of_slot(key_slot, map))
}

/// All keys on one shard, or not. Where the keys cannot be told the handler says what is wrong.
fn place_many(command: &Command, args: Args<'_>, map: &ShardMap, slot: &mut Option<u16>) -> Place {
    let mut place = Place::Here;
    let told = command.spec.key_positions(&args, |position| {
        let key_slot = slot_of(&args[position]);
        let owner = owner_of_slot(key_slot, map);
        match place {
            Place::Here => {
                *slot = Some(key_slot);
                place = Place::On(owner);
            }
            Place::On(first) if first == owner => {}
            _ => place = Place::Apart,
        }
    });
    if told.is_err() { Place::Here } else { place }
}

/// The shard that owns a slot.
pub(crate) fn owner_of_slot(slot: u16, map: &ShardMap) -> ShardId {
    map.owner(slot as usize / SLOTS_PER_PARTITION)
}

/// The shard that owns a key.
pub(crate) fn owner_of(key: &[u8], map: &ShardMap) -> ShardId {
    owner_of_slot(slot_of(key), map)
}

/// A command of equal groups, each led by its key: `DEL k…`, `MSET k v…`.
pub(crate) struct KeyGroups<'a> {
    args: Args<'a>,
    first: usize,
    step: usize,
}

impl<'a> KeyGroups<'a> {
    /// The groups of a command that can be split.
    ///
    /// # Panics
    /// If the command's keys do not stand in equal groups to its end; the lists' test sees to it.
    pub(crate) fn of(command: &Command, args: Args<'a>) -> Self {
        let spec = &command.spec.keys[0];
        match (spec.begin, spec.find) {
            (Begin::Index(first), Find::Range { step, .. }) => Self {
                args,
                first: usize::from(first),
                step: usize::from(step),
            },
            _ => unreachable!("a command that splits by key has a key range"),
        }
    }

    /// Whether the last group is as long as the others.
    fn are_whole(&self) -> bool {
        (self.args.len() - self.first).is_multiple_of(self.step)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        let args = self.args;
        (self.first..args.len())
            .step_by(self.step)
            .filter_map(move |i| args.get(i))
    }

    /// The same command with the groups whose number `chosen` accepts.
    pub(crate) fn command_for(&self, chosen: impl Fn(usize) -> bool) -> OwnedArgs {
        let head = (0..self.first).filter_map(|i| self.args.get(i));
        let groups = (self.first..self.args.len())
            .filter(|i| chosen((i - self.first) / self.step))
            .filter_map(|i| self.args.get(i));
        OwnedArgs::from_parts(head.chain(groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_shard_are_apart_only_for_what_may_take_long() {
        #[track_caller]
        fn check(line: &str, expected: Place) {
            let args = OwnedArgs::from_parts(line.split(' ').map(str::as_bytes));
            let name = args.args().name();
            let mut commands = corelane_store::COMMANDS.iter();
            let command = commands.find(|command| command.spec.name.as_bytes() == name);
            let map = ShardMap::even(1);
            let placed = place(command.expect(line), args.args(), &map, &mut None);
            assert_eq!(placed, expected, "{line}");
        }
        let here = Place::On(ShardId::new(0));
        check("get a", here);
        check("mget a b", here);
        check("mset a 1 b", Place::Here);
        check("rename a b", here);
        check("lcs a b", Place::Apart);
        check("keys *", Place::Everywhere);
    }
}
