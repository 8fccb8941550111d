//! What a crowd of wanderers saw.

use std::collections::BTreeMap;
use std::time::Duration;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Commands whose replies were checked, by their names.
    pub commands: BTreeMap<String, u64>,
    /// Pipelines that were answered in full.
    pub pipelines: u64,
    /// The longest time from the last byte of a pipeline to its last reply.
    pub longest: Duration,
    /// How long it took.
    pub took: Duration,
    /// Moves, as the server counts them: all, by their reason, and those that were not taken.
    pub moves: BTreeMap<String, u64>,
    /// Moves of the connections that were there at the end, as `CLIENT LIST` tells them.
    pub listed_moves: u64,
    /// Everything that was wrong, in words.
    pub wrong: Vec<String>,
}

impl Report {
    /// Commands in all.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.commands.values().sum()
    }

    /// Moves in all.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.moves.get("connections_moved").copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (name, count) in other.commands {
            *self.commands.entry(name).or_default() += count;
        }
        self.pipelines += other.pipelines;
        self.longest = self.longest.max(other.longest);
        self.wrong.extend(other.wrong);
    }
}
