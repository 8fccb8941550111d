//! What happens each second: commands, and bytes in and out, over the last second and a half or so, as `INFO` tells it.
//! The sampler is pure: times and counts come from outside.

use std::collections::VecDeque;

use crate::stats::Stats;

/// What is counted as it happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    commands: u64,
    input_bytes: u64,
    output_bytes: u64,
}

/// How often that happens.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// Commands executed each second.
    pub commands_per_s: f64,
    /// Bytes read from clients each second.
    pub input_bytes_per_s: f64,
    /// Bytes sent to clients each second.
    pub output_bytes_per_s: f64,
}

/// The readings of the last while.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    /// When, and how much had been counted by then; oldest first.
    readings: VecDeque<(u64, Counts)>,
}

/// Two readings are apart by so much at least; nothing is told of a shorter time.
const SAMPLE_NS: u64 = 100_000_000;

/// Readings that are kept. They are as far apart as the background's rounds, which are rare where nothing happens.
const SAMPLES: usize = 16;

/// The time that rates are told of, where a reading is that old.
const WINDOW_NS: u64 = SAMPLES as u64 * SAMPLE_NS;

impl Counts {
    pub(crate) fn of(stats: &Stats) -> Self {
        Self {
            commands: stats.commands_processed,
            input_bytes: stats.net_input_bytes,
            output_bytes: stats.net_output_bytes,
        }
    }
}

impl Rates {
    /// Adds another shard's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.commands_per_s += other.commands_per_s;
        self.input_bytes_per_s += other.input_bytes_per_s;
        self.output_bytes_per_s += other.output_bytes_per_s;
    }
}

impl Sampler {
    /// Takes a reading, unless the last one is too recent.
    pub(crate) fn sample(&mut self, now_ns: u64, counts: Counts) {
        let last = self.readings.back();
        if last.is_some_and(|(at_ns, _)| now_ns.saturating_sub(*at_ns) < SAMPLE_NS) {
            return;
        }
        if self.readings.len() == SAMPLES {
            self.readings.pop_front();
        }
        self.readings.push_back((now_ns, counts));
    }

    /// How often things have happened lately, `counts` being counted by now.
    pub(crate) fn rates(&self, now_ns: u64, counts: Counts) -> Rates {
        let is_old = |(at_ns, _): &&(u64, Counts)| now_ns.saturating_sub(*at_ns) >= WINDOW_NS;
        let since = self.readings.iter().rev().find(is_old);
        let Some((since_ns, before)) = since.or(self.readings.front()) else {
            return Rates::default();
        };
        let passed_ns = now_ns.saturating_sub(*since_ns);
        if passed_ns < SAMPLE_NS {
            return Rates::default();
        }
        let per_s =
            |now: u64, before: u64| now.saturating_sub(before) as f64 * 1e9 / passed_ns as f64;
        Rates {
            commands_per_s: per_s(counts.commands, before.commands),
            input_bytes_per_s: per_s(counts.input_bytes, before.input_bytes),
            output_bytes_per_s: per_s(counts.output_bytes, before.output_bytes),
        }
    }

    /// So much was added to the counts that did not happen now: another shard had counted it.
    pub(crate) fn inherit(&mut self, inherited: Counts) {
        for (_, counts) in &mut self.readings {
            counts.commands += inherited.commands;
            counts.input_bytes += inherited.input_bytes;
            counts.output_bytes += inherited.output_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// So many commands, of 10 bytes each and answered with 100.
    fn counts(commands: u64) -> Counts {
        Counts {
            commands,
            input_bytes: commands * 10,
            output_bytes: commands * 100,
        }
    }

    /// Readings `every_ms`, `commands` having been counted at each of them.
    fn sampled(every_ms: u64, commands: impl IntoIterator<Item = u64>) -> Sampler {
        let mut sampler = Sampler::default();
        for (at, commands) in (1..).zip(commands) {
            sampler.sample(at * every_ms * MS, counts(commands));
        }
        sampler
    }

    #[test]
    fn rates_are_those_of_the_last_samples() {
        #[track_caller]
        fn check(sampler: &Sampler, now_ms: u64, commands: u64, per_s: f64) {
            let rates = sampler.rates(now_ms * MS, counts(commands));
            let expected = Rates {
                commands_per_s: per_s,
                input_bytes_per_s: per_s * 10.0,
                output_bytes_per_s: per_s * 100.0,
            };
            assert_eq!(rates, expected);
        }
        // Steadily 50 in 100 ms.
        let steady = sampled(100, (1..=40).map(|n| n * 50));
        check(&steady, 4_000, 2_000, 500.0);
        // 3,200 before the time that is told of, and 160 in it.
        let fallen = sampled(
            100,
            (1..=32).map(|n| (n.min(16)) * 200 + u64::saturating_sub(n, 16) * 10),
        );
        check(&fallen, 3_300, 3_370, (3_370 - 3_210) as f64 / 1.6);
        // Rounds that are a second apart.
        check(&sampled(1_000, [10, 20, 30, 40]), 4_500, 40, 8.0);
        // Nothing has happened for long.
        check(&sampled(100, (1..=40).map(|n| n * 50)), 60_000, 2_000, 0.0);
        // Nothing is known yet.
        check(&Sampler::default(), 5_000, 100, 0.0);
        check(&sampled(100, [7]), 150, 900, 0.0);
    }

    #[test]
    fn readings_are_neither_too_close_nor_too_many() {
        let mut sampler = Sampler::default();
        for at_ms in 0..10_000 {
            sampler.sample(at_ms * MS, counts(at_ms));
        }
        assert_eq!(sampler.readings.len(), SAMPLES);
        assert_eq!(
            sampler.rates(10_000 * MS, counts(10_000)).commands_per_s,
            1_000.0
        );
    }

    #[test]
    fn what_is_inherited_did_not_happen_now() {
        let mut sampler = sampled(100, (1..=40).map(|n| n * 50));
        sampler.inherit(counts(1_000_000));
        let rates = sampler.rates(4_000 * MS, counts(1_002_000));
        assert_eq!(rates.commands_per_s, 500.0);
    }
}
