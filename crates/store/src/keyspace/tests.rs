//! The keyspace as a whole: against a model, and what it promises about cursors and memory.

mod cursors;
mod limits;
mod model;

use super::*;

const SEED: u64 = 20_26;

fn space() -> Keyspace {
    Keyspace::new(4, SEED)
}

/// Sets a key without an expiry.
fn set(space: &mut Keyspace, db: u16, name: &[u8], value: &[u8]) {
    let key = space.key(name, None);
    space.set_bytes(db, &key, value, Expire::Clear, 0);
}

/// The string of a key.
fn get(space: &mut Keyspace, db: u16, name: &[u8], now_ms: u64) -> Option<Vec<u8>> {
    let key = space.key(name, None);
    let value = space.get(db, &key, now_ms)?;
    Some(value.string().bytes(&mut itoa::Buffer::new()).to_vec())
}

/// Every live key that a walk from 0 to 0 visits, in order, with repeats.
fn walk(space: &Keyspace, db: u16, count: usize, now_ms: u64) -> Vec<Vec<u8>> {
    let (mut cursor, mut names, mut expired) = (0, Vec::new(), Vec::new());
    loop {
        cursor = space.scan(db, cursor, count, now_ms, &mut expired, |value| {
            names.push(value.name().to_vec());
        });
        if cursor == 0 {
            return names;
        }
    }
}
