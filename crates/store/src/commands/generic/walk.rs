//! Walking over all keys of a database that this shard holds, and the names found on the way.

use corelane_wire::{Proto, Reply};

use crate::exec::{Continuation, Exec, Outcome};
use crate::keyspace::{
    Keyspace, PARTITIONS, SLOTS_PER_PARTITION, Value, cursor_of_slot, slot_of_cursor,
};

/// Where a walk stands.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::commands) struct Walk {
    cursor: u64,
}

impl Walk {
    /// Visits about `count` more keys that have not expired. Returns whether there may be more.
    pub(in crate::commands) fn slice(
        &mut self,
        space: &Keyspace,
        db: u16,
        now_ms: u64,
        count: usize,
        mut visit: impl FnMut(Value<'_>),
    ) -> bool {
        let mut seen = 0;
        // What has expired is passed over, and left to be deleted by a command that may write.
        let mut expired = Vec::new();
        while seen < count {
            let partition = slot_of_cursor(self.cursor) as usize / SLOTS_PER_PARTITION;
            self.cursor = if space.holds(partition) {
                let visit = |value: Value<'_>| {
                    seen += 1;
                    visit(value);
                };
                space.scan(db, self.cursor, count, now_ms, &mut expired, visit)
            } else {
                start_of(partition + 1)
            };
            seen += expired.drain(..).count();
            if self.cursor == 0 {
                return false;
            }
        }
        true
    }
}

/// The cursor at the beginning of a partition; 0, the end, behind the last one.
fn start_of(partition: usize) -> u64 {
    if partition == PARTITIONS {
        0
    } else {
        cursor_of_slot((partition * SLOTS_PER_PARTITION) as u16)
    }
}

/// Names of keys, for a reply whose length must be known before it begins. They are kept as the reply will have
/// them, in blocks, so that no slice of a walk moves what earlier ones found.
#[derive(Debug, Default)]
pub(super) struct Names {
    count: usize,
    blocks: Vec<Vec<u8>>,
    /// What the blocks hold.
    bytes: usize,
    /// For so much of it the reply has room.
    room_bytes: usize,
}

/// Bytes of names that are kept in one piece; a longer name has one of its own.
const BLOCK_BYTES: usize = 64 * 1024;

/// What a bulk string has around its bytes, at most.
const BULK_BYTES: usize = 32;

impl Names {
    /// Keeps a name, unless the reply would be too long: then it is cut, and the walk can end.
    pub(super) fn push(&mut self, name: &[u8], reply: &mut Reply<'_>) {
        let bytes = name.len() + BULK_BYTES;
        let fits = |block: &Vec<u8>| block.capacity() - block.len() >= bytes;
        if !self.blocks.last().is_some_and(fits) {
            if !self.fit(reply, name.len()) {
                return;
            }
            // Few names need little room.
            let room = if self.count < 16 { 512 } else { BLOCK_BYTES };
            self.blocks.push(Vec::with_capacity(room.max(bytes)));
        }
        let Some(block) = self.blocks.last_mut() else {
            unreachable!("pushed above")
        };
        let before = block.len();
        // A bulk string is the same in all versions of the protocol.
        Reply::new(block, Proto::Resp2).bulk(name);
        self.bytes += block.len() - before;
        self.count += 1;
    }

    /// Whether the reply has room for all names so far, and `more` bytes.
    fn fit(&mut self, reply: &mut Reply<'_>, more: usize) -> bool {
        let wanted = (self.bytes + more).max(self.room_bytes);
        let fit = reply.may_grow(self.room_bytes, wanted - self.room_bytes);
        self.room_bytes = wanted;
        fit
    }

    /// Writes all names as an array, a block at a time.
    pub(super) fn write(mut self, exec: &mut Exec<'_>) -> Outcome {
        if !self.fit(&mut exec.reply, 0) {
            return Outcome::Done;
        }
        exec.reply.array(self.count);
        exec.reply.reserve(self.bytes);
        write_blocks(exec, self.blocks.into_iter())
    }
}

fn write_blocks(exec: &mut Exec<'_>, mut blocks: std::vec::IntoIter<Vec<u8>>) -> Outcome {
    if let Some(block) = blocks.next() {
        exec.reply.raw(&block);
    }
    if blocks.len() == 0 {
        return Outcome::Done;
    }
    Outcome::More(Continuation::new(|exec, _| write_blocks(exec, blocks)))
}
