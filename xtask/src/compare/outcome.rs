//! What was measured: samples of every round, their medians, and the ratios between them.

use serde::Serialize;

use super::info::Mesh;
use super::plan::Command;
use super::server::{Contender, Kind};

/// One measurement of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    /// The server's processor time per request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Times it went to sleep, per request, where the generator tells.
    pub(crate) sleeps: Option<f64>,
    /// Where the server counts it.
    pub(crate) mesh: Option<Mesh>,
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
    pub(crate) contender: Contender,
    pub(crate) command: Command,
    pub(crate) pipeline: u32,
    pub(crate) samples: Vec<Sample>,
    pub(crate) calls: Option<Calls>,
}

/// The figures of a cell.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) contender: Contender,
    pub(crate) command: Command,
    pub(crate) pipeline: u32,
    pub(crate) cpu_us: Spread,
    pub(crate) per_second: Spread,
    /// Medians in parts of other servers' at the same command and depth, where they were measured.
    pub(crate) ratios: Ratios,
    pub(crate) sleeps_per_request: Option<f64>,
    pub(crate) calls_per_request: Option<Calls>,
    pub(crate) mesh_per_request: Option<Mesh>,
}

/// Medians of one server in parts of another's.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Ratios {
    /// Processor time beside redis-server.
    pub(crate) cpu_to_redis: Option<f64>,
    /// Throughput beside redis-server.
    pub(crate) per_second_to_redis: Option<f64>,
    /// Processor time beside the bare loop with a map.
    pub(crate) cpu_to_bare_map: Option<f64>,
    /// Processor time beside the same server with one shard.
    pub(crate) cpu_to_one_shard: Option<f64>,
}

/// A median with the extremes around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// Works out the rows.
pub(crate) fn rows(cells: &[Cell]) -> Vec<Row> {
    cells.iter().map(|cell| row(cell, cells)).collect()
}

fn row(cell: &Cell, cells: &[Cell]) -> Row {
    let find = |server: Kind| {
        cells.iter().find(|other| {
            other.contender == Contender { server, shards: 1 }
                && (other.command, other.pipeline) == (cell.command, cell.pipeline)
        })
    };
    let ratio = |other: Option<&Cell>, of: fn(&Sample) -> f64| {
        Some(spread(cell, of).median / spread(other?, of).median)
    };
    let cpu = |sample: &Sample| sample.cpu_us;
    let own = (cell.contender.shards > 1)
        .then(|| find(cell.contender.server))
        .flatten();
    Row {
        contender: cell.contender,
        command: cell.command,
        pipeline: cell.pipeline,
        cpu_us: spread(cell, cpu),
        per_second: spread(cell, |s| s.per_second),
        ratios: Ratios {
            cpu_to_redis: ratio(find(Kind::Redis), cpu),
            per_second_to_redis: ratio(find(Kind::Redis), |s| s.per_second),
            cpu_to_bare_map: ratio(find(Kind::BareMap), cpu),
            cpu_to_one_shard: ratio(own, cpu),
        },
        sleeps_per_request: median(cell, |s| s.sleeps),
        calls_per_request: cell.calls,
        mesh_per_request: median(cell, |s| s.mesh.map(|mesh| mesh.hops))
            .zip(median(cell, |s| s.mesh.map(|mesh| mesh.wakes)))
            .map(|(hops, wakes)| Mesh { hops, wakes }),
    }
}

/// The median of what every sample has, if they all have it.
fn median(cell: &Cell, of: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let all: Option<Vec<f64>> = cell.samples.iter().map(of).collect();
    all.map(crate::server::median)
}

fn spread(cell: &Cell, of: fn(&Sample) -> f64) -> Spread {
    Spread::of(cell.samples.iter().map(of).collect())
}

impl Spread {
    fn of(values: Vec<f64>) -> Self {
        Self {
            median: crate::server::median(values.iter().copied()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(server: Kind, shards: usize, pipeline: u32, cpu_us: &[f64]) -> Cell {
        let sample = |&cpu_us: &f64| Sample {
            per_second: 1e6 / cpu_us,
            cpu_us,
            sleeps: None,
            mesh: (shards > 1).then_some(Mesh {
                hops: 0.5,
                wakes: cpu_us,
            }),
        };
        let samples = cpu_us.iter().map(sample).collect();
        let contender = Contender { server, shards };
        Cell {
            contender,
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
    fn ratios_are_to_others_at_the_same_depth() {
        let rows = rows(&[
            cell(Kind::Corelane, 1, 1, &[4.0, 1.0, 2.0]),
            cell(Kind::Corelane, 2, 1, &[3.0]),
            cell(Kind::Redis, 1, 16, &[100.0]),
            cell(Kind::Redis, 1, 1, &[8.0, 4.0, 2.0]),
        ]);
        assert_eq!(rows[0].ratios.cpu_to_redis, Some(0.5));
        assert_eq!(rows[0].ratios.per_second_to_redis, Some(2.0));
        assert_eq!(
            (rows[0].ratios.cpu_to_one_shard, rows[0].mesh_per_request),
            (None, None)
        );
        assert_eq!(rows[1].ratios.cpu_to_one_shard, Some(1.5));
        assert_eq!(
            rows[1].mesh_per_request,
            Some(Mesh {
                hops: 0.5,
                wakes: 3.0
            })
        );
        assert_eq!(rows[1].ratios.cpu_to_bare_map, None);
    }
}
