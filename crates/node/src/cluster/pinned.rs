//! What becomes of a data command that came by a shard's own port: what a master of a Redis Cluster would make of it.
//! No command leaves the shard: it runs here, or the client hears where to go.

use corelane::{ShardId, ShardMap};
use corelane_store::keyspace::{SLOTS_PER_PARTITION, cursor_of_slot, slot_of_cursor};
use corelane_store::{Command, Split};
use corelane_wire::number::parse_i64;
use corelane_wire::slot::slot_of;
use corelane_wire::spec::Flags;
use corelane_wire::{Args, Proto, Reply};

use crate::place::owner_of_slot;

/// What is to be done with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It runs at once.
    Here,
    /// It runs on this shard, which is awaited.
    Awaited,
    /// Another shard owns its slot.
    Moved(u16, ShardId),
    /// It is refused.
    Refused(Refusal),
}

/// Why a shard's own port refuses a command that the node would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its keys lie in several slots.
    CrossSlot,
    /// `MOVE`: there is one database.
    Move,
    /// `SWAPDB`: likewise.
    SwapDb,
    /// `COPY … DB n`: likewise.
    CopyAway,
}

impl Refusal {
    /// The error, in Redis's words.
    pub fn text(self) -> &'static str {
        match self {
            Self::CrossSlot => "CROSSSLOT Keys in request don't hash to the same slot",
            Self::Move => "ERR MOVE is not allowed in cluster mode",
            Self::SwapDb => "ERR SWAPDB is not allowed in cluster mode",
            Self::CopyAway => "ERR Copying to another database is not allowed in cluster mode",
        }
    }
}

/// Finds the verdict of shard `home`, whose port it came by; `slot` becomes the slot of the command's keys.
#[inline]
pub(crate) fn judge(
    command: &Command,
    args: Args<'_>,
    map: &ShardMap,
    home: ShardId,
    slot: &mut Option<u16>,
) -> Verdict {
    match command.split {
        // A test sees to it that such a command has one key at most.
        Split::Single => {
            let Some(position) = command.spec.first_key(&args) else {
                return Verdict::Here;
            };
            *slot = slot.or_else(|| Some(slot_of(&args[position])));
        }
        Split::AllShards(_) | Split::Cursor => {
            return unless_refused(command, args, Verdict::Awaited);
        }
        Split::Sum | Split::AllOk | Split::InOrder | Split::Steps => {
            match common_slot(command, args) {
                Ok(common) => *slot = common,
                Err(refusal) => return Verdict::Refused(refusal),
            }
        }
    }
    match *slot {
        Some(slot) if owner_of_slot(slot, map) != home => {
            Verdict::Moved(slot, owner_of_slot(slot, map))
        }
        // What only reads (`LCS`) may take long: its steps let others in between.
        _ if command.split == Split::Steps && command.spec.flags.has(Flags::READONLY) => {
            Verdict::Awaited
        }
        _ => unless_refused(command, args, Verdict::Here),
    }
}

/// The slot of all keys. Where the keys cannot be told there is none, and the handler says what is wrong.
fn common_slot(command: &Command, args: Args<'_>) -> Result<Option<u16>, Refusal> {
    let (mut slot, mut crossed) = (None, false);
    let told = command.spec.key_positions(&args, |position| {
        let of_key = slot_of(&args[position]);
        crossed |= *slot.get_or_insert(of_key) != of_key;
    });
    match told {
        Ok(()) if crossed => Err(Refusal::CrossSlot),
        Ok(()) => Ok(slot),
        Err(_) => Ok(None),
    }
}

/// A cluster has database 0 alone: commands that name another are refused.
#[inline]
fn unless_refused(command: &Command, args: Args<'_>, verdict: Verdict) -> Verdict {
    match command.spec.name {
        "move" => Verdict::Refused(Refusal::Move),
        "swapdb" => Verdict::Refused(Refusal::SwapDb),
        "copy" if names_another_database(args) => Verdict::Refused(Refusal::CopyAway),
        _ => verdict,
    }
}

/// Whether the options of `COPY` hold `DB n` with another number than 0. What is no number is the handler's business.
fn names_another_database(args: Args<'_>) -> bool {
    let mut options = args.tail(3).iter();
    while let Some(word) = options.next() {
        if word.eq_ignore_ascii_case(b"db") {
            let number = options.next().and_then(parse_i64);
            if number.is_some_and(|number| number != 0) {
                return true;
            }
        }
    }
    false
}

/// Where a walk over a shard's own slots goes on from `cursor`: there, or where the next partition begins that is the
/// shard's; `None` where there is no more.
pub(crate) fn owned_from(map: &ShardMap, home: ShardId, cursor: u64) -> Option<u64> {
    let partition = slot_of_cursor(cursor) as usize / SLOTS_PER_PARTITION;
    if map.owner(partition) == home {
        return Some(cursor);
    }
    let next = map.owned_by(home).find(|next| *next > partition)?;
    Some(cursor_of_slot((next * SLOTS_PER_PARTITION) as u16))
}

/// The reply of `SCAN` with its cursor replaced by what `next` makes of it. An error stays as it is.
pub(crate) fn with_cursor(reply: Vec<u8>, next: impl FnOnce(u64) -> u64) -> Vec<u8> {
    let parse = || {
        let rest = reply.strip_prefix(b"*2\r\n$")?;
        let line = rest.iter().position(|byte| *byte == b'\n')?;
        let digits = &rest[line + 1..];
        let len = digits.iter().position(|byte| *byte == b'\r')?;
        let cursor = std::str::from_utf8(&digits[..len]).ok()?.parse().ok()?;
        Some((cursor, &digits[len + 2..]))
    };
    let Some((cursor, keys)) = parse() else {
        return reply;
    };
    let mut out = Vec::with_capacity(reply.len() + 20);
    let mut writer = Reply::new(&mut out, Proto::Resp2);
    writer.array(2);
    writer.bulk_str(&next(cursor).to_string());
    writer.raw(keys);
    out
}

#[cfg(test)]
mod tests;
