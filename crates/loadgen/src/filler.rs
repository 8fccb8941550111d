//! The bytes of written values, and the check that a value read back is one that was written.
//!
//! A plain value is a piece of one random printable text. A verifiable one begins with its own
//! key, so that a value under a wrong key, a cut one and a mixed-up one are all seen.

use crate::keys::KeySpace;
use crate::size::ValueSize;

/// Stands between key and text in a verifiable value.
const SEPARATOR: u8 = b'=';

/// The text all values of a run are cut from.
#[derive(Debug)]
pub(crate) struct Filler {
    text: Box<[u8]>,
    size: ValueSize,
    verify: bool,
}

impl Filler {
    pub(crate) fn new(size: ValueSize, verify: bool, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let text = (0..size.max()).map(|_| rng.u8(b'!'..=b'~')).collect();
        Self { text, size, verify }
    }

    /// Shortest value that can carry a key.
    pub(crate) fn min_verifiable_bytes(keys: &KeySpace) -> usize {
        keys.key_bytes() + 1
    }

    pub(crate) fn size(&self) -> &ValueSize {
        &self.size
    }

    /// The value, where all values of the run are one and the same.
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        match self.size.fixed() {
            Some(bytes) if !self.verify => Some(&self.text[..bytes as usize]),
            _ => None,
        }
    }

    /// Appends the value of `bytes` length for `key`.
    pub(crate) fn write(&self, keys: &KeySpace, key: u64, bytes: u32, out: &mut Vec<u8>) {
        let mut text = &self.text[..bytes as usize];
        if self.verify {
            keys.write(key, out);
            out.push(SEPARATOR);
            text = &text[Self::min_verifiable_bytes(keys)..];
        }
        out.extend_from_slice(text);
    }

    /// Whether `value` was written for `key`. `scratch` only saves an allocation.
    pub(crate) fn check(
        &self,
        keys: &KeySpace,
        key: u64,
        value: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        scratch.clear();
        keys.write(key, scratch);
        scratch.push(SEPARATOR);
        let Some(text) = value.strip_prefix(scratch.as_slice()) else {
            return Err(Wrong::Key);
        };
        if u32::try_from(value.len()).map_or(true, |bytes| !self.size.allows(bytes)) {
            return Err(Wrong::Length);
        }
        if text != &self.text[scratch.len()..value.len()] {
            return Err(Wrong::Text);
        }
        Ok(())
    }
}

/// What is wrong with a value read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It does not begin with its key.
    Key,
    /// No value of this length was written.
    Length,
    /// Key and length fit, the rest does not.
    Text,
}

impl Wrong {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Key => "the value belongs to another key",
            Self::Length => "the value has a length that was never written",
            Self::Text => "the value's bytes are damaged",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(size: &str) -> (KeySpace, Filler) {
        (
            KeySpace::new(b"key:", None, 100),
            Filler::new(size.parse().unwrap(), true, 1),
        )
    }

    #[test]
    fn written_values_pass_and_damaged_ones_do_not() {
        let (keys, filler) = setup("20..40");
        let mut scratch = Vec::new();
        for bytes in 20..=40 {
            let mut value = Vec::new();
            filler.write(&keys, 42, bytes, &mut value);
            assert_eq!(value.len(), bytes as usize);
            assert_eq!(filler.check(&keys, 42, &value, &mut scratch), Ok(()));
            assert_eq!(
                filler.check(&keys, 43, &value, &mut scratch),
                Err(Wrong::Key)
            );
            for at in 0..value.len() {
                let mut damaged = value.clone();
                damaged[at] ^= 1;
                let want = if at <= 16 { Wrong::Key } else { Wrong::Text };
                assert_eq!(
                    filler.check(&keys, 42, &damaged, &mut scratch),
                    Err(want),
                    "{at}"
                );
            }
            value.extend_from_slice(&[b'x'; 21]);
            assert_eq!(
                filler.check(&keys, 42, &value, &mut scratch),
                Err(Wrong::Length)
            );
        }
        assert_eq!(filler.check(&keys, 42, b"", &mut scratch), Err(Wrong::Key));
    }

    #[test]
    fn only_plain_values_of_one_size_are_constant() {
        let constant = |size: &str, verify| {
            Filler::new(size.parse().unwrap(), verify, 1)
                .constant()
                .map(<[u8]>::len)
        };
        assert_eq!(constant("64", false), Some(64));
        assert_eq!(constant("64", true), None);
        assert_eq!(constant("64..65", false), None);
    }
}
