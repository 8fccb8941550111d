//! What was measured: samples of every round, their medians, and the ratios to redis-server.

use serde::Serialize;

use super::plan::Command;
use super::server::Kind;

/// One measurement of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    /// The server's processor time per request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Times it went to sleep, per request, where the generator tells.
    pub(crate) sleeps: Option<f64>,
}

/// System calls per request.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Calls {
    /// All.
    pub(crate) all: f64,
    /// Those into io_uring.
    pub(crate) io_uring: f64,
}

/// All measurements of one server at one command and pipeline depth.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) server: Kind,
    pub(crate) command: Command,
    pub(crate) pipeline: u32,
    pub(crate) samples: Vec<Sample>,
    pub(crate) calls: Option<Calls>,
}

/// The figures of a cell.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) server: Kind,
    pub(crate) command: Command,
    pub(crate) pipeline: u32,
    pub(crate) cpu_us: Spread,
    /// Median processor time in parts of redis-server's, if that was measured.
    pub(crate) cpu_ratio: Option<f64>,
    pub(crate) per_second: Spread,
    /// Median throughput in parts of redis-server's.
    pub(crate) per_second_ratio: Option<f64>,
    pub(crate) sleeps_per_request: Option<f64>,
    pub(crate) calls_per_request: Option<Calls>,
    /// The most that `cpu_ratio` may be.
    pub(crate) target: Option<f64>,
}

/// A median with the extremes around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Row {
    /// Whether the target, if there is one, is missed.
    pub(crate) fn misses_target(&self) -> bool {
        self.target
            .zip(self.cpu_ratio)
            .is_some_and(|(target, ratio)| ratio > target)
    }
}

/// Works out the rows. `targets`: whether Corelane's targets, which are for one shard, apply.
pub(crate) fn rows(cells: &[Cell], targets: bool) -> Vec<Row> {
    cells.iter().map(|cell| row(cell, cells, targets)).collect()
}

fn row(cell: &Cell, cells: &[Cell], targets: bool) -> Row {
    let redis = cells.iter().find(|other| {
        other.server == Kind::Redis
            && (other.command, other.pipeline) == (cell.command, cell.pipeline)
    });
    let ratio = |of: fn(&Sample) -> f64| Some(spread(cell, of).median / spread(redis?, of).median);
    let sleeps: Option<Vec<f64>> = cell.samples.iter().map(|s| s.sleeps).collect();
    Row {
        server: cell.server,
        command: cell.command,
        pipeline: cell.pipeline,
        cpu_us: spread(cell, |s| s.cpu_us),
        cpu_ratio: ratio(|s| s.cpu_us),
        per_second: spread(cell, |s| s.per_second),
        per_second_ratio: ratio(|s| s.per_second),
        sleeps_per_request: sleeps.map(|all| Spread::of(all).median),
        calls_per_request: cell.calls,
        target: (targets && cell.server == Kind::Corelane)
            .then(|| target(cell.pipeline))
            .flatten(),
    }
}

/// The most processor time per request that Corelane may take, in parts of redis-server's.
fn target(pipeline: u32) -> Option<f64> {
    match pipeline {
        1 => Some(1.05),
        16 => Some(0.75),
        64 => Some(0.70),
        _ => None,
    }
}

fn spread(cell: &Cell, of: fn(&Sample) -> f64) -> Spread {
    Spread::of(cell.samples.iter().map(of).collect())
}

impl Spread {
    /// # Panics
    /// If there are no values.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Self {
            median,
            min: values[0],
            max: values[values.len() - 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(server: Kind, pipeline: u32, cpu_us: &[f64]) -> Cell {
        let sample = |&cpu_us: &f64| Sample {
            per_second: 1e6 / cpu_us,
            cpu_us,
            sleeps: None,
        };
        let samples = cpu_us.iter().map(sample).collect();
        Cell {
            server,
            command: Command::Get,
            pipeline,
            samples,
            calls: None,
        }
    }

    #[test]
    fn medians_are_in_the_middle() {
        for (values, median) in [
            (&[3.0][..], 3.0),
            (&[5.0, 1.0, 3.0], 3.0),
            (&[4.0, 2.0], 3.0),
        ] {
            assert_eq!(Spread::of(values.to_vec()).median, median);
        }
    }

    #[test]
    fn ratios_are_to_redis_at_the_same_depth() {
        let cells = [
            cell(Kind::Corelane, 1, &[4.0, 1.0, 2.0]),
            cell(Kind::Redis, 16, &[100.0]),
            cell(Kind::Redis, 1, &[8.0, 4.0, 2.0]),
        ];
        let rows = rows(&cells, true);
        assert_eq!(rows[0].cpu_ratio, Some(0.5));
        assert_eq!(rows[0].per_second_ratio, Some(2.0));
        assert_eq!(
            (rows[0].target, rows[0].misses_target()),
            (Some(1.05), false)
        );
        assert_eq!(rows[1].target, None);
    }

    #[test]
    fn without_redis_there_are_no_ratios_and_no_misses() {
        let rows = rows(&[cell(Kind::Corelane, 64, &[1.0])], true);
        assert_eq!((rows[0].cpu_ratio, rows[0].misses_target()), (None, false));
    }

    #[test]
    fn a_missed_target_is_seen() {
        let cells = [
            cell(Kind::Corelane, 16, &[0.9]),
            cell(Kind::Redis, 16, &[1.0]),
        ];
        assert!(rows(&cells, true)[0].misses_target());
        assert!(!rows(&cells, false)[0].misses_target());
    }
}
