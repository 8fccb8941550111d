//! One run: a scenario in a world, from its start to the judgement of all that was seen.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use corelane::LaunchOptions;
use corelane::net::Addr;
use corelane::sim::{SimShard, World};
use corelane_server::{Simulated, simulate};
use corelane_settings::{Layers, Settings};

use crate::check::{Verdict, check};
use crate::drive::{Finding, KeyOp, Stage, client, conduct};
use crate::failure::{Failure, Fault};
use crate::model::Strings;
use crate::plan::{Keyspace, Scenario};
use crate::story;

/// A run in which nothing was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The seed.
    pub seed: u64,
    /// Everything that happened, as one number: the same seed gives the same.
    pub trace_hash: u64,
    /// Commands that clients called.
    pub commands: u64,
    /// Replies that they got.
    pub replies: u64,
    /// Times that a connection went to another shard, in runs that are not stopped under their clients.
    pub moves: u64,
    /// Commands that came to a shard without their keys, because a partition had moved, and ran again; known where moves
    /// are.
    pub reruns: u64,
    /// Resizes that clients asked for and that came to their end.
    pub resizes: u64,
    /// Histories too wild to be checked within the bound; they count as passed, and should be rare.
    pub undecided: usize,
    /// How long the run took in its world, nanoseconds.
    pub virtual_ns: u64,
}

/// The number that the clients' own runtime has: no shard's.
const CLIENTS: u16 = u16::MAX;

/// What the end of a node leaves behind for others to clear away is gone within this time.
const GRACE: Duration = Duration::from_secs(1);

/// The port that the node listens on.
const PORT: u16 = 6379;

/// Runs a scenario.
///
/// # Errors
/// What was wrong, with all that is needed to look into it.
pub fn run(scenario: &Scenario) -> Result<Passed, Box<Failure>> {
    let told = AssertUnwindSafe(|| run_in_world(scenario));
    catch_unwind(told).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()));
        let text = text.unwrap_or_else(|| "a panic without words".to_owned());
        Err(Failure::new(scenario, 0, Fault::Panicked(text)))
    })
}

fn run_in_world(scenario: &Scenario) -> Result<Passed, Box<Failure>> {
    let world = World::new(scenario.seed, scenario.world.clone());
    let failed = |world: &World, fault| Err(Failure::new(scenario, world.trace_hash(), fault));
    let server = match simulate(&world, settings(scenario), &options(scenario)) {
        Ok(server) => server,
        Err(error) => return failed(&world, Fault::NotStarted(error.to_string())),
    };
    let stage = start_clients(&world, scenario, &server);
    let ended = world.run();
    let findings = stage.findings();
    if !findings.is_empty() {
        return failed(&world, found(&findings));
    }
    if let Err(stuck) = ended {
        let waiting = stage.waiting();
        let stuck = Box::new(stuck);
        return failed(&world, Fault::Stuck { stuck, waiting });
    }
    match server.node.outcome() {
        Some(Ok(())) => {}
        Some(Err(failure)) => return failed(&world, Fault::Node(failure.to_string())),
        None => return failed(&world, Fault::Node("it has not ended".to_owned())),
    }
    if let Err(stuck) = world.run_for(GRACE) {
        let waiting = stage.waiting();
        let stuck = Box::new(stuck);
        return failed(&world, Fault::Stuck { stuck, waiting });
    }
    let left = left(&world, scenario, &server);
    if !left.is_empty() {
        return failed(&world, Fault::Left(left));
    }
    let counts = stage.counts.get();
    let histories = stage.record.take().into_histories();
    let undecided = match judge(scenario, &histories) {
        Ok(undecided) => undecided,
        Err(fault) => return failed(&world, fault),
    };
    Ok(Passed {
        seed: scenario.seed,
        trace_hash: world.trace_hash(),
        commands: counts.commands,
        replies: counts.replies,
        moves: counts.moves,
        reruns: counts.reruns,
        resizes: counts.resizes,
        undecided,
        virtual_ns: world.now_ns(),
    })
}

/// What a node that has ended has left behind, a line each.
fn left(world: &World, scenario: &Scenario, server: &Simulated) -> Vec<String> {
    let tasks = |place: &SimShard| world.tasks(*place);
    // Whoever stops a node in the middle leaves calls without an answer.
    let calls = match scenario.stop_ns {
        Some(_) => 0,
        None => server
            .node
            .metrics()
            .snapshot()
            .total("corelane_queue_depth"),
    };
    let counted = [
        ("ends of connections", world.connections() as u64),
        (
            "places among the connections",
            server.parts.admission.open() as u64,
        ),
        ("listening sockets", world.listeners() as u64),
        (
            "tasks",
            server.node.places().iter().map(tasks).sum::<usize>() as u64,
        ),
        ("calls", calls),
    ];
    let left = counted.into_iter().filter(|(_, count)| *count > 0);
    left.map(|(what, count)| format!("{count} {what}"))
        .collect()
}

fn found(findings: &[Finding]) -> Fault {
    let texts = findings.iter().map(Finding::to_string).collect();
    match findings[0] {
        Finding::Reply(_) => Fault::Replies(texts),
        Finding::Late(_) => Fault::Late(texts),
    }
}

fn settings(scenario: &Scenario) -> Settings {
    let flag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let flags = [
        flag("bind", "127.0.0.1"),
        flag("port", &PORT.to_string()),
        flag("maxmemory", "0"),
        flag("routing", scenario.routing),
        flag("shards", &scenario.shards.to_string()),
        flag("max-shards", &scenario.room.to_string()),
    ];
    let layers = Layers {
        cwd: "/".as_ref(),
        file: None,
        env: &[],
        flags: &flags,
    };
    let loaded = corelane_settings::load(&layers).expect("these settings are valid");
    loaded.settings
}

fn options(scenario: &Scenario) -> LaunchOptions {
    let mut options = LaunchOptions::unpinned(scenario.room);
    options.active = Some(scenario.shards);
    for shard in &mut options.shards[..scenario.io_shards] {
        shard.io = true;
    }
    options.lane_capacity = scenario.lane_capacity;
    options
}

fn start_clients(world: &World, scenario: &Scenario, server: &Simulated) -> Rc<Stage> {
    let address = Addr::Tcp(server.parts.addresses.tcp[0]);
    let stage = Rc::new(Stage::new(scenario.clone(), address));
    let place = world.shard(CLIENTS, "clients");
    for number in 0..scenario.clients.len() {
        drop(world.spawn_on(place, client(stage.clone(), number)));
    }
    drop(world.spawn_on(place, conduct(stage.clone(), server.node.stopper())));
    stage
}

/// Checks every history; how many could not be decided.
fn judge(scenario: &Scenario, histories: &[Vec<KeyOp>]) -> Result<usize, Fault> {
    let keyspace: &Keyspace = &scenario.keyspace;
    let mut undecided = 0;
    for (object, history) in histories.iter().enumerate() {
        let start = keyspace.start(object);
        let bound = scenario.limits.configurations;
        match check::<Strings>(&start, history, bound) {
            Verdict::Linearizable => {}
            Verdict::Undecided => undecided += 1,
            Verdict::Impossible(_) => {
                let story = story::tell(keyspace, object, history, bound);
                return Err(Fault::NotLinearizable(story));
            }
        }
    }
    Ok(undecided)
}

#[cfg(test)]
mod tests;
