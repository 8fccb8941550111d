//! A partition and its share of each database.

use crate::entry::class_bytes;
use crate::table::Table;

use super::{Counts, SLOTS_PER_PARTITION};

/// 64 slots in all databases: what moves between shards. `Send`, and worth a box.
#[derive(Debug)]
pub struct Partition {
    pub(super) dbs: Box<[Option<Box<Db>>]>,
}

/// One partition's share of a database: a table per slot.
#[derive(Debug)]
pub(crate) struct Db {
    pub(crate) tables: [Table; SLOTS_PER_PARTITION],
    pub(crate) counts: Counts,
}

impl Partition {
    pub(super) fn new(databases: u16) -> Self {
        Self {
            dbs: (0..databases).map(|_| None).collect(),
        }
    }

    /// What it holds of a database.
    pub fn counts(&self, db: u16) -> Counts {
        self.dbs[db as usize]
            .as_ref()
            .map_or_else(Counts::default, |db| db.counts)
    }
}

impl Db {
    pub(super) fn new() -> Box<Self> {
        let table_bytes = class_bytes(size_of::<Self>()) as u64;
        Box::new(Self {
            tables: std::array::from_fn(|_| Table::default()),
            counts: Counts {
                table_bytes,
                ..Counts::default()
            },
        })
    }
}
