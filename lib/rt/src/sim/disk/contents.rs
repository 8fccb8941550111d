//! A simulated file's bytes: what was written, and how much of it is safe.

use std::ops::Range;

/// What a disk writes whole: a write that was not synced may survive in part, but never half of this.
const SECTOR_BYTES: usize = 512;

#[derive(Default)]
pub(crate) struct Contents {
    /// As programs see it.
    pub(crate) bytes: Vec<u8>,
    /// As it certainly is on stable storage.
    durable: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<Change>,
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize { len: usize },
}

impl Contents {
    pub(crate) fn read(&self, offset: u64, len: usize) -> &[u8] {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        let end = start.saturating_add(len).min(self.bytes.len());
        &self.bytes[start..end]
    }

    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let offset = offset as usize;
        put(&mut self.bytes, offset, bytes);
        self.unsynced.push(Change::Write {
            offset,
            bytes: bytes.to_vec(),
        });
    }

    pub(crate) fn resize(&mut self, len: usize) {
        self.bytes.resize(len, 0);
        self.unsynced.push(Change::Resize { len });
    }

    /// Makes everything safe.
    pub(crate) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Change::Write { offset, bytes } => put(&mut self.durable, offset, &bytes),
                Change::Resize { len } => self.durable.resize(len, 0),
            }
        }
    }

    /// The power fails: of what was not synced, each change, and of each write every sector, is there or not.
    pub(crate) fn lose_power(&mut self, rng: &mut fastrand::Rng) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Resize { len } if rng.bool() => self.durable.resize(len, 0),
                Change::Resize { .. } => {}
                Change::Write { offset, bytes } => {
                    for sector in sectors(offset, bytes.len()) {
                        if rng.bool() {
                            let part = sector.start - offset..sector.end - offset;
                            put(&mut self.durable, sector.start, &bytes[part]);
                        }
                    }
                }
            }
        }
        self.bytes = self.durable.clone();
    }
}

/// The parts of `len` bytes from `offset` that lie in different sectors.
fn sectors(offset: usize, len: usize) -> impl Iterator<Item = Range<usize>> {
    let end = offset + len;
    let mut start = offset;
    std::iter::from_fn(move || {
        let next = ((start / SECTOR_BYTES + 1) * SECTOR_BYTES).min(end);
        let sector = start..next;
        start = next;
        (!sector.is_empty()).then_some(sector)
    })
}

fn put(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset..end].copy_from_slice(bytes);
}
