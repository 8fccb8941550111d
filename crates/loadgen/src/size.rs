//! How long the written values are: one size, a range, or a weighted mix.
//!
//! Apart from `filler`, which holds the bytes themselves: this file only chooses lengths.

use std::fmt;
use std::str::FromStr;

/// Longest value that can be asked for: Redis's own limit on one bulk string.
pub const MAX_VALUE_BYTES: u32 = 512 << 20;

/// Most sizes in one mix.
pub(crate) const MAX_MIX: usize = 64;

/// The lengths of written values, as a user states them.
///
/// `64` is one size, `64..1024` a uniform range with both ends included, and `64:90,4k:10` a mix
/// of sizes with weights. Sizes take the suffixes `k` and `m` (powers of 1024).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSize {
    /// Every value has this many bytes.
    Fixed(u32),
    /// Uniform between the two, ends included.
    Range(u32, u32),
    /// Sizes with their weights.
    Mix(Vec<(u32, u32)>),
}

impl ValueSize {
    /// The one size, if there is only one.
    pub fn fixed(&self) -> Option<u32> {
        match self {
            Self::Fixed(bytes) => Some(*bytes),
            _ => None,
        }
    }

    /// The longest value that can come out.
    pub fn max(&self) -> u32 {
        match self {
            Self::Fixed(bytes) | Self::Range(_, bytes) => *bytes,
            Self::Mix(sizes) => sizes.iter().map(|s| s.0).max().unwrap_or(0),
        }
    }

    /// The shortest value that can come out.
    pub fn min(&self) -> u32 {
        match self {
            Self::Fixed(bytes) | Self::Range(bytes, _) => *bytes,
            Self::Mix(sizes) => sizes.iter().map(|s| s.0).min().unwrap_or(0),
        }
    }

    /// Whether a value of this length can have been written by this workload.
    pub fn allows(&self, bytes: u32) -> bool {
        match self {
            Self::Fixed(size) => *size == bytes,
            Self::Range(min, max) => (*min..=*max).contains(&bytes),
            Self::Mix(sizes) => sizes.iter().any(|s| s.0 == bytes),
        }
    }

    /// Chooses the length of the next value.
    pub fn pick(&self, rng: &mut fastrand::Rng) -> u32 {
        match self {
            Self::Fixed(bytes) => *bytes,
            Self::Range(min, max) => rng.u32(*min..=*max),
            Self::Mix(sizes) => pick_weighted(sizes, rng),
        }
    }
}

fn pick_weighted(sizes: &[(u32, u32)], rng: &mut fastrand::Rng) -> u32 {
    let total: u32 = sizes.iter().map(|s| s.1).sum();
    let mut left = rng.u32(0..total);
    for &(bytes, weight) in sizes {
        if left < weight {
            return bytes;
        }
        left -= weight;
    }
    unreachable!("the weights add up to the total")
}

impl FromStr for ValueSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((min, max)) = text.split_once("..") {
            let (min, max) = (parse_bytes(min)?, parse_bytes(max.trim_start_matches('='))?);
            if min > max {
                return Err(format!("the range {text} ends before it begins"));
            }
            return Ok(Self::Range(min, max));
        }
        if text.contains(':') {
            return parse_mix(text);
        }
        parse_bytes(text).map(Self::Fixed)
    }
}

fn parse_mix(text: &str) -> Result<ValueSize, String> {
    let mut sizes = Vec::new();
    let mut total = 0u32;
    for part in text.split(',') {
        let (bytes, weight) = part
            .split_once(':')
            .ok_or_else(|| format!("{part:?} in a mix needs a weight, as in 64:90,4k:10"))?;
        let weight: u32 = weight
            .parse()
            .map_err(|_| format!("the weight {weight:?} is not a whole number"))?;
        total = total
            .checked_add(weight)
            .ok_or("the weights add up to more than 2^32")?;
        sizes.push((parse_bytes(bytes)?, weight));
    }
    if total == 0 {
        return Err("at least one weight of a mix must be above 0".into());
    }
    if sizes.len() > MAX_MIX {
        return Err(format!("a mix has at most {MAX_MIX} sizes"));
    }
    Ok(ValueSize::Mix(sizes))
}

/// Parses a length in bytes with an optional `k` or `m`.
fn parse_bytes(text: &str) -> Result<u32, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, unit) = match lower.strip_suffix(['k', 'm']) {
        Some(digits) if lower.ends_with('k') => (digits, 1 << 10),
        Some(digits) => (digits, 1 << 20),
        None => (lower.as_str(), 1),
    };
    let count: u32 = digits
        .parse()
        .map_err(|_| format!("{text:?} is not a size in bytes such as 64, 4k or 1m"))?;
    count
        .checked_mul(unit)
        .filter(|bytes| *bytes <= MAX_VALUE_BYTES)
        .ok_or_else(|| format!("{text} is above the longest value, {MAX_VALUE_BYTES} bytes"))
}

impl fmt::Display for ValueSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(bytes) => write!(f, "{bytes}"),
            Self::Range(min, max) => write!(f, "{min}..{max}"),
            Self::Mix(sizes) => {
                for (i, (bytes, weight)) in sizes.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{bytes}:{weight}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Result<ValueSize, &str>) {
        match (text.parse::<ValueSize>(), want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{text}"),
            (Err(got), Err(part)) => assert!(got.contains(part), "{text}: {got}"),
            (got, want) => panic!("{text}: {got:?}, wanted {want:?}"),
        }
    }

    #[test]
    fn parses_sizes() {
        check("0", Ok(ValueSize::Fixed(0)));
        check("64", Ok(ValueSize::Fixed(64)));
        check("4K", Ok(ValueSize::Fixed(4096)));
        check("1m", Ok(ValueSize::Fixed(1 << 20)));
        check("64..1k", Ok(ValueSize::Range(64, 1024)));
        check("64..=128", Ok(ValueSize::Range(64, 128)));
        check(
            "64:90,4k:10",
            Ok(ValueSize::Mix(vec![(64, 90), (4096, 10)])),
        );
        check("9..8", Err("ends before"));
        check("", Err("not a size"));
        check("-1", Err("not a size"));
        check("513m", Err("longest value"));
        check("5000m", Err("longest value"));
        check("64:90,128", Err("needs a weight"));
        check("64:x", Err("not a whole number"));
        check("64:0", Err("above 0"));
    }

    #[test]
    fn shown_sizes_parse_back() {
        for text in ["64", "64..1024", "64:90,4096:10"] {
            assert_eq!(text.parse::<ValueSize>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn picks_only_allowed_sizes_in_their_shares() {
        let mut rng = fastrand::Rng::with_seed(1);
        for text in ["7", "3..9", "64:75,4096:25"] {
            let size: ValueSize = text.parse().unwrap();
            for _ in 0..1000 {
                let bytes = size.pick(&mut rng);
                assert!(size.allows(bytes), "{text}: {bytes}");
                assert!(
                    (size.min()..=size.max()).contains(&bytes),
                    "{text}: {bytes}"
                );
            }
        }
        let mix = ValueSize::Mix(vec![(64, 75), (4096, 25)]);
        let small = (0..10_000).filter(|_| mix.pick(&mut rng) == 64).count();
        assert!((7300..7700).contains(&small), "{small}");
    }
}
