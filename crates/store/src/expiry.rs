//! Active expiry: finding keys whose time has come before anybody asks for them.
//!
//! A sweep walks the tables that have keys with an expiry, a few buckets per slice. The words in a
//! bucket say which entries have one, so that the others are not touched. How often the caller comes
//! back follows Redis's rule: as long as more than a tenth of what a slice looked at had expired,
//! there is reason to go on.

use crate::exec::{Effects, Event, Touched};
use crate::keyspace::Keyspace;
use crate::table::Position;

/// Where the sweep stands.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    pub(crate) db: u16,
    pub(crate) partition: usize,
    pub(crate) table: usize,
    pub(crate) at: Position,
}

/// What a slice of active expiry did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpireSlice {
    /// Keys with an expiry that it looked at.
    pub examined: usize,
    /// Keys that it removed.
    pub removed: usize,
}

impl ExpireSlice {
    /// Whether so many keys had expired that the next slice should come soon rather than with the next
    /// tick: more than one in ten.
    pub fn more(&self) -> bool {
        self.removed * 10 > self.examined
    }
}

/// Removes keys whose time has come, looking at about `budget` keys that have an expiry. Each is reported
/// as a `DEL` effect and an `expired` event.
///
/// A slice with a budget of 100 takes some tens of microseconds.
pub fn expire_slice(
    space: &mut Keyspace,
    effects: &mut Effects,
    touched: &mut Touched,
    now_ms: u64,
    budget: usize,
) -> ExpireSlice {
    space.expire_slice(now_ms, budget, |db, name| {
        effects.push(db, [&b"DEL"[..], name]);
        touched.push(db, name, Event::EXPIRED);
    })
}
