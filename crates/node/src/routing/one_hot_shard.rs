//! Connections whose keys are all on one shard, second by second: what its load makes of it, beside the fixed ways.
//!
//! `cargo test -p corelane-node one_hot_shard -- --nocapture` prints the table. The cost of a way is what the *busiest*
//! shard spends on a request, for that is what bounds the requests of a machine with processors to spare. The prices were
//! measured on a busy machine: processor time by threads, at depth 1, in parts of a request that is local.

use corelane::ShardId;

use super::{Costs, History, Loads};

/// What a request costs the shard that has its connection and its key.
const LOCAL: f64 = 1.0;

/// What one costs the shard that has its key alone, and the one that has its connection alone.
const SERVED: f64 = 0.4;
const FORWARDED: f64 = 1.16;

/// The shard of the keys.
const HOT: u16 = 0;

/// Passes of each connection that the policy sees in a second; enough for every decision that it takes.
const PASSES: usize = 64;

const SECONDS: usize = 90;
const WARM_UP: usize = 30;

/// How much dearer than the better fixed way the adaptive one may be.
const TOLERANCE: f64 = 1.10;

/// Connections on shards, each with the shard of its keys.
struct World {
    loads: Vec<Loads>,
    idle_ns: Vec<u64>,
    now_ns: u64,
    homes: Vec<u16>,
    keys: Vec<u16>,
    histories: Vec<History>,
    /// Requests that each connection would send in a second if it had its answers at once, in parts of what one shard
    /// can serve locally.
    offered: f64,
    given_away: usize,
}

impl World {
    fn new(shards: u16, keys: Vec<u16>, offered: f64) -> Self {
        let mut loads: Vec<_> = (0..shards)
            .map(|shard| Loads::new(ShardId::new(shard), shards.into()))
            .collect();
        loads.iter_mut().for_each(|loads| {
            loads.measure(0, 0);
        });
        Self {
            loads,
            idle_ns: vec![0; shards.into()],
            now_ns: 0,
            homes: (0..keys.len())
                .map(|number| (number % usize::from(shards)) as u16)
                .collect(),
            histories: vec![History::NEW; keys.len()],
            keys,
            offered,
            given_away: 0,
        }
    }

    fn all_on_one(shards: u16, connections: usize, offered: f64) -> Self {
        Self::new(shards, vec![HOT; connections], offered)
    }

    /// What a request of each connection costs the shards.
    fn costs(&self) -> Vec<f64> {
        let mut costs = vec![0.0; self.loads.len()];
        for (home, key) in self.homes.iter().zip(&self.keys) {
            if home == key {
                costs[usize::from(*home)] += LOCAL;
            } else {
                costs[usize::from(*home)] += FORWARDED;
                costs[usize::from(*key)] += SERVED;
            }
        }
        costs
    }

    /// Of the busiest shard, per request.
    fn busiest(&self) -> f64 {
        self.costs().into_iter().fold(0.0, f64::max) / self.homes.len() as f64
    }

    fn second(&mut self) {
        self.passes();
        let costs = self.costs();
        let rate = self
            .offered
            .min(1.0 / costs.iter().copied().fold(0.0, f64::max));
        self.now_ns += 1_000_000_000;
        for (shard, cost) in costs.iter().enumerate() {
            self.idle_ns[shard] += ((1.0 - cost * rate).max(0.0) * 1e9) as u64;
            assert!(self.loads[shard].measure(self.now_ns, self.idle_ns[shard]));
            if let Some(load) = self.loads[shard].news() {
                let from = ShardId::new(shard as u16);
                self.loads
                    .iter_mut()
                    .for_each(|loads| loads.heard(from, load));
            }
        }
        (0..self.loads.len()).for_each(|shard| self.relieve(shard as u16));
    }

    fn passes(&mut self) {
        let costs = Costs::START;
        for number in 0..self.homes.len() {
            let (home, key) = (self.homes[number], self.keys[number]);
            for _ in 0..PASSES {
                let other = (home != key).then_some(ShardId::new(key));
                let history = &mut self.histories[number];
                history.note(home == key, other.into_iter());
                let loads = &self.loads[usize::from(home)];
                if let Some(shard) = history.advice(&costs, |shard| loads.is_crowded(shard)) {
                    history.moved(ShardId::new(home), &costs);
                    self.homes[number] = shard.number();
                    break;
                }
            }
        }
    }

    fn relieve(&mut self, shard: u16) {
        let all = (0..self.loads.len() as u16).filter(|other| *other != shard);
        let Some(relief) = self.loads[usize::from(shard)].relief(all.map(ShardId::new)) else {
            return;
        };
        let here: Vec<usize> = (0..self.homes.len())
            .filter(|at| self.homes[*at] == shard)
            .collect();
        for number in here.iter().take(relief.part_of(here.len())) {
            self.homes[*number] = relief.to.number();
            self.histories[*number].carried();
            self.given_away += 1;
        }
    }
}

#[test]
fn one_hot_shard_costs_no_more_than_a_tenth_above_the_better_way() {
    println!("what the busiest shard spends on a request, in parts of a local one");
    println!(
        "{:>7}{:>13}{:>8}{:>9}{:>10}{:>7}{:>10}",
        "shards", "connections", "hop", "migrate", "adaptive", "a/b", "away/s"
    );
    for shards in [2, 4, 16] {
        for connections in [16, 50, 400] {
            let mut world = World::all_on_one(shards, connections, f64::INFINITY);
            let hop = world.busiest();
            let (mut spent, mut given_before) = (0.0, 0);
            for second in 0..SECONDS {
                if second == WARM_UP {
                    (spent, given_before) = (0.0, world.given_away);
                }
                world.second();
                spent += world.busiest();
            }
            let seconds = (SECONDS - WARM_UP) as f64;
            let adaptive = spent / seconds;
            let beside = adaptive / hop.min(LOCAL);
            let away = (world.given_away - given_before) as f64 / seconds;
            println!(
                "{shards:>7}{connections:>13}{hop:>8.2}{LOCAL:>9.2}{adaptive:>10.2}{beside:>7.2}{away:>10.2}"
            );
            assert!(
                beside <= TOLERANCE,
                "{shards} shards, {connections} connections"
            );
        }
    }
}

#[test]
fn a_shard_with_time_to_spare_keeps_its_connections() {
    let mut world = World::all_on_one(4, 48, 0.75 / 48.0);
    (0..SECONDS).for_each(|_| world.second());
    assert_eq!((world.homes, world.given_away), (vec![HOT; 48], 0));
}

#[test]
fn where_all_shards_are_busy_connections_go_to_their_keys() {
    let keys: Vec<u16> = (0..48).map(|number| number / 12).collect();
    let mut world = World::new(4, keys.clone(), f64::INFINITY);
    (0..SECONDS).for_each(|_| world.second());
    assert_eq!((world.homes, world.given_away), (keys, 0));
}

#[test]
fn when_the_load_is_over_the_connections_come_home() {
    let mut world = World::all_on_one(4, 48, f64::INFINITY);
    (0..SECONDS).for_each(|_| world.second());
    assert!(world.homes.iter().any(|home| *home != HOT));
    world.offered = 0.5 / 48.0;
    (0..5).for_each(|_| world.second());
    assert_eq!(world.homes, vec![HOT; 48]);
}
