//! The policy on streams chosen to please it, to mislead it and to wear it out.

use super::*;

const COSTS: Costs = Costs {
    hop_ns: 4_000,
    move_ns: 20_000,
};

/// A connection under the policy alone, and what the way cost it, in trips.
struct Walker {
    home: u16,
    history: History,
    costs: Costs,
    trips: u64,
    moves: u64,
    /// Shards that passes needed since the last move.
    needed: Vec<u16>,
}

impl Walker {
    fn new(costs: Costs) -> Self {
        Self {
            home: 0,
            history: History::NEW,
            costs,
            trips: 0,
            moves: 0,
            needed: Vec::new(),
        }
    }

    /// A pass that needs these shards, each named once. Says whether it made the connection move.
    fn pass(&mut self, shards: &[u16]) -> bool {
        let home = self.home;
        let others = || shards.iter().copied().filter(|shard| *shard != home);
        self.trips += others().count() as u64;
        self.needed.extend(others());
        self.history
            .note(shards.contains(&home), others().map(ShardId::new));
        let Some(to) = self.history.advice(&self.costs, |_| false) else {
            return false;
        };
        let evidence = self.needed.iter().filter(|shard| **shard == to.number());
        let evidence_count = evidence.count() as u64;
        let lead_ns = evidence_count * u64::from(self.costs.hop_ns);
        assert_ne!(to.number(), home, "advised to go where it is");
        assert!(
            evidence_count >= 13 && lead_ns >= demand_ns(&self.costs) / 4,
            "moved to {to:?} on no evidence"
        );
        self.history.moved(ShardId::new(home), &self.costs);
        self.needed.clear();
        self.moves += 1;
        self.home = to.number();
        true
    }

    fn passes_until_move(&mut self, shard: u16, at_most: u32) -> Option<u32> {
        (1..=at_most).find(|_| self.pass(&[shard]))
    }

    /// Trips and moves in trips.
    fn spent(&self) -> f64 {
        let ratio = f64::from(self.costs.move_ns) / f64::from(self.costs.hop_ns);
        self.trips as f64 + self.moves as f64 * ratio
    }
}

fn costs(move_in_trips: u32) -> Costs {
    Costs {
        hop_ns: 4_000,
        move_ns: 4_000 * move_in_trips,
    }
}

#[test]
fn a_connection_goes_where_all_its_passes_go() {
    for (move_in_trips, expected) in [(1, 13), (2, 13), (5, 13), (20, 25), (64, 80)] {
        let mut walker = Walker::new(costs(move_in_trips));
        assert_eq!(
            walker.passes_until_move(1, 1_000),
            Some(expected),
            "{move_in_trips}"
        );
        assert_eq!(walker.home, 1);
        assert_eq!(walker.passes_until_move(1, 100_000), None);
    }
}

#[test]
fn passes_that_need_both_or_neither_tell_nothing() {
    let mut walker = Walker::new(COSTS);
    for _ in 0..10_000 {
        assert!(!walker.pass(&[0, 1]));
        assert!(!walker.pass(&[]));
        assert!(!walker.pass(&[0, 1, 2, 3]));
    }
    // Passes without the present shard are evidence for each they need.
    assert!((0..13).any(|_| walker.pass(&[1, 2])));
}

#[test]
fn strays_move_nobody() {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut walker = Walker::new(costs(1));
    for _ in 0..200_000 {
        let stray = rng.u8(0..10) == 0;
        walker.pass(&[if stray { rng.u16(1..16) } else { 0 }]);
    }
    assert_eq!(walker.moves, 0);
}

#[test]
fn a_busy_shard_is_found_among_many_dull_ones() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut walker = Walker::new(COSTS);
    for _ in 0..2_000 {
        let busy = rng.u8(0..3) == 0;
        walker.pass(&[if busy { 40 } else { rng.u16(0..64) }]);
    }
    assert_eq!(walker.home, 40);
}

#[test]
fn a_shard_that_is_a_little_better_moves_nobody() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut walker = Walker::new(costs(1));
    for _ in 0..200_000 {
        walker.pass(&[u16::from(rng.u8(0..100) < 56)]);
    }
    assert!(walker.moves <= 4, "{}", walker.moves);
}

#[test]
fn regrets_double_the_demand_and_are_forgotten() {
    let mut walker = Walker::new(COSTS);
    let mut at = 0;
    let mut took = Vec::new();
    for _ in 0..7 {
        at = 1 - at;
        took.push(walker.passes_until_move(at, 100_000).unwrap());
    }
    // The first is free of regret; each after it had earned nothing when it was taken back.
    assert_eq!(took, [13, 25, 49, 50, 100, 200, 400]);
    // A long stay, and it is as ready to move as in the beginning.
    for _ in 0..usize::from(FORGOTTEN_AFTER) * 8 {
        walker.pass(&[at]);
    }
    assert_eq!(walker.passes_until_move(1 - at, 100), Some(13));
}

#[test]
fn whoever_asks_for_the_other_shard_always_makes_it_move_rarely() {
    for move_in_trips in [1, 2, 5, 20, 64] {
        let mut walker = Walker::new(costs(move_in_trips));
        let passes = 200_000;
        for _ in 0..passes {
            walker.pass(&[1 - walker.home]);
        }
        // A few until the demand is high; then the demand's own length, as regrets are forgotten.
        assert!(
            walker.moves < 20 + passes / 150,
            "{move_in_trips}: {}",
            walker.moves
        );
        // Moving costs less than a fifth of the trips that cannot be helped here.
        let moving = walker.spent() - walker.trips as f64;
        assert!(moving < 0.2 * passes as f64, "{move_in_trips}: {moving}");
    }
}

#[test]
fn no_stream_costs_much_more_than_three_times_what_staying_would() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let move_in_trips = [1, 2, 5, 20, 64][rng.usize(0..5)];
        let shards = [2, 3, 4, 8][rng.usize(0..4)];
        let longest = [2, 12, 30, 100, 1_000][rng.usize(0..5)];
        let mut walker = Walker::new(costs(move_in_trips));
        let (mut stayed, mut passes) = (0, 0);
        while passes < 5_000 {
            let run = rng.u32(1..=longest);
            // Half of the time whatever hurts: a shard where the connection is not.
            let mut shard = rng.u16(0..shards);
            if rng.bool() && shard == walker.home {
                shard = (shard + 1) % shards;
            }
            for _ in 0..run {
                stayed += u64::from(shard != 0);
                walker.pass(&[shard]);
            }
            passes += run;
        }
        let most = 3.0 * stayed as f64 + 10.0 * f64::from(move_in_trips);
        assert!(
            walker.spent() <= most,
            "seed {seed}: {} against {stayed} by staying",
            walker.spent()
        );
    }
}

#[test]
fn who_is_carried_elsewhere_starts_anew() {
    let mut walker = Walker::new(COSTS);
    for _ in 0..12 {
        assert!(!walker.pass(&[1]));
    }
    walker.history.carried();
    walker.home = 2;
    for _ in 0..12 {
        assert!(!walker.pass(&[1]));
    }
    assert!(walker.pass(&[1]));
    assert_eq!(walker.history.doubt, 0);
}

#[test]
fn counters_hold_however_long_a_connection_lives() {
    let mut walker = Walker::new(COSTS);
    for _ in 0..200_000 {
        walker.pass(&[0]);
    }
    for shard in [1, 0, 2] {
        for _ in 0..200_000 {
            walker.pass(&[0, shard]);
            walker.pass(&[shard]);
            walker.pass(&[shard, 3, 4, 5, 6, 7, 8, 9]);
        }
        assert_eq!(walker.home, shard);
    }
}
