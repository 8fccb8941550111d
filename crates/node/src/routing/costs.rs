//! What a trip to another shard and a move cost, as far as one shard has measured.
//!
//! Both are measured by the clock, from setting out to being taken up again: so both hold the wakes, the
//! messages and the queues on the way, and what counts is how they compare.

/// What a connection's commands wait for, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// One batch there and back.
    pub hop_ns: u32,
    /// One move of a connection.
    pub move_ns: u32,
}

impl Costs {
    /// What holds until something was measured: a move costs as much as a handful of trips.
    pub const START: Self = Self {
        hop_ns: 4_000,
        move_ns: 20_000,
    };

    /// The costs nearest to these that are believed: a clock that was read across another thread's
    /// turn must not decide where connections go.
    fn bounded(self) -> Self {
        let hop_ns = self.hop_ns.clamp(HOP_NS.0, HOP_NS.1);
        let least = hop_ns.saturating_mul(MOVE_RATIO.0);
        let most = hop_ns.saturating_mul(MOVE_RATIO.1);
        Self {
            hop_ns,
            move_ns: self.move_ns.clamp(least, most),
        }
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self::START
    }
}

/// The least and the most that a trip is believed to cost.
const HOP_NS: (u32, u32) = (200, 1_000_000);

/// The least and the most that a move is believed to cost, in trips.
const MOVE_RATIO: (u32, u32) = (2, 32);

/// One trip in so many is measured.
const MEASURED_ONE_IN: u8 = 64;

/// Samples of which the average is made, about: a new one counts for one part in so many.
const MEMORY: i64 = 16;

/// Keeps one shard's running averages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauge {
    costs: Costs,
    trips: u8,
}

impl Gauge {
    /// The costs to decide by.
    pub fn costs(&self) -> Costs {
        self.costs.bounded()
    }

    /// Counts a trip that is about to begin; whether it is one to be measured.
    pub fn is_due(&mut self) -> bool {
        self.trips = self.trips.wrapping_add(1);
        self.trips.is_multiple_of(MEASURED_ONE_IN)
    }

    /// Takes in what a trip cost.
    pub fn note_hop(&mut self, ns: u64) {
        self.costs.hop_ns = blend(self.costs.hop_ns, ns);
    }

    /// Takes in what a move cost.
    pub fn note_move(&mut self, ns: u64) {
        self.costs.move_ns = blend(self.costs.move_ns, ns);
    }
}

/// A sample counts for no more than this many times the average: a thread that lost its processor in
/// the middle says nothing about the work.
const OUTLIER: u64 = 4;

fn blend(average_ns: u32, sample_ns: u64) -> u32 {
    let average = u64::from(average_ns.max(1));
    let sample = sample_ns.min(average * OUTLIER) as i64;
    let step = sample - average as i64;
    // Away from zero, so that the average arrives where the samples are.
    let step = step / MEMORY + step.signum();
    (average as i64 + step).clamp(1, i64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_follow_the_samples() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.costs(), Costs::START);
        for _ in 0..200 {
            gauge.note_hop(1_000);
            gauge.note_move(30_000);
        }
        let costs = gauge.costs();
        assert!(costs.hop_ns.abs_diff(1_000) < 20, "{costs:?}");
        assert!(costs.move_ns.abs_diff(30_000) < 200, "{costs:?}");
    }

    #[test]
    fn one_wild_sample_changes_little() {
        let mut gauge = Gauge::default();
        gauge.note_hop(u64::MAX);
        gauge.note_move(u64::MAX);
        let costs = gauge.costs();
        assert!(costs.hop_ns < Costs::START.hop_ns * 5 / 4, "{costs:?}");
        assert!(costs.move_ns < Costs::START.move_ns * 5 / 4, "{costs:?}");
    }

    #[test]
    fn what_is_believed_has_bounds() {
        let mut gauge = Gauge::default();
        for _ in 0..10_000 {
            gauge.note_hop(0);
            gauge.note_move(0);
        }
        let least = Costs {
            hop_ns: HOP_NS.0,
            move_ns: HOP_NS.0 * MOVE_RATIO.0,
        };
        assert_eq!(gauge.costs(), least);
        for _ in 0..10_000 {
            gauge.note_hop(u64::MAX);
            gauge.note_move(u64::MAX);
        }
        let most = Costs {
            hop_ns: HOP_NS.1,
            move_ns: HOP_NS.1 * MOVE_RATIO.1,
        };
        assert_eq!(gauge.costs(), most);
    }
}
