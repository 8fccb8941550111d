//! Which keys are used and what they look like: the key space, and the choice of the next key.
//!
//! Keys are numbers rendered at a fixed width, so that requests can be laid out beforehand and a
//! verifier can tell which key a reply belongs to.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::zipf::{MAX_THETA, Zipf};

/// Decimal digits of the number in a key; with the default prefix `key:` a key has 16 bytes.
pub(crate) const KEY_DIGITS: usize = 12;

/// One more than the largest key number that [`KEY_DIGITS`] can show.
pub const MAX_KEYS: u64 = 1_000_000_000_000;

/// Decimal digits of the number in a hash tag.
const TAG_DIGITS: usize = 6;

/// Most hash tags that [`TAG_DIGITS`] can show.
pub const MAX_TAGS: u32 = 1_000_000;

/// The skew used when `zipf` is given without a number: that of the YCSB benchmark.
const DEFAULT_THETA: f64 = 0.99;

/// The set of keys a run uses: `prefix` and a number below `count`, behind a hash tag if asked.
#[derive(Clone, Debug)]
pub(crate) struct KeySpace {
    prefix: Box<[u8]>,
    tags: Option<NonZeroU32>,
    count: u64,
}

impl KeySpace {
    /// `count` keys (at most [`MAX_KEYS`]) beginning with `prefix`. With `tags`, each key begins
    /// with one of that many hash tags, `{000017}`, so that the keys lie in that many slots at most.
    pub(crate) fn new(prefix: &[u8], tags: Option<NonZeroU32>, count: u64) -> Self {
        assert!(
            (1..=MAX_KEYS).contains(&count),
            "{count} keys are out of range"
        );
        assert!(
            tags.is_none_or(|t| t.get() <= MAX_TAGS),
            "{tags:?} hash tags are out of range"
        );
        Self {
            prefix: prefix.into(),
            tags,
            count,
        }
    }

    /// How many keys there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Bytes of every key.
    pub(crate) fn key_bytes(&self) -> usize {
        let tag = if self.tags.is_some() {
            TAG_DIGITS + 2
        } else {
            0
        };
        tag + self.prefix.len() + KEY_DIGITS
    }

    /// Appends the key with number `key`.
    pub(crate) fn write(&self, key: u64, out: &mut Vec<u8>) {
        if let Some(tags) = self.tags {
            let tag = (key % u64::from(tags.get())) as u32;
            out.push(b'{');
            out.extend_from_slice(&six_digits(tag));
            out.push(b'}');
        }
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(&six_digits((key / 1_000_000) as u32));
        out.extend_from_slice(&six_digits((key % 1_000_000) as u32));
    }
}

/// `number` (below a million) as six digits; two at a time, which halves the divisions.
fn six_digits(number: u32) -> [u8; 6] {
    let pair = |n: u32| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
    let [a, b] = pair(number / 10_000);
    let [c, d] = pair(number / 100 % 100);
    let [e, f] = pair(number % 100);
    [a, b, c, d, e, f]
}

/// How the next key is chosen, as a user states it: `uniform`, `zipf`, `zipf:1.1` or `sequential`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeyDistribution {
    /// Every key is as likely as any other.
    Uniform,
    /// Key number k in proportion to 1 / (k + 1)^theta; low numbers are hot.
    Zipf(f64),
    /// Each key in turn, beginning again after the last.
    Sequential,
}

impl FromStr for KeyDistribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "uniform" => Ok(Self::Uniform),
            None if text == "sequential" => Ok(Self::Sequential),
            None if text == "zipf" => Ok(Self::Zipf(DEFAULT_THETA)),
            Some(("zipf", theta)) => match theta.parse() {
                Ok(theta) if theta > 0.0 && theta <= MAX_THETA => Ok(Self::Zipf(theta)),
                _ => Err(format!(
                    "zipf's theta {theta:?} is not a number above 0 and at most {MAX_THETA}"
                )),
            },
            _ => Err(format!(
                "{text:?} is none of uniform, zipf, zipf:THETA and sequential"
            )),
        }
    }
}

impl fmt::Display for KeyDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Zipf(theta) => write!(f, "zipf:{theta}"),
            Self::Sequential => f.write_str("sequential"),
        }
    }
}

/// Chooses keys for one generator thread.
#[derive(Clone, Debug)]
pub(crate) enum KeyPicker {
    Uniform { count: u64 },
    Zipf(Zipf),
    Sequential { next: u64, step: u64, count: u64 },
}

impl KeyPicker {
    /// The picker of thread `thread` of `threads`. Threads share a sequence by taking every
    /// `threads`-th key, so together they meet each key once a round.
    pub(crate) fn new(
        distribution: KeyDistribution,
        count: u64,
        thread: u64,
        threads: u64,
    ) -> Self {
        match distribution {
            KeyDistribution::Uniform => Self::Uniform { count },
            KeyDistribution::Zipf(theta) => Self::Zipf(Zipf::new(count, theta)),
            KeyDistribution::Sequential => Self::Sequential {
                next: thread % count,
                step: threads % count,
                count,
            },
        }
    }

    /// The number of the next key.
    pub(crate) fn next(&mut self, rng: &mut fastrand::Rng) -> u64 {
        match self {
            Self::Uniform { count } => rng.u64(0..*count),
            Self::Zipf(zipf) => zipf.sample(rng),
            Self::Sequential { next, step, count } => {
                let key = *next;
                *next += *step;
                if *next >= *count {
                    *next -= *count;
                }
                key
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_width_and_show_their_number() {
        let rows: [(&str, u32, u64, &str); 4] = [
            ("key:", 0, 0, "key:000000000000"),
            ("key:", 0, 123_456_789_012, "key:123456789012"),
            ("", 0, 999_999_999_999, "999999999999"),
            ("k:", 7, 16, "{000002}k:000000000016"),
        ];
        for (prefix, tags, key, want) in rows {
            let space = KeySpace::new(prefix.as_bytes(), NonZeroU32::new(tags), MAX_KEYS);
            let mut out = Vec::new();
            space.write(key, &mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), want);
            assert_eq!(out.len(), space.key_bytes());
        }
    }

    #[test]
    fn distributions_parse_and_show() {
        for text in ["uniform", "sequential", "zipf:0.99", "zipf:1"] {
            assert_eq!(text.parse::<KeyDistribution>().unwrap().to_string(), text);
        }
        assert_eq!("zipf".parse(), Ok(KeyDistribution::Zipf(0.99)));
        for text in [
            "",
            "zip",
            "zipf:",
            "zipf:0",
            "zipf:nan",
            "zipf:11",
            "uniform:1",
        ] {
            assert!(text.parse::<KeyDistribution>().is_err(), "{text}");
        }
    }

    #[test]
    fn threads_share_a_sequence() {
        let mut rng = fastrand::Rng::with_seed(0);
        for (count, threads) in [(10, 1), (10, 3), (7, 7), (2, 5), (1, 4)] {
            let mut seen = vec![0; count as usize];
            for thread in 0..threads {
                let mut picker =
                    KeyPicker::new(KeyDistribution::Sequential, count, thread, threads);
                for _ in 0..(count + threads - 1 - thread) / threads {
                    seen[picker.next(&mut rng) as usize] += 1;
                }
            }
            assert!(
                seen.iter().all(|n| *n == 1),
                "{count} keys, {threads} threads: {seen:?}"
            );
        }
    }

    #[test]
    fn uniform_keys_cover_the_space_evenly() {
        let mut rng = fastrand::Rng::with_seed(5);
        let mut picker = KeyPicker::new(KeyDistribution::Uniform, 10, 0, 1);
        let mut seen = [0; 10];
        for _ in 0..10_000 {
            seen[picker.next(&mut rng) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (880..1120).contains(n)), "{seen:?}");
    }
}
