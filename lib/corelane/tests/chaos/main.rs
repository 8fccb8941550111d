//! Chaos: a service on a simulated node whose partitions move and whose shards come and go, stand still, stop and
//! fail, while tasks on every shard and threads outside ask it in every way there is. After each run the books are
//! compared: nothing lost, doubled or reordered, nothing left where it does not belong, every drop counted.
//!
//! - `plan`: what a seed makes of a run
//! - `service`: what is asked
//! - `driver`: who asks, moves and ends
//! - `journal`: what everybody saw
//! - `checks`: what must hold
//!
//! `CORELANE_SIM_SEEDS=10000 cargo test --release -p corelane --test chaos` looks harder;
//! `CORELANE_SIM_SEED=7` runs one seed.
#![allow(unreachable_pub)] // One binary: its modules are all there is.

mod checks;
mod driver;
mod journal;
mod plan;
mod service;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use corelane::sim::World;
use corelane::{LaunchOptions, Mesh, MeshStats, ShardId, SimNode, launch_sim};

use driver::Stage;
use journal::Journal;
use plan::{Ending, Plan};
use service::Histories;

/// Seeds, unless the environment names more.
const SEEDS: u64 = 500;

/// One of so many seeds is run twice, to see that it repeats.
const REPEATED: u64 = 16;

/// Virtual time after which a quiet run has not become quiet.
const QUIET_WITHIN: Duration = Duration::from_secs(60);

/// What a run came to.
struct Run {
    hash: u64,
    journal: Journal,
}

fn run(plan: Plan) -> Run {
    let journal = Journal::new(plan.keys.len());
    let plan = Arc::new(plan);
    let world = World::new(plan.seed, plan.world());
    let stage = Stage {
        plan: plan.clone(),
        journal: journal.clone(),
    };
    let node = launch_node(&world, &stage);
    let clients = world.shard(100, "clients");
    let quiet = Rc::new(Cell::new(false));
    let (is_quiet, outside) = (quiet.clone(), driver::outside(stage.clone(), node.handle()));
    drop(world.spawn_on(clients, async move {
        outside.await;
        is_quiet.set(true);
    }));
    drop(stage);
    let seed = plan.seed;
    if plan.ending == Ending::Quiet {
        let end_ns = world.now_ns() + QUIET_WITHIN.as_nanos() as u64;
        while !quiet.get() {
            let ran = world.run_for(Duration::from_millis(1));
            ran.unwrap_or_else(|stuck| panic!("{plan:?}: {stuck}"));
            assert!(
                world.now_ns() < end_ns,
                "seed {seed}: not quiet after {QUIET_WITHIN:?}: {plan:?}"
            );
        }
        look_at_quiet_node(&world, &node, &plan, &journal);
        node.stop();
    }
    if let Err(stuck) = world.run() {
        panic!("{plan:?}: {stuck}");
    }
    let hash = world.trace_hash();
    let outcome = node.outcome().expect("the world ran until the node ended");
    let map = map_of(&world, &node);
    drop(world);
    drop(node);
    {
        let mut book = journal.book();
        let book = &mut *book;
        if outcome.is_ok() != plan.ending.is_peaceful() {
            book.violation(format!("the node ended with {outcome:?}"));
        }
        checks::ends(&plan, book);
        checks::order(book);
        if let Some(map) = map.filter(|_| plan.ending.is_peaceful()) {
            checks::left(&plan, book, &map);
        }
        let violations = std::mem::take(&mut book.violations);
        assert!(
            violations.is_empty(),
            "seed {seed}:\n{}\n{plan:?}",
            violations.join("\n")
        );
    }
    assert_eq!(
        journal.holders(),
        1,
        "seed {seed}: something of the node is still there: {plan:?}"
    );
    Run { hash, journal }
}

fn launch_node(world: &World, stage: &Stage) -> SimNode<Histories> {
    let plan = &stage.plan;
    let mut options = LaunchOptions::unpinned(plan.room);
    options.active = Some(plan.active);
    options.lane_capacity = Some(plan.lane_capacity);
    let (of_init, of_main) = (stage.clone(), stage.clone());
    let init = async move |shard: ShardId| {
        let (plan, journal) = (&of_init.plan, of_init.journal.clone());
        Ok(Histories::new(shard, plan, journal))
    };
    let main = async move |mesh| driver::shard_main(of_main.clone(), mesh).await;
    launch_sim(world, &options, init, main).expect("the node starts")
}

/// What can only be seen while the node is there and nothing goes on.
fn look_at_quiet_node(world: &World, node: &SimNode<Histories>, plan: &Plan, journal: &Journal) {
    let mut stats = MeshStats::default();
    let meshes = meshes(world, node);
    meshes.iter().for_each(|mesh| stats.add(&mesh.stats()));
    let mut book = journal.book();
    checks::states(plan, &mut book, &meshes);
    checks::counters(&mut book, &stats);
}

fn meshes(world: &World, node: &SimNode<Histories>) -> Vec<Mesh<Histories>> {
    let here = |&place| world.enter(place, || node.handle().here());
    node.places().iter().filter_map(here).collect()
}

fn map_of(world: &World, node: &SimNode<Histories>) -> Option<corelane::ShardMap> {
    let meshes = meshes(world, node);
    let newest = meshes.iter().map(|mesh| mesh.map());
    newest
        .max_by_key(|map| map.epoch())
        .map(|map| (*map).clone())
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = number("CORELANE_SIM_SEED") {
        return seed..seed + 1;
    }
    0..number("CORELANE_SIM_SEEDS").unwrap_or(SEEDS)
}

#[test]
fn nothing_is_lost_doubled_or_reordered() {
    let (mut moved, mut resized, mut unfinished) = (0, 0, 0);
    for seed in seeds() {
        let first = run(Plan::of(seed));
        if seed % REPEATED == 0 {
            let again = run(Plan::of(seed));
            assert_eq!(again.hash, first.hash, "seed {seed} did not repeat");
        }
        let book = first.journal.book();
        moved += book.moved;
        resized += book.resized;
        unfinished += book.unfinished;
    }
    eprintln!("{moved} moves, {resized} resizes, {unfinished} given up");
    if seeds().count() > 100 {
        assert!(
            moved > 100 && resized > 0,
            "{moved} moves, {resized} resizes"
        );
    }
}
