//! What Corelane must reach: one list, each with the figure it bounds.

use super::outcome::Row;
use super::server::Kind;

/// A bound on one figure of Corelane's.
struct Target {
    shards: usize,
    pipeline: u32,
    /// The figure's name.
    figure: &'static str,
    read: fn(&Row) -> Option<f64>,
    at_most: f64,
}

const TARGETS: &[Target] = &[
    cpu_to_redis(1, 1.05),
    cpu_to_redis(16, 0.75),
    cpu_to_redis(64, 0.70),
    Target {
        shards: 2,
        pipeline: 16,
        figure: "×1 shard",
        read: |row| row.ratios.cpu_to_one_shard,
        at_most: 1.8,
    },
    Target {
        shards: 2,
        pipeline: 16,
        figure: "wakes",
        read: |row| Some(row.mesh_per_request?.wakes),
        at_most: 0.05,
    },
    Target {
        shards: 2,
        pipeline: 16,
        figure: "calls",
        read: |row| Some(row.calls_per_request?.all),
        at_most: 0.2,
    },
];

const fn cpu_to_redis(pipeline: u32, at_most: f64) -> Target {
    Target {
        shards: 1,
        pipeline,
        figure: "×redis",
        read: |row| row.ratios.cpu_to_redis,
        at_most,
    }
}

/// A target beside what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) figure: &'static str,
    pub(crate) is: f64,
    pub(crate) at_most: f64,
}

impl Held {
    /// Whether the target is missed.
    pub(crate) fn missed(&self) -> bool {
        self.is > self.at_most
    }
}

/// The targets of a row whose figures were measured.
pub(crate) fn held(row: &Row) -> Vec<Held> {
    if row.contender.server != Kind::Corelane {
        return Vec::new();
    }
    let place = (row.contender.shards, row.pipeline);
    let here = TARGETS
        .iter()
        .filter(|target| (target.shards, target.pipeline) == place);
    let held = |target: &Target| {
        let is = (target.read)(row)?;
        Some(Held {
            figure: target.figure,
            is,
            at_most: target.at_most,
        })
    };
    here.filter_map(held).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::info::Mesh;
    use crate::compare::outcome::{Ratios, Spread};
    use crate::compare::plan::Command;
    use crate::compare::server::Contender;

    fn row(server: Kind, shards: usize, ratio: Option<f64>) -> Row {
        let spread = Spread {
            median: 1.0,
            min: 1.0,
            max: 1.0,
        };
        Row {
            contender: Contender { server, shards },
            command: Command::Get,
            pipeline: 16,
            cpu_us: spread,
            per_second: spread,
            ratios: Ratios {
                cpu_to_redis: ratio,
                cpu_to_one_shard: ratio,
                ..Ratios::default()
            },
            sleeps_per_request: None,
            calls_per_request: None,
            mesh_per_request: ratio.map(|_| Mesh {
                hops: 0.5,
                wakes: 0.01,
            }),
        }
    }

    #[test]
    fn only_what_was_measured_is_held() {
        let missed = |row: &Row| held(row).iter().map(Held::missed).collect::<Vec<_>>();
        assert_eq!(missed(&row(Kind::Corelane, 1, Some(0.75))), [false]);
        assert_eq!(missed(&row(Kind::Corelane, 1, Some(0.76))), [true]);
        assert_eq!(missed(&row(Kind::Corelane, 2, Some(1.9))), [true, false]);
        assert!(held(&row(Kind::Corelane, 1, None)).is_empty());
        assert!(held(&row(Kind::Redis, 1, Some(9.0))).is_empty());
        assert!(held(&row(Kind::Corelane, 4, Some(9.0))).is_empty());
    }
}
