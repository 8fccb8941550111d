//! Looking ahead: the commands of a pipeline are known before they run, so the memory that each will
//! touch is asked for while the ones before it are still at work. With many keys this hides most of
//! what a lookup costs: the wait for memory.

use corelane_store::{Command, Key, Split};
use corelane_wire::slot::slot_of;
use corelane_wire::{Args, Span};
use smallvec::SmallVec;

use crate::shard::Shard;

/// Commands looked at ahead of the one that runs; more would push each other out of the cache.
pub const AHEAD: usize = 16;

/// The keys of commands about to run.
#[derive(Debug, Default)]
pub struct Ahead<'k> {
    keys: SmallVec<[(&'k [u8], u16); AHEAD]>,
}

impl<'k> Ahead<'k> {
    /// Notes a command whose arguments lie at `spans` of `bytes`; returns the slot of its key, to be
    /// passed on in [`Call::slot`](crate::Call). Commands of several keys are left to themselves.
    #[inline]
    pub fn note(&mut self, command: &Command, bytes: &'k [u8], spans: &[Span]) -> Option<u16> {
        if command.split != Split::Single {
            return None;
        }
        let position = command.spec.first_key(&Args::new(bytes, spans))?;
        let span = spans.get(position)?;
        let key = &bytes[span.start as usize..span.end as usize];
        let slot = slot_of(key);
        self.keys.push((key, slot));
        Some(slot)
    }

    pub(crate) fn push(&mut self, key: &'k [u8], slot: u16) {
        self.keys.push((key, slot));
    }
}

impl Shard {
    /// Asks for the memory of the noted keys: first all buckets, then all entries, so that the
    /// second round finds the first one's lines arrived. Keys of other shards cost nothing.
    pub(crate) fn look_ahead(&self, db: u16, ahead: &Ahead<'_>) {
        let keys: SmallVec<[Key<'_>; AHEAD]> = ahead
            .keys
            .iter()
            .map(|(name, slot)| self.space.key(name, Some(*slot)))
            .collect();
        keys.iter().for_each(|key| self.space.prefetch(db, key));
        keys.iter()
            .for_each(|key| self.space.prefetch_entry(db, key));
    }
}
