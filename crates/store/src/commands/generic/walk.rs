//! Walking over all keys of a database that this shard holds, and the names found on the way.

use corelane_wire::Reply;

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

/// Names of keys, for a reply whose length must be known before it begins.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Names {
    pub(super) fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
    }

    /// Writes all names as an array.
    pub(super) fn write(&self, reply: &mut Reply<'_>) {
        reply.array(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            reply.bulk(&self.bytes[start..end]);
            start = end;
        }
    }
}
