//! Options that were checked and made ready: what the generator threads work from.
//!
//! Everything that can be refused is refused here, before the first connection.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use corelane::MAX_SHARDS;

use crate::affinity::Affinity;
use crate::error::Error;
use crate::filler::Filler;
use crate::keys::{KeyDistribution, KeySpace, MAX_KEYS, MAX_TAGS};
use crate::options::{DataOptions, LoadOptions, Options};
use crate::progress::Phase;
use crate::report::Setup;
use crate::target::Target;
use crate::workload::{Mix, Ratio};

/// Most connections of a run.
const MAX_CONNECTIONS: u32 = 1_000_000;

/// Most unanswered requests of one connection.
const MAX_PIPELINE: u32 = 100_000;

/// Longest time of one phase: a year, which keeps all arithmetic in nanoseconds exact.
const MAX_PHASE_S: f64 = 31_536_000.0;

/// Requests a connection sends at once while keys are filled in.
const FILL_PIPELINE: u32 = 64;

/// A run, ready to be carried out.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) connections: u32,
    pub(crate) threads: u16,
    pub(crate) verify: bool,
    /// A server that owes replies and sends none for so long is given up.
    pub(crate) patience: Duration,
    pub(crate) seed: u64,
    pub(crate) watch_pid: Option<u32>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) setup: Setup,
}

/// One phase of the run with all it needs.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) phase: Phase,
    pub(crate) mix: Arc<Mix>,
    pub(crate) distribution: KeyDistribution,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) pipeline: u32,
    pub(crate) rate: Option<u64>,
    pub(crate) limit: Limit,
}

/// When a phase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// After so many requests over all threads.
    Requests(u64),
    /// After so long.
    Time(Duration),
}

impl Plan {
    /// Checks the options and makes the run ready. Resolves the server's name.
    ///
    /// # Errors
    /// [`Error::Option`] names the option that is wrong, [`Error::Resolve`] an unknown host.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let Options {
            connection,
            target,
            load,
            data,
        } = options;
        check_load(load)?;
        check_data(data)?;
        let stages = stages(load, data)?;
        let target_plan = Target::new(connection, target.resp3, target.db)?;
        let setup = Setup {
            target: target_plan.name.clone(),
            connections: load.connections,
            threads: load.threads,
            pipeline: load.pipeline,
            rate: load.rate,
            keys: data.keys,
            distribution: data.distribution.to_string(),
            value_size: data.value_size.to_string(),
            seed: data.seed,
        };
        Ok(Self {
            target: target_plan,
            connections: load.connections,
            threads: load.threads,
            verify: data.verify,
            patience: Duration::from_secs_f64(load.patience),
            seed: data.seed,
            watch_pid: target.watch_pid,
            stages,
            setup,
        })
    }

    /// How many connections thread `thread` has; the first threads take what does not divide.
    pub(crate) fn connections_of(&self, thread: u16) -> u32 {
        share(self.connections.into(), thread, self.threads) as u32
    }
}

/// The part of `total` that falls to `thread` of `threads`.
pub(crate) fn share(total: u64, thread: u16, threads: u16) -> u64 {
    let (threads, thread) = (u64::from(threads), u64::from(thread));
    total / threads + u64::from(thread < total % threads)
}

fn refuse(option: &'static str, problem: impl Into<String>) -> Error {
    Error::Option {
        option,
        problem: problem.into(),
    }
}

fn check_load(load: &LoadOptions) -> Result<(), Error> {
    if !(1..=MAX_CONNECTIONS).contains(&load.connections) {
        return Err(refuse(
            "--connections",
            format!("must be between 1 and {MAX_CONNECTIONS}"),
        ));
    }
    if load.threads == 0 || u32::from(load.threads) > load.connections {
        return Err(refuse(
            "--threads",
            "must be at least 1 and at most the connections",
        ));
    }
    if usize::from(load.threads) > MAX_SHARDS {
        return Err(refuse("--threads", format!("must be at most {MAX_SHARDS}")));
    }
    if !(1..=MAX_PIPELINE).contains(&load.pipeline) {
        return Err(refuse(
            "--pipeline",
            format!("must be between 1 and {MAX_PIPELINE}"),
        ));
    }
    if load.requests == Some(0) {
        return Err(refuse("--requests", "must be at least 1"));
    }
    if load.rate == Some(0) {
        return Err(refuse("--rate", "must be at least 1 request per second"));
    }
    if !(load.seconds > 0.0 && load.seconds <= MAX_PHASE_S) {
        return Err(refuse("--seconds", "must be above 0 and at most a year"));
    }
    if !(load.patience > 0.0 && load.patience <= MAX_PHASE_S) {
        return Err(refuse("--patience", "must be above 0 and at most a year"));
    }
    if !(0.0..=MAX_PHASE_S).contains(&load.warm_up) {
        return Err(refuse("--warm-up", "must be at least 0 and at most a year"));
    }
    Ok(())
}

fn check_data(data: &DataOptions) -> Result<(), Error> {
    if !(1..=MAX_KEYS).contains(&data.keys) {
        return Err(refuse(
            "--keys",
            format!("must be between 1 and {MAX_KEYS}"),
        ));
    }
    if data.hash_tags.is_some_and(|tags| tags.get() > MAX_TAGS) {
        return Err(refuse("--hash-tags", format!("must be at most {MAX_TAGS}")));
    }
    if data.own_tag.is_some_and(|percent| percent > 100) {
        return Err(refuse("--own-tag", "must be at most 100"));
    }
    let has_room = |tags: NonZeroU32| u64::from(tags.get()) <= data.keys;
    if data.own_tag.is_some() && !data.hash_tags.is_none_or(has_room) {
        return Err(refuse(
            "--own-tag",
            "needs a key for each of the --hash-tags",
        ));
    }
    let needed = Filler::min_verifiable_bytes(&key_space(data));
    if data.verify && (data.value_size.min() as usize) < needed {
        let problem = format!("with --verify every value carries its key and needs {needed} bytes");
        return Err(refuse("--value-size", problem));
    }
    Ok(())
}

fn key_space(data: &DataOptions) -> KeySpace {
    KeySpace::new(data.key_prefix.as_bytes(), data.hash_tags, data.keys)
}

fn affinity(data: &DataOptions) -> Option<Affinity> {
    Some(Affinity {
        tags: data.hash_tags?.get(),
        percent: data.own_tag?,
        shift_after: data.own_tag_shift.map(NonZeroU64::get),
    })
}

fn stages(load: &LoadOptions, data: &DataOptions) -> Result<Vec<Stage>, Error> {
    let filler = || Filler::new(data.value_size.clone(), data.verify, data.seed);
    let mix = if data.command.is_empty() {
        Mix::ratio(data.ratio, key_space(data), filler())
    } else {
        Mix::commands(&data.command, key_space(data), filler())
            .map_err(|problem| refuse("--command", problem))?
    };
    let measure = Stage {
        phase: Phase::Measure,
        mix: Arc::new(mix),
        distribution: data.distribution,
        affinity: affinity(data),
        pipeline: load.pipeline,
        rate: load.rate,
        limit: match load.requests {
            Some(requests) => Limit::Requests(requests),
            None => Limit::Time(Duration::from_secs_f64(load.seconds)),
        },
    };
    let fill = load.fill.then(|| Stage {
        phase: Phase::Fill,
        mix: Arc::new(Mix::ratio(
            Ratio { get: 0, set: 1 },
            key_space(data),
            filler(),
        )),
        distribution: KeyDistribution::Sequential,
        affinity: None,
        pipeline: load.pipeline.max(FILL_PIPELINE),
        rate: None,
        limit: Limit::Requests(data.keys),
    });
    let warm_up = (load.warm_up > 0.0).then(|| Stage {
        phase: Phase::WarmUp,
        limit: Limit::Time(Duration::from_secs_f64(load.warm_up)),
        ..measure.clone()
    });
    Ok([fill, warm_up, Some(measure)]
        .into_iter()
        .flatten()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, Error> {
        Plan::new(&Options::parse(line.split_whitespace()).unwrap())
    }

    #[test]
    fn impossible_options_are_named() {
        for (line, option) in [
            ("--connections 0", "--connections"),
            ("--threads 0", "--threads"),
            ("--threads 3 --connections 2", "--threads"),
            ("--threads 257 --connections 1000", "--threads"),
            ("--pipeline 0", "--pipeline"),
            ("--requests 0", "--requests"),
            ("--rate 0", "--rate"),
            ("--seconds 0", "--seconds"),
            ("--seconds NaN", "--seconds"),
            ("--warm-up inf", "--warm-up"),
            ("--patience 0", "--patience"),
            ("--keys 0", "--keys"),
            ("--hash-tags 1000001", "--hash-tags"),
            ("--hash-tags 2 --own-tag 101", "--own-tag"),
            ("--hash-tags 20 --keys 19 --own-tag 50", "--own-tag"),
            ("--verify --value-size 16", "--value-size"),
            ("--command=\"", "--command"),
        ] {
            let error = plan(line).unwrap_err().to_string();
            assert!(error.starts_with(option), "{line}: {error}");
        }
        assert!(plan("--verify --value-size 17").is_ok());
    }

    #[test]
    fn stages_follow_from_the_options() {
        let stages = |line| {
            let stages = plan(line).unwrap().stages;
            stages
                .iter()
                .map(|s| (s.phase, s.limit))
                .collect::<Vec<_>>()
        };
        let seconds = |s| Limit::Time(Duration::from_secs(s));
        assert_eq!(stages(""), [(Phase::Measure, seconds(10))]);
        assert_eq!(
            stages("--requests 7"),
            [(Phase::Measure, Limit::Requests(7))]
        );
        assert_eq!(
            stages("--fill --keys 9 --warm-up 2 --seconds 3"),
            [
                (Phase::Fill, Limit::Requests(9)),
                (Phase::WarmUp, seconds(2)),
                (Phase::Measure, seconds(3)),
            ]
        );
    }

    #[test]
    fn work_is_shared_whole() {
        for (total, threads) in [(50, 1), (50, 3), (2, 2), (1_000_003, 7), (1, 4)] {
            let shares: Vec<_> = (0..threads).map(|t| share(total, t, threads)).collect();
            assert_eq!(shares.iter().sum::<u64>(), total);
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
    }
}
