//! Which shards the commands of one pass needed.

use corelane::{MAX_SHARDS, ShardId};

/// Bits of one word.
const BITS: usize = u64::BITS as usize;

/// The shards of one pass, as it goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    here: bool,
    away: bool,
    /// A bit for each other shard.
    others: [u64; MAX_SHARDS.div_ceil(BITS)],
}

impl Pass {
    /// A command ran on the connection's own shard, because its key is there.
    #[inline]
    pub fn needs_here(&mut self) {
        self.here = true;
    }

    /// A command went to another shard.
    #[inline]
    pub fn needs(&mut self, shard: ShardId) {
        self.away = true;
        self.others[shard.index() / BITS] |= 1 << (shard.index() % BITS);
    }

    /// Whether no command needed another shard.
    #[inline]
    pub fn is_at_home(&self) -> bool {
        !self.away
    }

    /// Begins anew after a pass that was at home.
    #[inline]
    pub fn begin_after_home(&mut self) {
        debug_assert!(self.is_at_home());
        self.here = false;
    }

    /// Whether any command needed the connection's own shard.
    pub fn is_here(&self) -> bool {
        self.here
    }

    /// Whether no command needed a shard at all.
    pub fn is_empty(&self) -> bool {
        !self.here && !self.away
    }

    /// The other shards, each once.
    pub fn others(&self) -> impl Iterator<Item = ShardId> {
        let words = self.others.iter().enumerate();
        let bits = words.flat_map(|(word, bits)| Bits(*bits).map(move |bit| word * BITS + bit));
        // A shard's number fits, for it was one before.
        bits.map(|index| ShardId::new(index as u16))
    }
}

/// The numbers of the set bits of a word.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lowest = self.0.trailing_zeros() as usize;
        self.0 &= self.0.wrapping_sub(1);
        (lowest < BITS).then_some(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_told_once_each() {
        let mut pass = Pass::default();
        assert!(pass.is_empty() && pass.is_at_home());
        pass.needs_here();
        assert!(!pass.is_empty() && pass.is_at_home() && pass.is_here());
        pass.begin_after_home();
        assert_eq!(pass, Pass::default());
        for number in [255, 0, 63, 64, 0, 255] {
            pass.needs(ShardId::new(number));
        }
        assert!(!pass.is_at_home());
        let others: Vec<_> = pass.others().map(ShardId::number).collect();
        assert_eq!(others, [0, 63, 64, 255]);
    }
}
