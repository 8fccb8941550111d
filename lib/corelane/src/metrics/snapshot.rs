//! All numbers of a node at about one moment, and sums over them.

use super::block::Value;
use super::describe::Metric;
use super::histogram::Distribution;
use super::registry::Owner;

/// What [`Registry::snapshot`](super::Registry::snapshot) found. Each number is whole; they are not all of one
/// instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    rows: Vec<Row>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose it is.
    pub owner: Owner,
    /// What it is.
    pub metric: &'static Metric,
    /// How much it is.
    pub value: Value,
}

impl Snapshot {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// All numbers, by owner.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The numbers of one name: one per owner and label.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.metric.name == name)
    }

    /// The sum of a counter's or gauge's numbers over all owners and labels; 0 where there are none.
    #[must_use]
    pub fn total(&self, name: &str) -> u64 {
        let numbers = self.named(name).map(|row| match &row.value {
            Value::Count(number) | Value::Level(number) => *number,
            Value::Durations(durations) => durations.count(),
        });
        numbers.sum()
    }

    /// A histogram's durations of all owners and labels together.
    #[must_use]
    pub fn durations(&self, name: &str) -> Distribution {
        let mut all = Distribution::default();
        for row in self.named(name) {
            if let Value::Durations(durations) = &row.value {
                all.merge(durations);
            }
        }
        all
    }
}
