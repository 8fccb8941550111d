//! The keys of one slot, on whichever shard they are: seldom asked for, and so a task sent there, not a request.

use corelane::Target;
use corelane_store::keyspace::{cursor_of_slot, slot_of_cursor};

use crate::node::{Gone, Node};

/// Keys that are visited before others get their turn; some tens of microseconds.
const SLICE_KEYS: usize = 512;

impl Node {
    /// How many keys a slot of a database holds, as far as its keeper has them.
    pub(crate) async fn count_in_slot(
        &self,
        keeper: Target,
        db: u16,
        slot: u16,
    ) -> Result<u64, Gone> {
        let count = async move |mesh: corelane::Mesh<crate::Shard>| {
            mesh.with(|shard| shard.space.len_of_slot(db, slot))
        };
        self.mesh().submit(keeper, count).await.map_err(|_| Gone)
    }

    /// Up to `count` keys of a slot of a database, slice by slice.
    pub(crate) async fn keys_in_slot(
        &self,
        keeper: Target,
        db: u16,
        slot: u16,
        count: usize,
    ) -> Result<Vec<Box<[u8]>>, Gone> {
        let mut keys = Vec::new();
        let mut cursor = cursor_of_slot(slot);
        while keys.len() < count {
            let wanted = (count - keys.len()).min(SLICE_KEYS);
            let slice = async move |mesh: corelane::Mesh<crate::Shard>| {
                mesh.with(|shard| shard.slot_slice(db, cursor, wanted))
            };
            let (found, next) = self.mesh().submit(keeper, slice).await.map_err(|_| Gone)?;
            keys.extend(found);
            if next == 0 || next == cursor || slot_of_cursor(next) != slot {
                break;
            }
            cursor = next;
            corelane::task::yield_now().await;
        }
        keys.truncate(count);
        Ok(keys)
    }
}

impl crate::Shard {
    /// Some keys of the slot in which a cursor stands, and the cursor to go on from.
    fn slot_slice(&self, db: u16, cursor: u64, count: usize) -> (Vec<Box<[u8]>>, u64) {
        let slot = slot_of_cursor(cursor);
        let mut found = Vec::new();
        let visit = |value: corelane_store::Value<'_>| {
            if corelane_wire::slot_of(value.name()) == slot {
                found.push(value.name().into());
            }
        };
        let now_ms = corelane::time::unix_ms();
        // What has expired is passed over, and left to be deleted by a command that may write.
        let mut expired = Vec::new();
        let next = self
            .space
            .scan(db, cursor, count, now_ms, &mut expired, visit);
        (found, next)
    }
}
