//! What to send next: the mix of commands over the keys, as one generator thread sees it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::affinity::{Affinity, Caller, KeyChooser};
use crate::filler::{Filler, Wrong};
use crate::keys::{KeyDistribution, KeyPicker, KeySpace};
use crate::template::{Template, split_words};

/// Most kinds of commands in one run.
pub const MAX_KINDS: usize = 64;

/// Reads to writes, `GET:SET`, as in `9:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Share of GET.
    pub get: u32,
    /// Share of SET.
    pub set: u32,
}

impl FromStr for Ratio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shares = text
            .split_once(':')
            .and_then(|(get, set)| Some((get.parse::<u16>().ok()?, set.parse::<u16>().ok()?)));
        match shares {
            Some((0, 0)) => Err("one side of the ratio must be above 0".into()),
            Some((get, set)) => Ok(Self {
                get: get.into(),
                set: set.into(),
            }),
            None => Err(format!(
                "{text:?} is not a ratio of GET to SET such as 9:1, each at most 65535"
            )),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.get, self.set)
    }
}

/// What all threads of a run share: the encoded commands, the keys and the values.
#[derive(Debug)]
pub(crate) struct Mix {
    kinds: Vec<Kind>,
    total_weight: u32,
    keys: KeySpace,
    filler: Filler,
}

#[derive(Debug)]
struct Kind {
    template: Template,
    weight: u32,
}

impl Mix {
    /// GET and SET in the given ratio.
    pub(crate) fn ratio(ratio: Ratio, keys: KeySpace, filler: Filler) -> Self {
        let rows = [
            ("GET __key__", ratio.get),
            ("SET __key__ __data__", ratio.set),
        ];
        let rows = rows.into_iter().filter(|row| row.1 > 0);
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        Self::new(
            rows.map(|(line, weight)| (words(line), weight)),
            keys,
            filler,
        )
    }

    /// The commands of the user's templates, each as often as any other.
    ///
    /// # Errors
    /// If a template cannot be split into words, or there are none or too many.
    pub(crate) fn commands(
        lines: &[String],
        keys: KeySpace,
        filler: Filler,
    ) -> Result<Self, String> {
        if lines.is_empty() || lines.len() > MAX_KINDS {
            return Err(format!(
                "between 1 and {MAX_KINDS} command templates are needed"
            ));
        }
        let rows: Result<Vec<_>, String> = lines
            .iter()
            .map(|line| Ok((split_words(line)?, 1)))
            .collect();
        Ok(Self::new(rows?, keys, filler))
    }

    fn new(
        rows: impl IntoIterator<Item = (Vec<String>, u32)>,
        keys: KeySpace,
        filler: Filler,
    ) -> Self {
        let kinds: Vec<_> = rows
            .into_iter()
            .map(|(words, weight)| Kind {
                template: Template::new(&words, &keys, &filler),
                weight,
            })
            .collect();
        let total_weight = kinds.iter().map(|k| k.weight).sum();
        Self {
            kinds,
            total_weight,
            keys,
            filler,
        }
    }

    /// The commands' names, in the order of [`Request::kind`].
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|k| k.template.name())
    }

    /// How many keys the run is over.
    pub(crate) fn key_count(&self) -> u64 {
        self.keys.count()
    }

    /// Whether `value`, read under key number `key`, is one that was written there.
    pub(crate) fn check(&self, key: u64, value: &[u8], scratch: &mut Vec<u8>) -> Result<(), Wrong> {
        self.filler.check(&self.keys, key, value, scratch)
    }
}

/// What was put into a request, so that its reply can be accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Index into [`Mix::names`].
    pub(crate) kind: u8,
    /// Number of the (first) key.
    pub(crate) key: u64,
}

/// One thread's stream of requests.
#[derive(Debug)]
pub(crate) struct Workload {
    mix: Arc<Mix>,
    chooser: KeyChooser,
    rng: fastrand::Rng,
}

impl Workload {
    /// The stream of thread `thread` of `threads`; the same seed gives the same stream.
    pub(crate) fn new(
        mix: Arc<Mix>,
        distribution: KeyDistribution,
        affinity: Option<Affinity>,
        thread: u64,
        threads: u64,
        seed: u64,
    ) -> Self {
        let picker = KeyPicker::new(distribution, mix.key_count(), thread, threads);
        let chooser = KeyChooser::new(picker, affinity, mix.key_count());
        // Weyl's constant keeps the threads' streams far apart for neighbouring seeds.
        let rng = fastrand::Rng::with_seed(seed ^ (thread + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self { mix, chooser, rng }
    }

    pub(crate) fn mix(&self) -> &Mix {
        &self.mix
    }

    /// Appends the next request of `caller` to `out`.
    pub(crate) fn push(&mut self, caller: Caller, out: &mut Vec<u8>) -> Request {
        self.chooser.serve(caller);
        let mix = &*self.mix;
        let kind = if mix.kinds.len() == 1 {
            0
        } else {
            pick_kind(mix, &mut self.rng)
        };
        let template = &mix.kinds[kind].template;
        let key = template.write(
            &mix.keys,
            &mix.filler,
            &mut self.chooser,
            &mut self.rng,
            out,
        );
        Request {
            kind: kind as u8,
            key,
        }
    }
}

fn pick_kind(mix: &Mix, rng: &mut fastrand::Rng) -> usize {
    let mut left = rng.u32(0..mix.total_weight);
    for (i, kind) in mix.kinds.iter().enumerate() {
        if left < kind.weight {
            return i;
        }
        left -= kind.weight;
    }
    unreachable!("the weights add up to the total")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(ratio: &str) -> Arc<Mix> {
        let keys = KeySpace::new(b"key:", None, 1000);
        let filler = Filler::new("64".parse().unwrap(), false, 1);
        Arc::new(Mix::ratio(ratio.parse().unwrap(), keys, filler))
    }

    fn stream(ratio: &str, seed: u64, requests: usize) -> (Vec<u8>, Vec<Request>) {
        let mut workload = Workload::new(mix(ratio), KeyDistribution::Uniform, None, 0, 1, seed);
        let mut out = Vec::new();
        let sent = (0..requests)
            .map(|_| workload.push(Caller::default(), &mut out))
            .collect();
        (out, sent)
    }

    #[test]
    fn ratios_parse() {
        assert_eq!("9:1".parse(), Ok(Ratio { get: 9, set: 1 }));
        assert_eq!("1:0".parse(), Ok(Ratio { get: 1, set: 0 }));
        for text in ["", "1", "0:0", "a:b", "1:2:3", "-1:1", "70000:1"] {
            assert!(text.parse::<Ratio>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_seed_gives_one_stream() {
        assert_eq!(stream("1:1", 4, 500), stream("1:1", 4, 500));
        assert_ne!(stream("1:1", 4, 500).0, stream("1:1", 5, 500).0);
    }

    #[test]
    fn commands_come_in_their_shares() {
        let (_, sent) = stream("9:1", 2, 10_000);
        let reads = sent.iter().filter(|r| r.kind == 0).count();
        assert!((8800..9200).contains(&reads), "{reads}");
        assert_eq!(mix("1:0").names().collect::<Vec<_>>(), ["GET"]);
        assert_eq!(mix("0:1").names().collect::<Vec<_>>(), ["SET"]);
    }

    #[test]
    fn template_lists_are_bounded() {
        let make = |lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|s| s.to_string()).collect();
            let keys = KeySpace::new(b"key:", None, 10);
            Mix::commands(&lines, keys, Filler::new("4".parse().unwrap(), false, 1))
        };
        assert_eq!(
            make(&["incr __key__", "PING"])
                .unwrap()
                .names()
                .collect::<Vec<_>>(),
            ["INCR", "PING"]
        );
        assert!(make(&[]).is_err());
        assert!(make(&["PING"; MAX_KINDS + 1]).is_err());
    }
}
