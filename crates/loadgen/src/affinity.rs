//! Connections with keys of their own: what a server that moves connections to their data lives on.
//!
//! Keys that share a hash tag lie together, so a connection's own keys are those of one tag. Apart
//! from `keys`, which knows nothing of connections.

use crate::keys::KeyPicker;

/// How connections are bound to hash tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Affinity {
    /// Hash tags there are; at most as many as keys.
    pub(crate) tags: u32,
    /// How many of a hundred keys bear the connection's own tag.
    pub(crate) percent: u8,
    /// Requests after which a connection goes on with the next tag.
    pub(crate) shift_after: Option<u64>,
}

impl Affinity {
    /// The tag of a connection for its next request.
    fn tag_of(&self, caller: Caller) -> u64 {
        let shifts = self
            .shift_after
            .map_or(0, |requests| caller.sent / requests);
        (caller.lane + shifts) % u64::from(self.tags)
    }

    /// The key nearest to `key` that bears `tag`, of `count` keys.
    fn key_with(&self, tag: u64, key: u64, count: u64) -> u64 {
        let tags = u64::from(self.tags);
        let near = key - key % tags + tag;
        if near < count { near } else { near - tags }
    }
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Number of the connection over all threads.
    pub(crate) lane: u64,
    /// Requests it has sent before.
    pub(crate) sent: u64,
}

/// Chooses keys for one generator thread on behalf of its connections.
#[derive(Debug)]
pub(crate) struct KeyChooser {
    picker: KeyPicker,
    affinity: Option<Affinity>,
    count: u64,
    /// The tag of whoever sends now.
    tag: u64,
}

impl KeyChooser {
    /// A chooser among `count` keys.
    pub(crate) fn new(picker: KeyPicker, affinity: Option<Affinity>, count: u64) -> Self {
        Self {
            picker,
            affinity,
            count,
            tag: 0,
        }
    }

    /// The next keys are for this caller.
    pub(crate) fn serve(&mut self, caller: Caller) {
        if let Some(affinity) = &self.affinity {
            self.tag = affinity.tag_of(caller);
        }
    }

    /// The number of the next key.
    pub(crate) fn next(&mut self, rng: &mut fastrand::Rng) -> u64 {
        let key = self.picker.next(rng);
        match &self.affinity {
            Some(affinity) if rng.u8(0..100) < affinity.percent => {
                affinity.key_with(self.tag, key, self.count)
            }
            _ => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyDistribution;

    /// How many of 10,000 keys bear which of 4 tags.
    fn tags_of(affinity: Affinity, keys: u64, caller: Caller) -> [u32; 4] {
        let picker = KeyPicker::new(KeyDistribution::Uniform, keys, 0, 1);
        let mut chooser = KeyChooser::new(picker, Some(affinity), keys);
        let mut rng = fastrand::Rng::with_seed(1);
        let mut seen = [0; 4];
        chooser.serve(caller);
        for _ in 0..10_000 {
            let key = chooser.next(&mut rng);
            assert!(key < keys, "{key} of {keys}");
            seen[(key % 4) as usize] += 1;
        }
        seen
    }

    #[test]
    fn connections_keep_to_their_tags() {
        let own = Affinity {
            tags: 4,
            percent: 100,
            shift_after: None,
        };
        for keys in [4, 5, 7, 1_000] {
            for lane in 0..9 {
                let mut expected = [0; 4];
                expected[(lane % 4) as usize] = 10_000;
                assert_eq!(tags_of(own, keys, Caller { lane, sent: 77 }), expected);
            }
        }
        let strays = Affinity { percent: 90, ..own };
        let seen = tags_of(strays, 1_000, Caller { lane: 1, sent: 0 });
        assert!((9_150..9_350).contains(&seen[1]), "{seen:?}");
        let shifts = Affinity {
            shift_after: Some(50),
            ..own
        };
        for (sent, tag) in [(0, 1), (49, 1), (50, 2), (150, 0), (200, 1)] {
            let seen = tags_of(shifts, 1_000, Caller { lane: 1, sent });
            assert_eq!(seen[tag], 10_000, "{sent}");
        }
    }
}
