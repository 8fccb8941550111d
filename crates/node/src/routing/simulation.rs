//! The three ways beside each other, over workloads, numbers of shards and prices of a move.
//!
//! `cargo test -p corelane-node routing::simulation -- --nocapture` prints the table. A pass costs a
//! trip for serving it at all ([`SERVED`]: reading, executing and answering one small command takes at
//! least as long as taking it to another shard), a trip for each other shard, and what moves cost.

use std::rc::Rc;

use corelane::ShardId;

use corelane_settings::Routing;

use super::{Costs, History};

/// Connections of each cell; each has its own seed, keys and first shard.
const CONNECTIONS: u64 = 16;

/// Passes of each connection, and how many of them are the warm-up.
const PASSES: usize = 3_000;
const WARM_UP: usize = 500;

/// What every pass costs wherever its data is, in trips.
const SERVED: u64 = 1;

/// Passes between two shifts of the hot shard, and between those of the workload that shifts often.
const SHIFT_PASSES: usize = 1_000;
const SHORT_SHIFT_PASSES: usize = 200;

/// Keys that the skewed workload chooses from.
const ZIPF_KEYS: usize = 1_000;

/// How much dearer than the better fixed way the adaptive one may be.
const TOLERANCE: f64 = 1.10;

const SHARDS: [u16; 3] = [2, 4, 16];
const RATIOS: [u32; 3] = [2, 5, 20];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workload {
    OneKey,
    TenthStrays,
    Uniform,
    Shifting,
    ShiftingOften,
    Zipf,
    Mixed16,
}

impl Workload {
    const ALL: [Self; 7] = [
        Self::OneKey,
        Self::TenthStrays,
        Self::Uniform,
        Self::Shifting,
        Self::ShiftingOften,
        Self::Zipf,
        Self::Mixed16,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::OneKey => "one key each",
            Self::TenthStrays => "one shard, 10% strays",
            Self::Uniform => "uniform",
            Self::Shifting => "hot shard, shifts, strays",
            Self::ShiftingOften => "one shard, shifts often",
            Self::Zipf => "Zipf over keys",
            Self::Mixed16 => "pipelines of 16, mixed",
        }
    }
}

/// One connection's stream of passes: the shards of its commands.
struct Stream {
    workload: Workload,
    shards: u16,
    own: u16,
    passed: usize,
    rng: fastrand::Rng,
    /// Cumulated weights of the skewed keys.
    zipf: Rc<[f64]>,
}

fn zipf() -> Rc<[f64]> {
    let mut total = 0.0;
    let weights = (1..=ZIPF_KEYS).map(|rank| {
        total += 1.0 / rank as f64;
        total
    });
    weights.collect()
}

impl Stream {
    fn new(workload: Workload, shards: u16, zipf: &Rc<[f64]>, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            workload,
            shards,
            own: rng.u16(0..shards),
            passed: 0,
            zipf: Rc::clone(zipf),
            rng,
        }
    }

    fn any(&mut self) -> u16 {
        self.rng.u16(0..self.shards)
    }

    fn own_but_for_strays(&mut self) -> u16 {
        match self.rng.u8(0..10) {
            0 => self.any(),
            _ => self.own,
        }
    }

    fn skewed(&mut self) -> u16 {
        let point = self.rng.f64() * self.zipf[ZIPF_KEYS - 1];
        let rank = self.zipf.partition_point(|sum| *sum < point);
        // Spread over the shards as a hash would.
        let hash = (rank as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        (hash % u64::from(self.shards)) as u16
    }

    fn next(&mut self, pass: &mut Vec<u16>) {
        let stays = match self.workload {
            Workload::Shifting => SHIFT_PASSES,
            Workload::ShiftingOften => SHORT_SHIFT_PASSES,
            _ => usize::MAX,
        };
        if self.passed > 0 && self.passed.is_multiple_of(stays) {
            self.own = self.any();
        }
        self.passed += 1;
        let commands = if self.workload == Workload::Mixed16 {
            16
        } else {
            1
        };
        pass.clear();
        for _ in 0..commands {
            pass.push(match self.workload {
                Workload::OneKey | Workload::ShiftingOften => self.own,
                Workload::TenthStrays | Workload::Shifting => self.own_but_for_strays(),
                Workload::Uniform | Workload::Mixed16 => self.any(),
                Workload::Zipf => self.skewed(),
            });
        }
    }
}

/// A connection under one of the ways.
struct Connection {
    way: Routing,
    home: u16,
    history: History,
    costs: Costs,
    /// Spent so far.
    ns: u64,
    moves: u64,
}

impl Connection {
    fn new(way: Routing, home: u16, costs: Costs) -> Self {
        Self {
            way,
            home,
            history: History::NEW,
            costs,
            ns: 0,
            moves: 0,
        }
    }

    fn pass(&mut self, commands: &[u16]) {
        self.ns += SERVED * u64::from(self.costs.hop_ns);
        match self.way {
            Routing::Migrate => commands.iter().for_each(|shard| self.go(*shard)),
            Routing::Hop => self.hop(commands),
            Routing::Adaptive => {
                self.hop(commands);
                self.consider(commands);
            }
        }
    }

    /// The other shards that these commands need, a bit each.
    fn others(&self, commands: &[u16]) -> u32 {
        let all = commands.iter().fold(0, |bits, shard| bits | 1 << shard);
        all & !(1 << self.home)
    }

    fn hop(&mut self, commands: &[u16]) {
        let trips = self.others(commands).count_ones();
        self.ns += u64::from(trips * self.costs.hop_ns);
    }

    fn consider(&mut self, commands: &[u16]) {
        let others = self.others(commands);
        let named = (0..u32::BITS as u16).filter(|shard| others >> shard & 1 == 1);
        let here = commands.contains(&self.home);
        self.history.note(here, named.map(ShardId::new));
        if let Some(shard) = self.history.advice(&self.costs, |_| false) {
            assert_ne!(shard.number(), self.home, "advised to go where it is");
            self.history.moved(ShardId::new(self.home), &self.costs);
            self.go(shard.number());
        }
    }

    fn go(&mut self, shard: u16) {
        if shard != self.home {
            self.ns += u64::from(self.costs.move_ns);
            self.moves += 1;
            self.home = shard;
        }
    }
}

/// What one way cost in one cell, in trips per pass.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    warm: f64,
    all: f64,
    moves: u64,
}

/// What each way, in the order of [`Routing::ALL`], spends on the same streams.
fn spend(workload: Workload, shards: u16, ratio: u32, zipf: &Rc<[f64]>) -> [Spent; 3] {
    let costs = Costs {
        hop_ns: 4_000,
        move_ns: 4_000 * ratio,
    };
    let mut spent = [Spent::default(); 3];
    let mut pass = Vec::new();
    for number in 0..CONNECTIONS {
        let home = (number % u64::from(shards)) as u16;
        let mut stream = Stream::new(workload, shards, zipf, number + 1);
        let mut ways = Routing::ALL.map(|way| Connection::new(way, home, costs));
        let mut cold_ns = [0; 3];
        for passed in 0..PASSES {
            if passed == WARM_UP {
                cold_ns = ways.each_ref().map(|way| way.ns);
            }
            stream.next(&mut pass);
            ways.iter_mut().for_each(|way| way.pass(&pass));
        }
        let trips = |ns: u64, passes: usize| {
            ns as f64 / f64::from(costs.hop_ns) / (passes as u64 * CONNECTIONS) as f64
        };
        for ((spent, way), cold_ns) in spent.iter_mut().zip(&ways).zip(cold_ns) {
            spent.warm += trips(way.ns - cold_ns, PASSES - WARM_UP);
            spent.all += trips(way.ns, PASSES);
            spent.moves += way.moves;
        }
    }
    spent
}

#[test]
fn adaptive_costs_no_more_than_a_tenth_above_the_better_way() {
    println!("cost per pass in trips; a/b is adaptive beside the better of the other two");
    println!(
        "{:26}{:>7}{:>6}{:>9}{:>9}{:>9}{:>7}{:>10}{:>15}",
        "workload",
        "shards",
        "move",
        "hop",
        "migrate",
        "adaptive",
        "a/b",
        "with warm",
        "moves/1000"
    );
    let zipf = zipf();
    let mut failed = Vec::new();
    for workload in Workload::ALL {
        for shards in SHARDS {
            for ratio in RATIOS {
                let [hop, migrate, adaptive] = spend(workload, shards, ratio, &zipf);
                let beside = adaptive.warm / hop.warm.min(migrate.warm);
                let with_warm_up = adaptive.all / hop.all.min(migrate.all);
                println!(
                    "{:26}{shards:>7}{ratio:>6}{:>9.3}{:>9.3}{:>9.3}{beside:>7.3}{with_warm_up:>10.3}{:>15.2}",
                    workload.name(),
                    hop.warm,
                    migrate.warm,
                    adaptive.warm,
                    adaptive.moves as f64 * 1e3 / (CONNECTIONS * PASSES as u64) as f64,
                );
                if beside > TOLERANCE {
                    failed.push((workload, shards, ratio, beside));
                }
            }
        }
    }
    assert!(failed.is_empty(), "dearer than allowed: {failed:?}");
}
