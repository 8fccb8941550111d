//! The ratchet: the most instructions that each stage of each command may take.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

use super::callgrind::Counts;

/// Differences of so few instructions are no differences, whatever they are in percent.
const SLACK: u64 = 3;

/// What a new file is given: compilers and C libraries of one version differ by less.
const DEFAULT_TOLERANCE_PERCENT: f64 = 2.0;

/// The checked-in figures.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ratchet {
    /// How far above its figure a stage may be.
    pub(crate) tolerance_percent: f64,
    /// Instructions by kind of command and stage.
    pub(crate) instructions: BTreeMap<String, Counts>,
}

/// One stage of one command beside its figure.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) stage: String,
    pub(crate) now: Option<u64>,
    pub(crate) figure: Option<u64>,
    pub(crate) verdict: Verdict,
}

/// What comes of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Within the tolerance.
    Held,
    /// Below it: the figure is to be lowered.
    Better,
    /// Above it.
    Worse,
    /// Counted but not in the file.
    New,
    /// In the file but not counted.
    Gone,
}

impl Verdict {
    /// Whether the gate stays shut.
    pub(crate) fn fails(self) -> bool {
        matches!(self, Self::Worse | Self::New | Self::Gone)
    }
}

impl Default for Ratchet {
    fn default() -> Self {
        Self {
            tolerance_percent: DEFAULT_TOLERANCE_PERCENT,
            instructions: BTreeMap::new(),
        }
    }
}

impl Ratchet {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The file with `counts` for figures.
    pub(crate) fn render(&self, counts: &BTreeMap<String, Counts>) -> String {
        let mut out = String::from(
            "# Instructions per command and stage, the most that `cargo xtask gate` lets through.\n\
             # Written by `cargo xtask gate --update`; figures go up only with a reason in the commit.\n\
             # `execute` contains the writing of the reply, which `reply` counts once more by itself.\n",
        );
        let mut line = |text: std::fmt::Arguments<'_>| {
            writeln!(out, "{text}").expect("writing to a string");
        };
        line(format_args!(
            "tolerance_percent = {:.1}\n\n[instructions]",
            self.tolerance_percent
        ));
        for (kind, counts) in counts {
            let stages: Vec<_> = counts
                .iter()
                .map(|(stage, count)| format!("{stage} = {count}"))
                .collect();
            line(format_args!("\"{kind}\" = {{ {} }}", stages.join(", ")));
        }
        out
    }

    /// Compares counts with the figures, by kind and stage.
    pub(crate) fn compare(&self, counts: &BTreeMap<String, Counts>) -> Vec<Row> {
        let pairs = |all: &BTreeMap<String, Counts>| -> BTreeMap<(String, String), u64> {
            let of = |(kind, counts): (&String, &Counts)| {
                let pair =
                    |(stage, count): (&String, &u64)| ((kind.clone(), stage.clone()), *count);
                counts.iter().map(pair).collect::<Vec<_>>()
            };
            all.iter().flat_map(of).collect()
        };
        let (now, figures) = (pairs(counts), pairs(&self.instructions));
        let mut places: Vec<_> = now.keys().chain(figures.keys()).collect();
        places.sort();
        places.dedup();
        let row = |place: &(String, String)| {
            let (now, figure) = (now.get(place).copied(), figures.get(place).copied());
            let (kind, stage) = place.clone();
            Row {
                kind,
                stage,
                now,
                figure,
                verdict: self.judge(now, figure),
            }
        };
        places.into_iter().map(row).collect()
    }

    fn judge(&self, now: Option<u64>, figure: Option<u64>) -> Verdict {
        let (Some(now), Some(figure)) = (now, figure) else {
            return if now.is_some() {
                Verdict::New
            } else {
                Verdict::Gone
            };
        };
        let room = (figure as f64 * self.tolerance_percent / 100.0) as u64;
        let room = room.max(SLACK);
        if now > figure + room {
            Verdict::Worse
        } else if now + room < figure {
            Verdict::Better
        } else {
            Verdict::Held
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, &str, u64)]) -> BTreeMap<String, Counts> {
        let mut all: BTreeMap<String, Counts> = BTreeMap::new();
        for &(kind, stage, count) in rows {
            all.entry(kind.into())
                .or_default()
                .insert(stage.into(), count);
        }
        all
    }

    #[test]
    fn counts_are_judged() {
        let ratchet = Ratchet::default();
        for (now, figure, want) in [
            (Some(1000), Some(1000), Verdict::Held),
            (Some(1020), Some(1000), Verdict::Held),
            (Some(1021), Some(1000), Verdict::Worse),
            (Some(980), Some(1000), Verdict::Held),
            (Some(979), Some(1000), Verdict::Better),
            (Some(13), Some(10), Verdict::Held),
            (Some(14), Some(10), Verdict::Worse),
            (Some(6), Some(10), Verdict::Better),
            (Some(1), None, Verdict::New),
            (None, Some(1), Verdict::Gone),
        ] {
            assert_eq!(
                ratchet.judge(now, figure),
                want,
                "{now:?} beside {figure:?}"
            );
        }
    }

    #[test]
    fn the_file_reads_back() {
        let all = counts(&[
            ("GET hit", "parse", 100),
            ("GET hit", "reply", 20),
            ("PING", "parse", 50),
        ]);
        let text = Ratchet::default().render(&all);
        let read = Ratchet::parse(&text).unwrap();
        assert_eq!(
            read,
            Ratchet {
                tolerance_percent: 2.0,
                instructions: all
            }
        );
        assert!(Ratchet::parse("tolerance = 1").is_err());
    }

    #[test]
    fn every_place_of_both_sides_is_a_row() {
        let ratchet = Ratchet {
            instructions: counts(&[("GET", "parse", 100), ("OLD", "parse", 1)]),
            ..Ratchet::default()
        };
        let rows = ratchet.compare(&counts(&[("GET", "parse", 90), ("GET", "reply", 5)]));
        let shown: Vec<_> = rows
            .iter()
            .map(|r| (r.kind.as_str(), r.stage.as_str(), r.verdict))
            .collect();
        assert_eq!(
            shown,
            [
                ("GET", "parse", Verdict::Better),
                ("GET", "reply", Verdict::New),
                ("OLD", "parse", Verdict::Gone),
            ]
        );
    }
}
