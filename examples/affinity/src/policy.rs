//! Whether a request that belongs elsewhere hops there, or its connection moves. Pure: no clock, no mesh.

use corelane::ShardId;

/// How requests reach the shard that their number belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Routing {
    /// The connection moves to the shard of each request.
    Migrate,
    /// The connection stays, requests and replies travel.
    Hop,
    /// The connection moves where most of its latest requests belong, if that is not where it is.
    #[default]
    Adaptive,
}

/// What to do with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its number belongs here.
    Here,
    /// Ask the shard that it belongs to.
    Hop,
    /// Take the connection there.
    Move,
}

/// Requests that are remembered.
const WINDOW: usize = 16;

/// As many of them must belong to one other shard before the connection moves there. A move costs what some six
/// hops cost, and is wasted if the next requests belong elsewhere again; at three quarters it pays within the window.
const ENOUGH: usize = WINDOW * 3 / 4;

/// Requests after a move before the next, at first; doubled by every move that was soon regretted, up to the most.
const REST: std::ops::RangeInclusive<u32> = 16..=4096;

/// What a connection has asked for lately.
#[derive(Clone, Debug)]
pub struct History {
    owners: [ShardId; WINDOW],
    seen: usize,
    /// Requests since the connection last moved.
    since_move: u32,
    rest: u32,
}

impl Default for History {
    fn default() -> Self {
        History {
            owners: [ShardId::new(0); WINDOW],
            seen: 0,
            since_move: *REST.start(),
            rest: *REST.start(),
        }
    }
}

impl History {
    /// The way of a request that belongs to `owner`, on a connection that is at `here`. Where the answer is
    /// [`Way::Move`], the connection is taken to have moved.
    pub fn way(&mut self, routing: Routing, owner: ShardId, here: ShardId) -> Way {
        match routing {
            _ if routing != Routing::Adaptive && owner == here => Way::Here,
            Routing::Migrate => Way::Move,
            Routing::Hop => Way::Hop,
            Routing::Adaptive => self.adapt(owner, here),
        }
    }

    /// The move did not take place.
    pub fn stayed(&mut self) {
        self.since_move = 0;
    }

    fn adapt(&mut self, owner: ShardId, here: ShardId) -> Way {
        self.owners[self.seen % WINDOW] = owner;
        self.seen = self.seen.wrapping_add(1);
        self.since_move = self.since_move.saturating_add(1);
        if owner == here {
            return Way::Here;
        }
        let there = self.owners.iter().filter(|&&other| other == owner).count();
        if self.seen < WINDOW || there < ENOUGH || self.since_move < self.rest {
            return Way::Hop;
        }
        let regretted = self.since_move < 2 * self.rest;
        self.rest = match regretted {
            true => (self.rest * 2).min(*REST.end()),
            false => (self.rest / 2).max(*REST.start()),
        };
        self.since_move = 0;
        Way::Move
    }
}

#[cfg(test)]
mod tests {
    use corelane::ShardId;
    use proptest::prelude::*;

    use super::{History, Routing, Way};

    /// What a way costs, in hops.
    fn cost(way: Way) -> u64 {
        match way {
            Way::Here => 0,
            Way::Hop => 1,
            Way::Move => 6,
        }
    }

    /// The cost of `owners`, asked for one after the other by a connection that begins at shard 0; and its moves.
    fn run(routing: Routing, owners: &[u16]) -> (u64, usize) {
        let mut history = History::default();
        let mut here = ShardId::new(0);
        let (mut sum, mut moves) = (0, 0);
        for owner in owners.iter().map(|&owner| ShardId::new(owner)) {
            let way = history.way(routing, owner, here);
            sum += cost(way);
            if way == Way::Move {
                (here, moves) = (owner, moves + 1);
            }
        }
        (sum, moves)
    }

    #[test]
    fn the_fixed_ways() {
        let (here, there) = (ShardId::new(0), ShardId::new(1));
        let rows = [
            (Routing::Hop, here, Way::Here),
            (Routing::Hop, there, Way::Hop),
            (Routing::Migrate, here, Way::Here),
            (Routing::Migrate, there, Way::Move),
            (Routing::Adaptive, here, Way::Here),
            (Routing::Adaptive, there, Way::Hop),
        ];
        for (routing, owner, expected) in rows {
            assert_eq!(
                History::default().way(routing, owner, here),
                expected,
                "{routing:?}"
            );
        }
    }

    #[test]
    fn it_moves_once_to_where_its_requests_belong() {
        assert_eq!(run(Routing::Adaptive, &[1; 1000]).1, 1);
        let mut mostly = [1_u16; 1000];
        mostly.iter_mut().step_by(9).for_each(|owner| *owner = 2);
        assert_eq!(run(Routing::Adaptive, &mostly).1, 1);
    }

    #[test]
    fn it_stays_where_there_is_nothing_to_gain() {
        let alternating: Vec<u16> = (0..1000).map(|i| i % 2).collect();
        let scattered: Vec<u16> = (0..1000).map(|i| (i * 7 + i / 3) % 4).collect();
        for owners in [alternating, scattered] {
            assert_eq!(run(Routing::Adaptive, &owners).1, 0);
        }
    }

    #[test]
    fn it_does_not_run_back_and_forth() {
        // The worst there is: as soon as it has moved, everything belongs to the other shard.
        for period in [14, 16, 20, 32] {
            let owners: Vec<u16> = (0..20_000).map(|i| (i / period + 1) % 2).collect();
            let (cost, moves) = run(Routing::Adaptive, &owners);
            let hops = run(Routing::Hop, &owners).0;
            assert!(moves < 600, "{moves} moves with periods of {period}");
            assert!(
                cost < hops * 5 / 4,
                "{cost} instead of {hops} with periods of {period}"
            );
        }
    }

    #[test]
    fn it_follows_connections_that_work_in_long_runs() {
        let owners: Vec<u16> = (0..200_000).map(|i| (i / 400 % 4) as u16).collect();
        let (cost, moves) = run(Routing::Adaptive, &owners);
        let (hops, _) = run(Routing::Hop, &owners);
        assert_eq!(moves, 499);
        assert!(cost < hops / 10, "{cost} instead of {hops}");
    }

    proptest! {
        /// Whatever a connection asks for, deciding costs little more than always hopping.
        #[test]
        fn it_never_costs_much_more_than_hopping(
            runs in prop::collection::vec((0..4_u16, 1..400_usize), 1..200),
        ) {
            let owners: Vec<u16> = runs.iter().flat_map(|&(owner, len)| vec![owner; len]).collect();
            let (hops, _) = run(Routing::Hop, &owners);
            let (cost, _) = run(Routing::Adaptive, &owners);
            prop_assert!(cost <= hops * 5 / 4 + 100, "{} instead of {}", cost, hops);
        }
    }
}
